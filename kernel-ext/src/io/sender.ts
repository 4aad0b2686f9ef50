import type { Content, Header } from "../messages";
import type { Sockets } from "./sockets";
import { type StreamName, streamBuffer } from "./stream-buffer";
import type { Outgoing, Wire } from "./wire";

export type Channel = "shell" | "control" | "stdin";

/** Where a reply goes, and what it answers. */
export interface Addressee {
  readonly channel: Channel;
  readonly idents: readonly Buffer[];
  readonly header: Header;
}

/** What the kernel sends, message by message. */
export interface Sender {
  /** Sends on iopub, after what the same cell printed before. */
  publish(
    type: string,
    content: Content,
    parent?: Header,
    extra?: { readonly metadata?: Content | undefined; readonly buffers?: readonly Uint8Array[] | undefined },
  ): void;
  /** What a cell prints; it may wait for more. */
  print(name: StreamName, text: string, parent: Header | undefined): void;
  /** Sends all that waits. */
  flush(): void;
  /** Tells a new subscriber of iopub that it will get everything from here on, and before the first request that the kernel starts. @see JEP 65 */
  welcome(topic: string): void;
  reply(to: Addressee, content: Content, metadata?: Content): void;
  /** Sends an `input_request`. @returns its `msg_id` */
  ask(to: Omit<Addressee, "channel">, content: Content): string;
  busy(parent: Header): void;
  idle(parent: Header): void;
}

/**
 * @param sockets undefined until they are open
 * @param running the request of the cell that runs
 */
export function sender(wire: Wire, sockets: () => Sockets | undefined, running: () => Header | undefined): Sender {
  const send = (channel: Channel | "iopub", message: Outgoing): string => {
    const { id, frames } = wire.write(message);
    sockets()?.[channel].send(frames);
    return id;
  };
  const publishNow: Sender["publish"] = (type, content, parent, extra) => {
    send("iopub", { idents: [`kernel.${wire.session}.${type}`], type, content, parent, ...extra });
  };
  const streams = streamBuffer((name, text, parent) => publishNow("stream", { name, text }, parent));
  const publish: Sender["publish"] = (type, content, parent, extra) => {
    streams.flush(parent);
    publishNow(type, content, parent, extra);
  };
  // Said after the first welcome: it would reach a client whose subscription was not read yet before its welcome.
  let isStarting = true;
  const status = (execution_state: "busy" | "idle", parent: Header) => {
    isStarting = false;
    publish("status", { execution_state }, parent);
  };
  return {
    publish,
    print: streams.add,
    flush: streams.flushAll,
    welcome(topic) {
      const idents = topic === "" ? [] : [topic];
      send("iopub", { idents, type: "iopub_welcome", content: { subscription: topic } });
      if (isStarting) publishNow("status", { execution_state: "starting" });
    },
    reply({ channel, idents, header }, content, metadata) {
      const type = header.msg_type.replace(/_request$/, "_reply");
      send(channel, { idents, type, content, parent: header, metadata });
    },
    ask({ idents, header }, content) {
      streams.flush(header);
      return send("stdin", { idents, type: "input_request", content, parent: header });
    },
    busy: (parent) => status("busy", parent),
    idle(parent) {
      status("idle", parent);
      // Front ends show the status that came last.
      const other = running();
      if (other) status("busy", other);
    },
  };
}
