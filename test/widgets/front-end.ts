import { AsyncLocalStorage } from "node:async_hooks";
import type { Comm, CommData, CommOptions, DisplayContent, KernelHost, SentOutput } from "../../src/kernel/kernel-host";
import { connectKernel } from "../../src/kernel/kernel-host";

export interface Sent {
  readonly type: "open" | "msg" | "close";
  readonly id: string;
  readonly data: CommData;
  readonly metadata: CommData | undefined;
}

/** The far end of the comms that widgets open: records what they send, and speaks as a page does. */
export function frontEnd() {
  const sent: Sent[] = [];
  const displayed: (DisplayContent & { readonly update: boolean })[] = [];
  const comms = new Map<string, Comm>();
  const targets = new Map<string, (comm: Comm, data: CommData) => void | Promise<void>>();
  const cellEnds = new Set<() => void>();
  const sinks = new AsyncLocalStorage<(output: SentOutput) => void>();
  let parentId: string | undefined = "cell-1";
  let count = 0;

  const newComm = (target: string, id: string): Comm => {
    const comm: Comm = {
      id,
      target,
      onMessage: undefined,
      onClose: undefined,
      send: (data, options) => sent.push({ type: "msg", id, data: copy(data), metadata: options?.metadata }),
      close: (data = {}) => {
        comms.delete(id);
        sent.push({ type: "close", id, data: copy(data), metadata: undefined });
      },
    };
    comms.set(id, comm);
    return comm;
  };
  /** Gives an output to who captures it, if someone does. */
  const captured = (type: SentOutput["type"], content: SentOutput["content"]) => {
    const sink = sinks.getStore();
    sink?.({ type, content });
    return sink !== undefined;
  };
  const unused = (): never => {
    throw new Error("A widget does not need this.");
  };
  const host: KernelHost = {
    display(content, update) {
      if (!captured(update ? "update_display_data" : "display_data", { ...content }))
        displayed.push({ ...content, update });
    },
    clearOutput: (wait) => void captured("clear_output", { wait }),
    openComm(target: string, { id = `comm-${++count}`, data = {}, metadata }: CommOptions) {
      sent.push({ type: "open", id, data: copy(data), metadata });
      return newComm(target, id);
    },
    onComm(target, listener) {
      targets.set(target, listener);
      return () => targets.delete(target);
    },
    onCellEnd(listener) {
      cellEnds.add(listener);
      return () => cellEnds.delete(listener);
    },
    redirect: (sink, run) => sinks.run(sink, run),
    onInterrupt: () => () => {},
    readLine: unused,
    readLineSync: unused,
    functionOrigin: unused,
    importOf: () => undefined,
    get parentId() {
      return parentId;
    },
  };
  const disconnect = connectKernel(host);
  return {
    sent,
    displayed,
    disconnect,
    /** Opens a comm from the page. */
    async open(target: string): Promise<string> {
      const comm = newComm(target, `page-${++count}`);
      await targets.get(target)?.(comm, {});
      return comm.id;
    },
    async message(id: string, data: CommData): Promise<void> {
      await comms.get(id)?.onMessage?.(copy(data), []);
    },
    /** What a view does when the user changes something. */
    async change(id: string, state: CommData): Promise<void> {
      await this.message(id, { method: "update", state, buffer_paths: [] });
    },
    async close(id: string): Promise<void> {
      await comms.get(id)?.onClose?.({});
    },
    /** What printing does in a cell. */
    print: (text: string) => void captured("stream", { name: "stdout", text }),
    endCell() {
      for (const listener of cellEnds) listener();
    },
    /** What a model knows after all messages to it. */
    stateOf(id: string): CommData {
      const states = sent.filter((each) => each.id === id && each.type !== "close").map(({ data }) => data.state);
      return Object.assign({}, ...states) as CommData;
    },
    /** Takes what was sent since the last call. */
    take: () => sent.splice(0),
    set parentId(id: string | undefined) {
      parentId = id;
    },
  };
}

export type FrontEnd = ReturnType<typeof frontEnd>;

/** As the wire does it: what is not JSON is lost. */
function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
