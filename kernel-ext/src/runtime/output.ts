import { AsyncLocalStorage } from "node:async_hooks";
import { Writable } from "node:stream";
import { inspect } from "node:util";
import type { SentOutput } from "pomona/kernel";
import type { Header, ToIo } from "../messages";
import { keepLatest } from "../oldest";

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
  /** Runs code whose outputs go elsewhere, see `KernelHost.redirect`. */
  redirect<T>(sink: Sink, run: () => T): T;
  /** The request that the code that runs belongs to; that of the latest cell where that is not known. */
  readonly parent: Header | undefined;
}

type Sink = (output: SentOutput) => void;

/** Where the outputs of some code go. */
interface Place {
  readonly parent: Header | undefined;
  readonly sink: Sink | undefined;
}

/** AsyncLocalStorage hangs it on promises, where it is to be seen as a word at most. */
function place(parent: Header | undefined, sink: Sink | undefined): Place {
  return Object.defineProperty({ parent, sink }, inspect.custom, { value: () => "cell" });
}

export function outputTo(send: (message: ToIo) => void): Output {
  const places = new AsyncLocalStorage<Place>();
  /** Who got a display, so that its updates find it from anywhere. */
  const displayed = new Map<string, Sink>();
  let latest: Header | undefined;
  const parent = () => places.getStore()?.parent ?? latest;
  const post = (message: ToIo) => {
    const output = sentOutput(message);
    const displayId = output && displayIdOf(output);
    const isUpdate = output?.type === "update_display_data" && displayId !== undefined;
    const sink = isUpdate ? displayed.get(displayId) : places.getStore()?.sink;
    if (!output || !sink) return send(message);
    if (displayId !== undefined) remember(displayed, displayId, sink);
    sink(output);
  };
  return {
    post,
    iopub(type, content, metadata, buffers) {
      post({
        op: "iopub",
        type,
        content,
        parent: parent(),
        ...(metadata ? { metadata } : {}),
        ...(buffers ? { buffers } : {}),
      });
    },
    within(parent, run) {
      if (parent.msg_type === "execute_request") latest = parent;
      return places.run(place(parent, undefined), run);
    },
    redirect: (sink, run) => places.run(place(parent(), sink), run),
    get parent() {
      return parent();
    },
  };
}

/** What a message shows; undefined where it shows nothing. */
function sentOutput(message: ToIo): SentOutput | undefined {
  if (message.op === "stream") return { type: "stream", content: { name: message.name, text: message.text } };
  if (message.op !== "iopub") return undefined;
  switch (message.type) {
    case "display_data":
    case "update_display_data":
    case "execute_result":
    case "error":
    case "clear_output":
      return { type: message.type, content: message.content };
    default:
      return undefined;
  }
}

/** The oldest is forgotten where there are very many: a notebook may run for weeks. */
function remember(displayed: Map<string, Sink>, id: string, sink: Sink): void {
  displayed.set(id, sink);
  keepLatest(displayed, MOST_DISPLAYS);
}

const MOST_DISPLAYS = 10_000;

function displayIdOf({ content }: SentOutput): string | undefined {
  return (content.transient as { display_id?: string } | undefined)?.display_id;
}

/**
 * Sends what is written to this process's standard output and error to the cell that it belongs to, by streams of our own: Node's would
 * make the files that they write to non-blocking, which whoever started the kernel has too, and whose messages would then be cut.
 * @see https://github.com/nodejs/node/issues/42826
 */
export function captureStreams(output: Output): void {
  for (const [fd, name] of [
    [1, "stdout"],
    [2, "stderr"],
  ] as const) {
    // Split characters of a multi-byte sequence arrive in separate chunks.
    const decoder = new TextDecoder();
    const write = (chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
      const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
      if (text !== "") output.post({ op: "stream", name, text, parent: output.parent });
      const callback = typeof encoding === "function" ? encoding : done;
      if (typeof callback === "function") process.nextTick(callback as () => void);
      return true;
    };
    // What comes with `end` goes by the inner one.
    const stream = new Writable({
      decodeStrings: false,
      write: (chunk, encoding, done) => void write(chunk, encoding, done),
    });
    const value = Object.assign(stream, { fd, write });
    Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => value });
  }
}
