import { types } from "node:util";
import { escapeHtml, type MimeBundle } from "../host/mime-bundle";

/** An error as a value: its name, message and stack, what caused it and what happened on a worker; else undefined. */
export function errorBundle(value: unknown): MimeBundle | undefined {
  if (!types.isNativeError(value) && !(value instanceof Error)) return undefined;
  return { "text/html": errorHtml(value) };
}

const BOX = "border-left: 3px solid var(--jp-error-color1, #d32f2f); padding: 2px 0 2px 10px; overflow-x: auto";
const PRE = "margin: 4px 0 0; font-size: var(--jp-code-font-size, 13px); white-space: pre-wrap";

function errorHtml(error: Error, depth = 0): string {
  const { cause, remoteStack } = error as { cause?: unknown; remoteStack?: unknown };
  const message = error.message === "" ? "" : `: ${escapeHtml(error.message)}`;
  const remote = typeof remoteStack === "string" && !error.message.includes(remoteStack) ? remoteStack : "";
  const parts = [
    `<div style="white-space: pre-wrap"><b style="color: var(--jp-error-color1, #d32f2f)">${escapeHtml(error.name)}</b>${message}</div>`,
    frames(error.stack),
    remote && `<div>On the worker:</div>${frames(remote)}`,
    cause instanceof Error && depth < 5 ? `<div>Caused by:</div>${errorHtml(cause, depth + 1)}` : "",
  ];
  return `<div class="pomona-error" style="${BOX}">${parts.join("")}</div>`;
}

/** The frames of a stack; those of Node and of packages are dim. */
function frames(stack: string | undefined): string {
  const lines = (stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  if (lines.length === 0) return "";
  const shown = lines.map((line) =>
    isInternal(line) ? `<span style="opacity: 0.5">${escapeHtml(line)}</span>` : escapeHtml(line),
  );
  return `<pre style="${PRE}">${shown.join("\n")}</pre>`;
}

function isInternal(frame: string): boolean {
  return /\(?(?:node:|<anonymous>)|[\\/]node_modules[\\/]|[\\/]kernel-ext[\\/]dist[\\/]/.test(frame);
}
