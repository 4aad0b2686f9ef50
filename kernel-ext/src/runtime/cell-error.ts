import { inspect, types } from "node:util";
import { PomonaError, withoutSecretLiterals } from "pomona/kernel";
import type { Diagnostic, ErrorContent, Position } from "../messages";
import { asWritten, type Frame, isOwnFrame, stackFrames } from "./stack-traces";

const RED = "\x1b[31m";
const BOLD = "\x1b[1m";
const DIM = "\x1b[2m";
const RESET = "\x1b[0m";

/** What ends a cell that the user interrupts; loops of cells throw it. */
export class KeyboardInterrupt extends Error {
  override readonly name = "KeyboardInterrupt";
  constructor() {
    super("The cell was interrupted.");
  }
}

/** What `process.exit` throws in a cell. */
export class SystemExit extends Error {
  override readonly name = "SystemExit";
  constructor(readonly code: number | string | null | undefined) {
    super(
      `process.exit(${code ?? ""}) ends the cell, not the kernel. To end the kernel, shut it down or restart it from the Kernel menu.`,
    );
  }
}

/** A failed cell, in the form in which clients get it. */
export class CellFailure extends Error {
  constructor(readonly content: ErrorContent) {
    super(content.evalue);
  }
}

/** The error that a client shows for a cell that the user interrupted: one line, without a trace. */
function interruptContent(detail = ""): ErrorContent {
  const evalue = `The cell was interrupted.${detail}`;
  return { ename: "KeyboardInterrupt", evalue, traceback: [`${RED}${BOLD}KeyboardInterrupt${RESET}: ${evalue}`] };
}

/**
 * The error that a client shows for what a cell threw, which may be anything, even what throws when it is read.
 * @param wasInterrupted whether the user interrupted the cell, which is then why it threw
 */
export function errorContent(thrown: unknown, wasInterrupted = false): ErrorContent {
  try {
    const { ename, evalue, traceback } = contentOf(thrown, wasInterrupted);
    return { ename: shortened(ename), evalue: shortened(evalue), traceback: traceback.map(shortened) };
  } catch {
    const evalue = "What the cell threw can't be shown: it throws when it is read.";
    return { ename: "Thrown", evalue, traceback: [`${RED}${BOLD}Thrown${RESET}: ${evalue}`] };
  }
}

/** Characters of a text; a message has to fit into a string, and a notebook holds it. */
const MOST_CHARACTERS = 100_000;

function shortened(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text;
  return `${text.slice(0, MOST_CHARACTERS)}... ${(text.length - MOST_CHARACTERS).toLocaleString("en-US")} more characters`;
}

function contentOf(thrown: unknown, wasInterrupted: boolean): ErrorContent {
  if (wasInterrupted) {
    const isCancelled = thrown instanceof Error && thrown.name === "CancelledError";
    return interruptContent(isCancelled ? " Its job was cancelled; nothing half-written is visible." : "");
  }
  if (thrown instanceof CellFailure) return thrown.content;
  if (isInterrupt(thrown)) return interruptContent();
  if (thrown instanceof SystemExit) {
    // The exit code alone, as in IPython: papermill takes "0" for a notebook that ends early on purpose.
    const evalue = String(thrown.code ?? 0);
    return { ename: "SystemExit", evalue, traceback: [`${RED}${BOLD}SystemExit${RESET}: ${evalue}`, thrown.message] };
  }
  if (!isError(thrown)) {
    const evalue = inspect(thrown, { depth: 4, maxStringLength: 2000 });
    const hint = "A value that is not an error was thrown, so it has no stack.";
    return { ename: "Thrown", evalue, traceback: [`${RED}${BOLD}Thrown${RESET}: ${evalue}`, `${DIM}${hint}${RESET}`] };
  }
  const ename = nameOf(thrown);
  const evalue = asWritten(String(thrown.message));
  return { ename, evalue, traceback: linesOf(thrown, new Set()) };
}

/** A place in the text of a cell or a module. */
interface TextPlace extends Position {
  readonly source: { readonly shown: string; readonly source: string };
}

const places = new WeakMap<object, TextPlace>();

/** Says what line an error is shown at whose stack has none of the user's. */
export function placeError(error: unknown, place: TextPlace): void {
  if (isError(error)) places.set(error, place);
}

/** Has what becomes of work, such as a job, shown at the line that began it: it fails where none of the user's code is in the stack. */
export function placeFailure(work: Promise<unknown>): void {
  const begun = new Error("begun here");
  work.catch((error: unknown) => {
    const place = stackFrames(begun).find((frame) => frame.place)?.place;
    if (place) placeError(error, place);
  });
}

/** True for what a loop's guard throws, and for what Node ends a script with on SIGINT. */
function isInterrupt(thrown: unknown): boolean {
  const code = (thrown as { code?: unknown } | null | undefined)?.code;
  return thrown instanceof KeyboardInterrupt || code === "ERR_SCRIPT_EXECUTION_INTERRUPTED";
}

/** The one error that a client shows for what TypeScript found wrong with a cell. */
export function diagnosticsContent(
  diagnostics: readonly Diagnostic[],
  cell: { readonly shown: string; readonly source: string },
  readFile: (file: string) => string | undefined,
): ErrorContent {
  const blocks = diagnostics.map((diagnostic) => {
    const { file, line, column, length, message, code } = diagnostic;
    const source = file === undefined ? cell.source : readFile(file);
    const where = `${file ?? cell.shown}:${line}:${column}`;
    const excerpt = source === undefined ? [] : excerptOf(source, line, column, length);
    return [
      `${RED}${BOLD}TypeScriptError${RESET}: ${message} ${DIM}(TS${code})${RESET}`,
      `${DIM}${where}${RESET}`,
      ...excerpt,
    ].join("\n");
  });
  const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : "";
  return {
    ename: "TypeScriptError",
    evalue: `${diagnostics[0]?.message ?? "The cell can't be compiled."}${more}`,
    traceback: blocks,
  };
}

/** Some lines of a text around one that is marked. Lines and columns from 1. */
function excerptOf(source: string, line: number, column: number, length: number): string[] {
  const lines = withoutSecretLiterals(source).split("\n");
  const before = source.split("\n")[line - 1]?.slice(0, column - 1) ?? "";
  column += withoutSecretLiterals(before).length - before.length;
  const first = Math.max(1, line - 2);
  const last = Math.min(lines.length, line + 1);
  const width = String(last).length;
  const shown: string[] = [];
  for (let n = first; n <= last; n++) {
    const text = (lines[n - 1] ?? "").replace(/\r$/, "");
    const number = String(n).padStart(width);
    const cut = cutAround(text, column);
    if (n !== line) {
      shown.push(`${DIM}  ${number} |${RESET} ${cut.text}`);
      continue;
    }
    const marks = "^".repeat(Math.max(1, Math.min(length, text.length - column + 1)));
    shown.push(`${RED}> ${number} |${RESET} ${cut.text}`);
    shown.push(`  ${" ".repeat(width)} | ${" ".repeat(cut.column - 1)}${RED}${marks}${RESET}`);
  }
  return shown;
}

const EXCERPT_WIDTH = 120;

/** A part of a long line that has the column in it, and the column within it. Tabs become spaces, so that marks stand right. */
function cutAround(line: string, column: number): { text: string; column: number } {
  const text = line.replaceAll("\t", " ");
  if (text.length <= EXCERPT_WIDTH) return { text, column };
  const start = Math.max(0, Math.min(column - 1 - EXCERPT_WIDTH / 2, text.length - EXCERPT_WIDTH));
  return { text: text.slice(start, start + EXCERPT_WIDTH), column: column - start };
}

function linesOf(error: Error, seen: Set<unknown>): string[] {
  seen.add(error);
  const frames = stackFrames(error);
  const header = `${RED}${BOLD}${nameOf(error)}${RESET}: ${asWritten(String(error.message))}`;
  const at = frames.find(({ place }) => place)?.place ?? places.get(error);
  const lines = [header];
  if (at) {
    const { source, line, column } = at;
    const length = wordAt(source.source, line, column);
    lines.push(
      [`${DIM}${source.shown}, line ${line}${RESET}`, ...excerptOf(source.source, line, column, length)].join("\n"),
    );
  }
  const fields = fieldsOf(error);
  if (fields !== undefined) lines.push(`${DIM}${fields}${RESET}`);
  const trace = traceOf(error, frames, seen.size > 1);
  if (trace.length > 1 || (trace.length === 1 && !at)) lines.push(trace.join("\n"));
  if (error instanceof AggregateError) {
    for (const part of error.errors.slice(0, 5)) lines.push(...nested("One of them", part, seen));
  }
  if (error.cause !== undefined && error.cause !== null) lines.push(...nested("Caused by", error.cause, seen));
  return lines;
}

/** What an error of Node or of a library says beside its message, such as `code`. The package's own say all in the message. */
function fieldsOf(error: Error): string | undefined {
  if (error instanceof PomonaError) return undefined;
  const own = Object.entries(Object.getOwnPropertyDescriptors(error)).filter(
    ([name, { enumerable, value }]) =>
      enumerable && !SHOWN.has(name) && value !== undefined && typeof value !== "function",
  );
  if (own.length === 0) return undefined;
  const fields = Object.fromEntries(own.map(([name, { value }]) => [name, value]));
  return inspect(fields, { depth: 2, maxStringLength: 500, maxArrayLength: 20, breakLength: 120 });
}

const SHOWN: ReadonlySet<string> = new Set(["name", "message", "stack", "cause", "errors"]);

function traceOf(error: Error, frames: readonly Frame[], isInner: boolean): string[] {
  // An error from another thread or machine has its stack as text.
  if (frames.length === 0) return foreignStack(error);
  // The package's own errors say what to do; its insides, as of a magic, say nothing more to who wrote none of the code.
  const isUsers = frames.some(({ place }) => place);
  if (error instanceof PomonaError && !isUsers) return [];
  // Of the package's own stacks the outermost is enough to report a fault by.
  return frames.filter(({ text }) => isUsers || !isInner || !isOwnFrame(text)).map(frameLine);
}

function nested(label: string, thrown: unknown, seen: Set<unknown>): string[] {
  if (seen.has(thrown) || seen.size > 8) return [];
  if (!isError(thrown)) return [`${label}: ${inspect(thrown, { depth: 2, maxStringLength: 2000 })}`];
  const [first = "", ...rest] = linesOf(thrown, seen);
  return [`${label} ${first}`, ...rest];
}

function frameLine({ text, place }: Frame): string {
  return place ? `    at ${text}` : `${DIM}    at ${text}${RESET}`;
}

function foreignStack(error: Error): string[] {
  const stack = typeof error.stack === "string" ? error.stack : "";
  const lines = stack.split("\n").filter((line) => /^\s+at /.test(line));
  const users = lines.filter((line) => !isOwnFrame(line));
  // A fault of the package's own is reported by its stack.
  return users.length > 0 || error instanceof PomonaError ? users : lines;
}

/** How many characters the name or number at a place has. */
function wordAt(source: string, line: number, column: number): number {
  const text = source.split("\n")[line - 1]?.slice(column - 1) ?? "";
  return /^[\p{L}\p{N}_$]+/u.exec(text)?.[0].length ?? 1;
}

/** True for errors of other realms and threads too. */
function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error;
}

function nameOf(error: Error): string {
  const name = typeof error.name === "string" && error.name !== "" ? error.name : "Error";
  // A class without a `name` of its own inherits "Error".
  const className = error.constructor?.name;
  return name === "Error" && className ? className : name;
}
