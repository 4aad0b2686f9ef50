import { types } from "node:util";
import { kernelHost, type SentOutput } from "../kernel/kernel-host";
import { type Displayable, JUPYTER_DISPLAY, type MimeBundle } from "../kernel/mime-bundle";
import { domTraits } from "./dom";
import type { NotebookOutput, OutputState } from "./states";
import { outputPicture } from "./static-html";
import { refuse, type Trait, text } from "./trait";
import { widgetClass } from "./widget";

const outputs: Trait<readonly NotebookOutput[]> = {
  initial: () => [],
  parse: (value, where) =>
    Array.isArray(value) && value.every((each) => typeof each?.output_type === "string")
      ? (value as readonly NotebookOutput[])
      : refuse(where, "an array of a notebook's outputs", value),
};

/** A place for output: text, tables, plots, other widgets. */
export class Output extends widgetClass<OutputState>({
  model: "OutputModel",
  view: "OutputView",
  module: "@jupyter-widgets/output",
  version: "1.0.0",
  traits: { ...domTraits, outputs, msgId: text() },
}) {
  /** What was captured and is not in `outputs` yet. */
  #caught: readonly NotebookOutput[] | undefined;
  /** True after a `clear_output` that waits: the next output takes the place of all. */
  #isStale = false;
  #timer: NodeJS.Timeout | undefined;
  #sentAt = 0;
  readonly #displays = new Map<string, NotebookOutput>();

  /**
   * Runs a function and shows in this widget what it prints and displays, also later by its timers and promises. What else the
   * cell prints meanwhile stays below the cell.
   * @returns what the function returns; what it throws is thrown on
   */
  capture<T>(run: () => T): T {
    const host = kernelHost();
    return host
      ? finallyDo(
          () => host.redirect((output) => this.#catch(output), run),
          () => this.#send(),
        )
      : run();
  }

  /** Takes everything out. @param options with `wait` only when the next output comes */
  clear({ wait = false }: { readonly wait?: boolean } = {}): void {
    if (wait) this.capture(() => kernelHost()?.clearOutput(true));
    else this.outputs = [];
  }

  appendStdout(text: string): void {
    this.#append({ output_type: "stream", name: "stdout", text });
  }

  appendStderr(text: string): void {
    this.#append({ output_type: "stream", name: "stderr", text });
  }

  /** Adds a plot, a widget or a mime bundle. */
  appendDisplay(shown: Displayable | MimeBundle): void {
    const data = JUPYTER_DISPLAY in shown ? (shown as Displayable)[JUPYTER_DISPLAY]() : shown;
    this.#append({ output_type: "display_data", data: { ...data }, metadata: {} });
  }

  override toHtml(): string {
    return outputPicture({ layout: this.layout, outputs: this.#caught ?? this.outputs });
  }

  /** Takes one output in. The front end gets them in lots, since each message carries all. */
  #catch(output: SentOutput): void {
    const known = this.#caught ?? this.outputs;
    if (output.type === "clear_output") {
      this.#isStale = output.content.wait === true;
      this.#caught = this.#isStale ? known : [];
      if (!this.#isStale) this.#displays.clear();
    } else if (output.type === "update_display_data") {
      this.#caught = this.#updated(known, output);
    } else {
      this.#caught = this.#added(this.#isStale ? [] : known, output);
      this.#isStale = false;
    }
    if (Date.now() - this.#sentAt >= INTERVAL_MS) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), INTERVAL_MS).unref();
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const caught = this.#caught;
    if (!caught) return;
    this.#caught = undefined;
    this.#sentAt = Date.now();
    this.outputs = caught;
  }

  #added(known: readonly NotebookOutput[], { type, content }: SentOutput): readonly NotebookOutput[] {
    const last = known.at(-1);
    if (type === "stream" && last?.output_type === "stream" && last.name === content.name) {
      return [...known.slice(0, -1), { ...last, text: `${last.text}${content.text}` }];
    }
    const { transient, ...rest } = content as { transient?: { display_id?: string } };
    const output = { output_type: type, ...rest } as NotebookOutput;
    if (transient?.display_id !== undefined) this.#displays.set(transient.display_id, output);
    return [...known, output];
  }

  #updated(known: readonly NotebookOutput[], { content }: SentOutput): readonly NotebookOutput[] {
    const { data, metadata, transient } = content as { transient?: { display_id?: string } } & NotebookOutput;
    const id = transient?.display_id ?? "";
    const shown = this.#displays.get(id);
    if (!shown) return known;
    const updated = { ...shown, data, metadata };
    this.#displays.set(id, updated);
    return known.map((output) => (output === shown ? updated : output));
  }

  #append(output: NotebookOutput): void {
    this.outputs = [...this.outputs, output];
  }
}

/** The least time between two messages while much is captured. */
const INTERVAL_MS = 50;

function finallyDo<T>(run: () => T, end: () => void): T {
  let isWaiting = false;
  try {
    const result = run();
    if (types.isPromise(result)) {
      isWaiting = true;
      return result.finally(end) as T;
    }
    return result;
  } finally {
    if (!isWaiting) end();
  }
}
