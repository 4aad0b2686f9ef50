import { types } from "node:util";
import { kernelHost, type SentOutput } from "../host/kernel-host";
import { type Displayable, JUPYTER_DISPLAY, type MimeBundle } from "../host/mime-bundle";
import { outOfCell } from "./callbacks";
import { type DomState, domTraits } from "./dom";
import { outputPicture } from "./static-html";
import { refuse, type Trait, text } from "./trait";
import { widgetClass } from "./widget";

/** One output, as in a notebook file. @see https://nbformat.readthedocs.io/en/latest/format_description.html#code-cell-outputs */
export type NotebookOutput = Readonly<Record<string, unknown>> & {
  readonly output_type: "stream" | "display_data" | "execute_result" | "error" | "update_display_data";
};

export interface OutputState extends DomState {
  /** What it shows. */
  outputs: readonly NotebookOutput[];
  /** The request whose outputs the front end shows in it instead of below the cell; empty for none. */
  msgId: string;
}

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
  #captures = 0;
  /** What was captured since `outputs` had that value: the front end tells of it later, when the cell may have ended. */
  #caught:
    | { readonly since: readonly NotebookOutput[]; outputs: readonly NotebookOutput[]; isStale: boolean }
    | undefined;

  /**
   * Runs a function and shows in this widget what it prints and displays, until it or its promise is done. It is the front end
   * that redirects, by the request that outputs belong to: meanwhile everything that the same cell prints goes here.
   * @returns what the function returns; what it throws is thrown on
   */
  capture<T>(run: () => T): T {
    return outOfCell(() => {
      const host = kernelHost();
      const parentId = host?.parentId;
      if (!host || parentId === undefined) return run();
      this.#captures++;
      this.msgId = parentId;
      const endListening = host.onOutput((output) => {
        if (output.parentId === parentId && this.#captures === 1) this.#catch(output);
      });
      const end = () => {
        endListening();
        this.#captures--;
        if (this.#captures === 0) this.msgId = "";
      };
      return finallyDo(run, end);
    });
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
    return outputPicture({ layout: this.layout, outputs: this.#known() });
  }

  /** What it shows, as far as it is known here. */
  #known(): readonly NotebookOutput[] {
    return this.#caught?.since === this.outputs ? this.#caught.outputs : this.outputs;
  }

  #catch({ type, content }: SentOutput): void {
    const known = this.#known();
    if (type === "clear_output") {
      const isStale = content.wait === true;
      this.#caught = { since: this.outputs, outputs: isStale ? known : [], isStale };
    } else if (type !== "update_display_data") {
      const before = this.#caught?.since === this.outputs && this.#caught.isStale ? [] : known;
      const outputs = [...before, { output_type: type, ...content }];
      this.#caught = { since: this.outputs, outputs, isStale: false };
    }
  }

  #append(output: NotebookOutput): void {
    this.outputs = [...this.outputs, output];
  }
}

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
