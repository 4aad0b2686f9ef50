import { AsyncLocalStorage } from "node:async_hooks";
import type { SentOutput } from "pomona/kernel";
import type { Header, ToIo } from "../messages";

/** The way to the io thread, and the request that an output belongs to. */
export interface Output {
  post(message: ToIo): void;
  iopub(
    type: string,
    content: Readonly<Record<string, unknown>>,
    metadata?: Readonly<Record<string, unknown>>,
    buffers?: readonly Uint8Array[],
  ): void;
  /** Runs code whose outputs, also those of its timers and promises, belong to a request. */
  within<T>(parent: Header, run: () => T): T;
  /** Calls `listener` with each output that goes out. */
  onOutput(listener: (output: SentOutput) => void): () => void;
  /** The request that the code that runs belongs to; that of the latest cell where that is not known. */
  readonly parent: Header | undefined;
}

export function outputTo(send: (message: ToIo) => void): Output {
  const parents = new AsyncLocalStorage<Header>();
  const listeners = new Set<(output: SentOutput) => void>();
  const post = (message: ToIo) => {
    send(message);
    const sent = listeners.size > 0 ? sentOutput(message) : undefined;
    if (sent) for (const listener of listeners) listener(sent);
  };
  let latest: Header | undefined;
  return {
    post,
    iopub(type, content, metadata, buffers) {
      post({
        op: "iopub",
        type,
        content,
        parent: this.parent,
        ...(metadata ? { metadata } : {}),
        ...(buffers ? { buffers } : {}),
      });
    },
    within(parent, run) {
      if (parent.msg_type === "execute_request") latest = parent;
      return parents.run(parent, run);
    },
    onOutput(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get parent() {
      return parents.getStore() ?? latest;
    },
  };
}

/** What a message says to those who listen to outputs; undefined where it is none. */
function sentOutput(message: ToIo): SentOutput | undefined {
  if (message.op === "stream") {
    const { name, text, parent } = message;
    return { type: "stream", content: { name, text }, parentId: parent?.msg_id };
  }
  if (message.op !== "iopub") return undefined;
  switch (message.type) {
    case "display_data":
    case "update_display_data":
    case "execute_result":
    case "error":
    case "clear_output":
      return { type: message.type, content: message.content, parentId: message.parent?.msg_id };
    default:
      return undefined;
  }
}

/** Sends what is written to this process's standard output and error to the cell that it belongs to. */
export function captureStreams(output: Output): void {
  for (const name of ["stdout", "stderr"] as const) {
    // Split characters of a multi-byte sequence arrive in separate chunks.
    const decoder = new TextDecoder();
    const write = (chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
      const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
      if (text !== "") output.post({ op: "stream", name, text, parent: output.parent });
      const callback = typeof encoding === "function" ? encoding : done;
      if (typeof callback === "function") process.nextTick(callback as () => void);
      return true;
    };
    process[name].write = write as typeof process.stdout.write;
  }
}
