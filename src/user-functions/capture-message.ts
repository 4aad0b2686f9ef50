import type { Capture } from "./captured-name";

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Longest line shown before it is cut around the mark. */
const LINE_WIDTH = 110;

/**
 * `what`, and under it the lines of the function's text with a mark under each place, in the words of the notebook:
 * the compiler's `exports.lut` and `(0, stats_1.mean)` read `lut` and `mean` again.
 */
export function captureMessage(
  text: string,
  captures: readonly Capture[],
  what: string,
  marks: readonly Range[],
): string {
  const { written, place } = asWritten(text, captures);
  const shown = new Map<number, { line: string; carets: string }>();
  for (const mark of [...marks].sort((a, b) => a.start - b.start)) {
    const range = place(mark);
    const before = written.slice(0, range.start);
    const number = before.split("\n").length;
    const column = range.start - (before.lastIndexOf("\n") + 1);
    const line = written.split("\n")[number - 1] ?? "";
    const length = Math.max(1, Math.min(range.end - range.start, line.length - column));
    const previous = shown.get(number)?.carets ?? "";
    const padding = line.slice(previous.length, column).replace(/[^\t]/g, " ");
    shown.set(number, { line, carets: `${previous}${padding}${"^".repeat(length)}` });
  }
  const width = String(Math.max(0, ...shown.keys())).length;
  const lines = [...shown].map(([number, { line, carets }]) => {
    const cut = clip(line, carets);
    return `  ${String(number).padStart(width)} | ${cut.line}\n  ${" ".repeat(width)} | ${cut.carets}`;
  });
  return `${what}\n\n${lines.join("\n")}\n`;
}

/** The text with each captured name as the notebook's author wrote it, and where the ranges went. */
function asWritten(text: string, captures: readonly Capture[]) {
  const edits = captures
    .flatMap((capture) => capture.uses.map((use) => ({ start: use.start, end: use.end, name: shownName(capture) })))
    .filter((edit) => text.slice(edit.start, edit.end) !== edit.name)
    .sort((a, b) => a.start - b.start);
  let written = "";
  let at = 0;
  const moved: { start: number; end: number; to: Range }[] = [];
  for (const { start, end, name } of edits) {
    if (start < at) continue;
    written += text.slice(at, start);
    moved.push({ start, end, to: { start: written.length, end: written.length + name.length } });
    written += name;
    at = end;
  }
  written += text.slice(at);
  const place = (range: Range): Range => {
    let shift = 0;
    for (const { start, end, to } of moved) {
      if (start === range.start && end === range.end) return to;
      if (end <= range.start) shift = to.end - end;
    }
    return { start: range.start + shift, end: range.end + shift };
  };
  return { written, place };
}

/** The name in the notebook; a default import's own name is lost in compilation, so it goes by its module's. */
export function shownName(capture: Capture): string {
  if (capture.kind === "member" && capture.name === "default")
    return aliasStem(capture.identifier).replace(/^node_/, "");
  return capture.name;
}

/** `stats` for `stats_1`: TypeScript makes the alias from the module's file name. */
export function aliasStem(alias: string): string {
  return alias.replace(/_\d+$/, "").replace(/^import_/, "");
}

function clip(line: string, carets: string): { line: string; carets: string } {
  if (line.length <= LINE_WIDTH) return { line, carets };
  const start = Math.max(0, carets.indexOf("^") - 40);
  const cut = line.slice(start, start + LINE_WIDTH);
  const lead = start > 0 ? "…" : "";
  const tail = start + LINE_WIDTH < line.length ? "…" : "";
  return { line: `${lead}${cut}${tail}`, carets: `${lead && " "}${carets.slice(start, start + LINE_WIDTH)}` };
}
