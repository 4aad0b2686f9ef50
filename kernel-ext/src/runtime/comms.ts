import { randomUUID } from "node:crypto";
import type { Comm, CommData, CommOptions } from "pomona/kernel";
import type { ToMain } from "../messages";
import type { Output } from "./output";

type CommMessage = Extract<ToMain, { op: "comm_open" | "comm_msg" | "comm_close" }>;

export interface Comms {
  open(target: string, options: CommOptions): Comm;
  onComm(target: string, listener: (comm: Comm, data: CommData) => void): () => void;
  /** Hands a message from the front end on; the promise settles when its handler has. */
  receive(message: CommMessage): Promise<void>;
}

/** The comms between the front end and objects of this thread. @see https://jupyter-client.readthedocs.io/en/stable/messaging.html#custom-messages */
export function comms(output: Output): Comms {
  const open = new Map<string, Comm>();
  const targets = new Map<string, (comm: Comm, data: CommData) => void>();

  const create = (id: string, target: string): Comm => {
    const comm: Comm = {
      id,
      target,
      onMessage: undefined,
      onClose: undefined,
      send(data, { metadata, buffers } = {}) {
        if (open.has(id)) output.iopub("comm_msg", { comm_id: id, data }, metadata, buffers);
      },
      close(data = {}) {
        if (open.delete(id)) output.iopub("comm_close", { comm_id: id, data });
      },
    };
    open.set(id, comm);
    return comm;
  };

  return {
    open(target, { id = randomUUID(), data = {}, metadata, buffers }) {
      const comm = create(id, target);
      output.iopub("comm_open", { comm_id: id, target_name: target, data }, metadata, buffers);
      return comm;
    },
    onComm(target, listener) {
      targets.set(target, listener);
      return () => {
        if (targets.get(target) === listener) targets.delete(target);
      };
    },
    async receive({ op, content, buffers }) {
      const id = String(content.comm_id);
      const data = (content.data ?? {}) as CommData;
      if (op === "comm_open") {
        const target = String(content.target_name);
        const listener = targets.get(target);
        if (!listener) output.iopub("comm_close", { comm_id: id, data: {} });
        else await listener(create(id, target), data);
        return;
      }
      const comm = open.get(id);
      if (op === "comm_msg") {
        await comm?.onMessage?.(data, buffers);
        return;
      }
      open.delete(id);
      await comm?.onClose?.(data);
    },
  };
}
