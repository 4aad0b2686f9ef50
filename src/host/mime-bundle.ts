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
