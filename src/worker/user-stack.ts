import { PomonaError } from "../errors";
import { withoutSecretLiterals } from "../kernel/secret-literals";
import { type CompiledFunction, codeFile } from "./user-code";

/** Thrown when a user's function throws. `stack` shows the user's own lines; `cause` is what was thrown. */
export class UserFunctionError extends PomonaError {
  readonly functionName: string;

  constructor(functionName: string, message: string, cause: unknown, retryable: boolean) {
    super(message, { cause, retryable });
    this.functionName = functionName;
  }
}

/**
 * What a user's function threw, as an error that shows where in the user's code it happened.
 * @param place where in the data, in words; undefined where what calls the function says it
 */
export function userFunctionError(fn: CompiledFunction, thrown: unknown, place: string | undefined): UserFunctionError {
  const { name } = fn.spec;
  const frames = thrown instanceof Error ? userFrames(fn, thrown.stack ?? "") : [];
  const where = place === undefined ? "" : ` on ${place}`;
  const what = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `threw ${String(thrown)}`;
  const excerpt = excerptOf(frames);
  const message = `${name} failed${where}: ${what}${excerpt ? `\n\n${excerpt}\n` : ""}`;
  const error = new UserFunctionError(name, message, thrown, isWorthRetrying(thrown));
  error.stack = [`${error.name}: ${message}`, ...frames.map((frame) => `    at ${frame.text}`)].join("\n");
  return error;
}

/** A mistake in the program stays one; what may pass, such as a failed download, is tried again. */
function isWorthRetrying(thrown: unknown): boolean {
  if (thrown instanceof PomonaError) return thrown.retryable;
  const isMistake =
    thrown instanceof TypeError ||
    thrown instanceof ReferenceError ||
    thrown instanceof RangeError ||
    thrown instanceof SyntaxError;
  // `fetch` reports a lost connection as a TypeError with a cause.
  return !isMistake || thrown.cause !== undefined;
}

interface Frame {
  readonly text: string;
  readonly own: OwnPlace | undefined;
}

/** A place in the function as its author wrote it; lines and columns from 1. */
interface OwnPlace {
  /** The notebook's cell; the place is in the function's own text where it is undefined. */
  readonly cell: string | undefined;
  readonly line: number;
  readonly column: number;
  /** The line. */
  readonly text: string;
  /** How many columns of it are left of `text`, which are not the user's. */
  readonly lead: number;
}

/** The frames from the throw up to the user's function; what called that is of no use to its author. */
function userFrames(fn: CompiledFunction, stack: string): Frame[] {
  const lines = stack.split("\n").filter((line) => line.startsWith("    at "));
  const file = codeFile(fn.spec);
  const isUsers = (line: string) => line.includes(file) || line.includes("module:");
  const last = lines.map(isUsers).lastIndexOf(true);
  return lines.slice(0, last + 1).map((line) => frameOf(fn, line.slice("    at ".length), file));
}

function frameOf(fn: CompiledFunction, text: string, file: string): Frame {
  const match = /^(.*?\(?)((?:udf|module):.+):(\d+):(\d+)(\)?)$/.exec(text);
  if (!match) return { text, own: undefined };
  const [, before = "", name = "", line = "", column = "", after = ""] = match;
  if (name === file) {
    const own = ownPlace(fn, Number(line), Number(column));
    return { text: own.cell ? `${before}${own.cell}:${own.line}:${own.column}${after}` : text, own };
  }
  const entry = fn.sourceMaps.get(name)?.findEntry(Number(line) - 1, Number(column) - 1);
  if (!entry || !("originalSource" in entry)) return { text, own: undefined };
  const source = `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  return { text: `${before}${source}${after}`, own: undefined };
}

/** @param line of the function's code, as the worker compiled it */
function ownPlace({ spec }: CompiledFunction, line: number, column: number): OwnPlace {
  const text = spec.code.split("\n")[line - 1] ?? "";
  const written = spec.cellOrigin?.lines[line - 1];
  if (written) {
    return {
      cell: spec.cellOrigin?.cell,
      line: written.line,
      column: columnIn(written, text, column),
      text: written.text,
      lead: 0,
    };
  }
  // The text stands in parentheses, and a method in an object, which are not the user's.
  const lead = line === 1 ? (/^\(\{?/.exec(text)?.[0].length ?? 0) : 0;
  return { cell: undefined, line, column, text: text.slice(lead), lead };
}

/** Where on its written line a word of a compiled line is: types are gone from that, so it counts the word's occurrences. */
function columnIn(
  written: { readonly column: number; readonly text: string },
  compiled: string,
  column: number,
): number {
  const word = /^(?:[\p{ID_Continue}$]+|\S)/u.exec(compiled.slice(column - 1))?.[0];
  if (word === undefined) return written.column;
  const before = occurrences(compiled, word).filter((at) => at < column - 1).length;
  const places = occurrences(written.text, word).filter((at) => at >= written.column - 1);
  return (places[before] ?? written.column - 1) + 1;
}

function occurrences(text: string, word: string): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
    const isWhole = !NAME.test(word) || !(NAME.test(text[at - 1] ?? "") || NAME.test(text[at + word.length] ?? ""));
    if (isWhole) found.push(at);
  }
  return found;
}

const NAME = /^[\p{ID_Continue}$]/u;

/** The line of the function where it was last, with a mark. */
function excerptOf(frames: readonly Frame[]): string | undefined {
  const at = frames.find((frame) => frame.own)?.own;
  if (!at) return undefined;
  const before = at.text.slice(0, Math.max(0, at.column - 1 - at.lead));
  const column = withoutSecretLiterals(before).length;
  const start = column > 80 ? column - 40 : 0;
  const cut = withoutSecretLiterals(at.text).slice(start, start + 110);
  const padding = cut.slice(0, column - start).replace(/[^\t]/g, " ");
  const number = String(at.line);
  return `  ${number} | ${cut}\n  ${" ".repeat(number.length)} | ${padding}^`;
}
