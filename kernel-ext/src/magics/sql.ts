import type { DataFrame } from "pomona";
import { represent } from "pomona/notebook";
import type { Magic } from "./catalog";
import type { MagicContext } from "./context";
import { MagicUsageError } from "./errors";
import type { MagicCell } from "./parse";

/** Rows that are shown where the magic does not say. */
const USUAL_ROWS = 20;

/** `%%sql`: a query over the session's views and the notebook's DataFrames. @throws AnalysisError with the query's line */
export async function runSql(cell: MagicCell, magic: Magic, context: MagicContext): Promise<void> {
  const rows = rowsOption(cell, magic);
  const output = outputOption(cell, magic);
  // A semicolon ends a statement, and this one is put into another.
  const query = cell.body.replace(/[\s;]+$/, "");
  const session = context.session.get();
  const frames = framesIn(query, context.locals(), session.viewNames());
  const result = session.sql(query, frames);
  try {
    // Before anything is kept: a query that is wrong leaves no variable.
    await result.schema();
    if (output !== undefined) await context.runCell(assignment(output, query, Object.keys(frames)));
    else context.marks.used(query, Object.keys(frames));
    if (!cell.options.has("-q")) context.host.display({ data: await represent(result, { rows }) }, false);
  } catch (error) {
    throw inQuery(error, query);
  }
}

function rowsOption({ options }: MagicCell, magic: Magic): number {
  const given = options.get("-n");
  if (given === undefined) return USUAL_ROWS;
  if (typeof given === "string" && /^\d{1,9}$/.test(given)) return Number(given);
  throw new MagicUsageError(magic, `-n needs a whole number of rows, not ${given}.`);
}

function outputOption({ options }: MagicCell, magic: Magic): string | undefined {
  const given = options.get("-o");
  if (given === undefined) return undefined;
  if (typeof given === "string" && /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(given)) return given;
  throw new MagicUsageError(magic, `-o needs the name of a variable, not ${given}.`);
}

/** The notebook's DataFrames whose names are words of the query. A view of the same name goes first. */
function framesIn(
  query: string,
  locals: Readonly<Record<string, unknown>>,
  views: readonly string[],
): Record<string, DataFrame> {
  const words = new Set(query.toLowerCase().match(/[\p{L}\p{N}_$]+/gu) ?? []);
  const taken = new Set(views.map((name) => name.toLowerCase()));
  const frames: Record<string, DataFrame> = {};
  for (const name of Object.keys(locals)) {
    const lower = name.toLowerCase();
    if (!words.has(lower) || taken.has(lower)) continue;
    const value = locals[name];
    if (isFrame(value)) frames[name] = value;
  }
  return frames;
}

function isFrame(value: unknown): value is DataFrame {
  return typeof value === "object" && value !== null && "plan" in value && "runtime" in value && "showString" in value;
}

/**
 * The variable as TypeScript. Names are written out, `{ images: images }`, since the kernel's compiler loses track of the short
 * form across cells.
 */
function assignment(name: string, query: string, frames: readonly string[]): string {
  const views = frames.map((frame) => `${frame}: ${frame}`).join(", ");
  return `const ${name} = session.sql(${JSON.stringify(query)}${views === "" ? "" : `, { ${views} }`});`;
}

/** DuckDB tells the line of the statement that the query was put into; the user wrote the query. */
function inQuery(error: unknown, query: string): unknown {
  const { AnalysisError } = require("pomona") as typeof import("pomona");
  if (!(error instanceof AnalysisError)) return error;
  const told = error.cause instanceof Error ? error.cause.message : "";
  const place = /\n\nLINE \d+: (?<shown>[^\n]*)\n(?<caret> *\^)/.exec(told)?.groups;
  if (!place) return error;
  const { shown = "", caret = "" } = place;
  // A long line is shown in part, with dots at its cut ends.
  const text = shown.replace(/^\.\.\.|\.\.\.$/g, "");
  const line = query.split("\n").findIndex((candidate) => candidate.includes(text)) + 1;
  if (line === 0) return error;
  const lead = `LINE ${line}: `;
  // DuckDB's caret stands under its own lead, whose number may be longer.
  const column = caret.length - 1 - (/\n\n(LINE \d+: )/.exec(told)?.[1]?.length ?? 0);
  return new AnalysisError(`${error.message}\n\n${lead}${shown}\n${" ".repeat(lead.length + Math.max(0, column))}^`);
}
