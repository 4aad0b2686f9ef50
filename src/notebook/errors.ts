import { types } from "node:util";
import { escapeHtml, type MimeBundle } from "../kernel/mime-bundle";

/** An error as a value: its name, message and stack, and what caused it; else undefined. */
export function errorBundle(value: unknown): MimeBundle | undefined {
  if (!types.isNativeError(value) && !(value instanceof Error)) return undefined;
  return { "text/html": errorHtml(value) };
}

const BOX = "border-left: 3px solid var(--jp-error-color1, #d32f2f); padding: 2px 0 2px 10px; overflow-x: auto";
const PRE =
  "margin: 4px 0 0; font-family: var(--jp-code-font-family, monospace); font-size: var(--jp-code-font-size, 13px); white-space: pre-wrap";

function errorHtml(error: Error, depth = 0): string {
  const { cause, stack = "" } = error;
  const message = error.message === "" ? "" : `: ${escapeHtml(error.message)}`;
  const name = `<b style="color: var(--jp-error-color1, #d32f2f)">${escapeHtml(error.name)}</b>`;
  // A message may quote the stack of a worker; that is not this error's.
  const own = stack.includes(error.message) ? stack.slice(stack.indexOf(error.message) + error.message.length) : stack;
  const parts = [
    `<pre style="${PRE}">${name}${message}</pre>`,
    frames(own),
    cause instanceof Error && depth < 5 ? `<div>Caused by:</div>${errorHtml(cause, depth + 1)}` : "",
  ];
  return `<div class="pomona-error" style="${BOX}">${parts.join("")}</div>`;
}

/** The frames of a stack; those of Node and of packages are dim. */
function frames(stack: string): string {
  const lines = stack.split("\n").filter((line) => /^\s+at /.test(line));
  if (lines.length === 0) return "";
  const shown = lines.map((line) =>
    isInternal(line) ? `<span style="opacity: 0.5">${escapeHtml(line)}</span>` : escapeHtml(line),
  );
  return `<pre style="${PRE}">${shown.join("\n")}</pre>`;
}

function isInternal(frame: string): boolean {
  return /\(?(?:node:|<anonymous>)|[\\/]node_modules[\\/]|[\\/]kernel-ext[\\/]dist[\\/]/.test(frame);
}
