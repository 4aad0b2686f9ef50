import type { Json } from "../data/batch-function";

/** One result in several forms, by mime type; the front end shows the richest it knows. */
export type MimeBundle = Readonly<Record<string, Json>>;

/**
 * The method a value offers to be shown in a notebook, as in Deno's Jupyter kernel: called without arguments, it gives a
 * {@link MimeBundle}.
 */
export const JUPYTER_DISPLAY: unique symbol = Symbol.for("Jupyter.display");

/** A value that a notebook can show. */
export interface Displayable {
  [JUPYTER_DISPLAY](): MimeBundle;
}

const DISPLAY_ID = Symbol.for("pomona.displayId");

/** A bundle with the `display_id` under which it wants to be shown, because whoever made it will replace it later. */
export function withDisplayId(bundle: MimeBundle, displayId: string): MimeBundle {
  return Object.assign({ ...bundle }, { [DISPLAY_ID]: displayId });
}

/** The `display_id` that a bundle wants. A kernel shows such a bundle by `display_data`, also as a cell's last value. */
export function displayIdOf(bundle: MimeBundle): string | undefined {
  return (bundle as { [DISPLAY_ID]?: string })[DISPLAY_ID];
}

/** Text made safe for the inside of an HTML element or a quoted attribute. */
export function escapeHtml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (char) => names[char] as string);
}
