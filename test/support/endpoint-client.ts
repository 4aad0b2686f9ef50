import { randomUUID } from "node:crypto";
import WebSocket from "ws";

/** A Jupyter server as a client elsewhere has it: by its address and a token. */
export interface EndpointClient {
  request(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly body: unknown }>;
  /** Starts a kernel. Returns its id. @throws Error where the server does not */
  startKernel(name?: string): Promise<string>;
  connect(kernel: string): Promise<KernelLine>;
}

/** A connection to a kernel. */
export interface KernelLine {
  /** Runs a cell. @returns its last value as text, or what it failed with */
  execute(code: string): Promise<string>;
  /** Cuts the line, as a network does. */
  cut(): void;
}

interface Message {
  readonly header: { readonly msg_type: string };
  readonly parent_header: { readonly msg_id?: string };
  readonly content: {
    readonly status?: string;
    readonly execution_state?: string;
    readonly ename?: string;
    readonly evalue?: string;
    readonly data?: Readonly<Record<string, string>>;
  };
}

export function endpointClient(url: string, token: string): EndpointClient {
  const headers = { authorization: `token ${token}`, "content-type": "application/json" };
  const request: EndpointClient["request"] = async (method, path, body) => {
    const answer = await fetch(`${url}/api/${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  return {
    request,
    async startKernel(name = "pomona") {
      const { status, body } = await request("POST", "kernels", { name });
      if (status !== 201) throw new Error(`No kernel: ${status} ${JSON.stringify(body)}`);
      return (body as { id: string }).id;
    },
    async connect(kernel) {
      const session = randomUUID();
      const socket = new WebSocket(
        `${url.replace(/^http/, "ws")}/api/kernels/${kernel}/channels?session_id=${session}`,
        {
          headers,
        },
      );
      await new Promise((opened, failed) => socket.once("open", opened).once("error", failed));
      return {
        execute: (code) => execute(socket, session, code),
        cut: () => socket.terminate(),
      };
    },
  };
}

function execute(socket: WebSocket, session: string, code: string): Promise<string> {
  const id = randomUUID();
  let value = "";
  let reply: Message["content"] | undefined;
  let isIdle = false;
  const answered = new Promise<string>((resolve, reject) => {
    // A server that ends with its kernels may close the line before it says that the kernel is idle.
    const answer = ({ status, ename, evalue }: Message["content"]) =>
      resolve(status === "ok" ? value : `${ename}: ${evalue}`);
    socket.once("close", () => (reply ? answer(reply) : reject(new Error("The line was cut."))));
    socket.on("message", (data: Buffer) => {
      const { header, parent_header, content } = JSON.parse(data.toString()) as Message;
      if (parent_header.msg_id !== id) return;
      if (header.msg_type === "execute_result") value = content.data?.["text/plain"] ?? "";
      if (header.msg_type === "execute_reply") reply = content;
      if (header.msg_type === "status" && content.execution_state === "idle") isIdle = true;
      // The result comes on another channel than the reply, before that channel's last word on the cell.
      if (reply && isIdle) answer(reply);
    });
  });
  const header = { msg_id: id, msg_type: "execute_request", session, username: "", version: "5.3", date: new Date() };
  const content = { code, silent: false, store_history: true, user_expressions: {}, allow_stdin: false };
  socket.send(JSON.stringify({ channel: "shell", header, parent_header: {}, metadata: {}, content, buffers: [] }));
  return answered;
}
