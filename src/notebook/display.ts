import { types } from "node:util";
import { IllegalArgumentError } from "../errors";
import { kernelHost } from "../kernel/kernel-host";
import { displayIdOf, type MimeBundle } from "../kernel/mime-bundle";
import { forgetCleared, underDisplayId } from "../plot/figure";
import { represented } from "./represent";

export interface DisplayOptions {
  /** Names the output, so that a later call with `update` can replace it. */
  readonly displayId?: string;
  /** Replaces the output of that `displayId`, in whichever cell it is. @default false */
  readonly update?: boolean;
}

/** True where outputs go to a notebook. */
export function inNotebook(): boolean {
  return kernelHost() !== undefined;
}

/**
 * Shows any value in the notebook, below the cell that runs, as its last expression would be shown. A mime bundle, such as
 * `{ "text/html": "<b>done</b>", "text/plain": "done" }`, is shown as what it says. Outside a notebook it prints the text.
 *
 * Most values are shown at once; the promise waits for those that take time, such as a DataFrame, whose first rows are computed.
 * @throws IllegalArgumentError for `update` without `displayId`
 */
export function display(value: unknown, options: DisplayOptions = {}): Promise<void> {
  const { displayId, update = false } = options;
  if (update && displayId === undefined) {
    throw new IllegalArgumentError("display with update needs the displayId of the output that it replaces.", {
      remedy: 'Show it first with display(value, { displayId: "name" }).',
    });
  }
  const bundle = underDisplayId(displayId, () => represented(value));
  if (types.isPromise(bundle)) return bundle.then((data) => send(data, displayId, update));
  send(bundle, displayId, update);
  return Promise.resolve();
}

/** Replaces the output that was shown with this `displayId`, in whichever cell it is. */
export function updateDisplay(displayId: string, value: unknown): Promise<void> {
  return display(value, { displayId, update: true });
}

/**
 * Clears the outputs of the cell that runs.
 * @param options `wait`, or `true` as in IPython: only when the next output comes, which keeps the page from jumping. @default false
 */
export function clearOutput(options: boolean | { readonly wait?: boolean } = {}): void {
  forgetCleared();
  kernelHost()?.clearOutput(typeof options === "boolean" ? options : options.wait === true);
}

function send(data: MimeBundle, named: string | undefined, update: boolean): void {
  const displayId = named ?? displayIdOf(data);
  const host = kernelHost();
  if (!host) {
    if (!update) console.log(plainText(data));
    return;
  }
  const transient = displayId === undefined ? {} : { display_id: displayId };
  host.display({ data, metadata: {}, transient }, update);
}

function plainText(bundle: MimeBundle): string {
  const text = bundle["text/plain"] ?? bundle["text/markdown"];
  if (typeof text === "string") return text;
  return `[${Object.keys(bundle).join(", ")}]`;
}
