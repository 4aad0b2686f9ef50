import { Router, XPublisher } from "zeromq";
import type { ConnectionInfo } from "../messages";
import { complain } from "./complain";

/** The kernel's side of a connection file. */
export interface Sockets {
  readonly shell: Outlet;
  readonly control: Outlet;
  readonly stdin: Outlet;
  readonly iopub: Outlet;
  /** Resolves once all that was sent is with zeromq, and closes the sockets. */
  close(): Promise<void>;
}

/** The sending side of a socket. */
export interface Outlet {
  /** Messages go out in the order of the calls. */
  send(frames: Buffer[]): void;
}

export interface SocketListeners {
  /** A message on a channel; the outlet is the channel's own. */
  readonly message: (frames: readonly Buffer[], from: "shell" | "control" | "stdin") => void;
  /** A client subscribed to a topic of iopub, mostly to all: "". */
  readonly subscribed: (topic: string) => void;
}

/** @throws Error from zeromq where an address can't be bound, as when a port is taken */
export async function openSockets(connection: ConnectionInfo, listeners: SocketListeners): Promise<Sockets> {
  // Nothing is dropped: no high water mark. What was sent last still goes out after the socket is closed: linger.
  const options = { sendHighWaterMark: 0, receiveHighWaterMark: 0, linger: 1000 };
  // As in ipykernel: a client that comes back under its identity gets what is sent to that, also where its old connection is not known to be gone.
  const clients = { ...options, handover: true };
  const routers = { shell: new Router(clients), control: new Router(clients), stdin: new Router(clients) };
  const iopub = new XPublisher({ ...options, verbosity: "allSubs" });
  const heartbeat = new Router({ linger: 0 });
  await iopub.bind(addressOf(connection, connection.iopub_port));
  await routers.stdin.bind(addressOf(connection, connection.stdin_port));
  await routers.control.bind(addressOf(connection, connection.control_port));
  await heartbeat.bind(addressOf(connection, connection.hb_port));
  await routers.shell.bind(addressOf(connection, connection.shell_port));

  for (const name of ["shell", "control", "stdin"] as const)
    void receiveAll(routers[name], (frames) => listeners.message(frames, name));
  void receiveAll(iopub, ([frame]) => {
    if (frame?.[0] === 1) listeners.subscribed(frame.toString("utf8", 1));
  });
  void receiveAll(heartbeat, (frames) => heartbeat.send([...frames]));

  const all = { shell: outlet(routers.shell), control: outlet(routers.control), stdin: outlet(routers.stdin) };
  const published = outlet(iopub);
  return {
    ...all,
    iopub: published,
    async close() {
      await Promise.all([...Object.values(all), published].map(({ drained }) => drained()));
      for (const socket of [...Object.values(routers), iopub, heartbeat]) socket.close();
    },
  };
}

function addressOf({ transport, ip }: ConnectionInfo, port: number): string {
  return transport === "ipc" ? `ipc://${ip}-${port}` : `${transport}://${ip}:${port}`;
}

/** zeromq takes one message at a time from a socket's user. */
function outlet(socket: Router | XPublisher): Outlet & { drained(): Promise<void> } {
  const waiting: Buffer[][] = [];
  let sending: Promise<void> | undefined;
  const sendAll = async () => {
    for (let frames = waiting.shift(); frames; frames = waiting.shift()) {
      // A client that is gone is no reason to stop.
      await socket.send(frames).catch((error) => complain("A message was not sent", error));
    }
    sending = undefined;
  };
  return {
    send(frames) {
      if (socket.closed) return;
      waiting.push(frames);
      sending ??= sendAll();
    },
    async drained() {
      while (sending) await sending;
    },
  };
}

async function receiveAll(
  socket: Router | XPublisher,
  take: (frames: readonly Buffer[]) => void | Promise<void>,
): Promise<void> {
  while (!socket.closed) {
    try {
      for await (const frames of socket) await take(frames);
    } catch (error) {
      if (!socket.closed) complain("A message was dropped", error);
    }
  }
}
