import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

/** A server that is not what was expected. */
export interface FakeServer {
  /** `127.0.0.1:port`. */
  readonly name: string;
  /** What was asked, as `METHOD path`. */
  readonly requests: string[];
  /** How many frames acknowledged what it said. */
  pongs(): number;
  stop(): Promise<void>;
}

/** Answers every request by `answer`. */
export async function fakeServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  hello?: object,
): Promise<FakeServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  // Speaks the older form of messages, which is JSON, as servers of before 2022 do.
  const sockets = new WebSocketServer({ server, handleProtocols: () => false });
  let pongs = 0;
  sockets.on("connection", (socket) => {
    socket.on("pong", () => pongs++);
    socket.on("message", (data) => {
      const { header, content } = JSON.parse(String(data));
      // Of files it says that it has none.
      const answer =
        header.msg_type === "comm_open" && hello
          ? { type: "hello", hello }
          : content.data.type === "probe" && { type: "probed", id: content.data.id, text: null };
      if (!answer) return;
      const told = { comm_id: content.comm_id, data: answer };
      const message = { channel: "iopub", header: { msg_type: "comm_msg" }, parent_header: header, metadata: {} };
      socket.send(JSON.stringify({ ...message, content: told, buffers: [] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    name: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    pongs: () => pongs,
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets.clients) socket.terminate();
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** A Jupyter server's answers, whose one kernel says `hello`. */
export function fakeJupyter(hello: object): Promise<FakeServer> {
  return fakeServer((request, response) => {
    const isNew = request.method === "POST";
    const specs = { kernelspecs: { pomona: { spec: { language: "typescript" } } } };
    response.writeHead(request.method === "DELETE" ? 204 : isNew ? 201 : 200, { "Content-Type": "application/json" });
    response.end(request.method === "DELETE" ? undefined : JSON.stringify(isNew ? { kernel: { id: "one" } } : specs));
  }, hello);
}
