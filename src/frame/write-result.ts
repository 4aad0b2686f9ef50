import { inspect } from "node:util";
import type { WriteResult } from "./runtime";

/**
 * Makes a write's result print in one line, `WriteResult { path: ..., rows: 48, parts: 24 }`: a list of all file names would
 * bury what matters in a notebook.
 */
export function shownShort(result: WriteResult): WriteResult {
  return Object.defineProperty(result, inspect.custom, { value: () => writeText(result) });
}

function writeText({ path, rows, files, failedRows, skipped }: WriteResult): string {
  if (skipped) return `WriteResult { path: '${path}', skipped: true }`;
  const parts = files.filter((file) => !/(?:^|\/)_[^/]*$/.test(file)).length;
  const failed = failedRows > 0 ? `, failedRows: ${failedRows}` : "";
  return `WriteResult { path: '${path}', rows: ${rows}, parts: ${parts}${failed} }`;
}
