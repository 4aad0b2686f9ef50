import { relative } from "node:path";
import type ts from "typescript";
import type { Diagnostic } from "../messages";
import type { Compiler } from "./compiler";
import { ANY_FRAME } from "./frame-variables";
import { explainedSpan, withHint } from "./hints";
import { pythonSyntax } from "./python-syntax";

/** More than these help nobody. */
const MOST = 50;

/** Where the user's text of a file is. */
export interface Placing {
  readonly cwd: string;
  /** The file that stands for the cell. */
  readonly cellFile: string;
  /** Names that earlier cells declare. */
  earlier(): ReadonlySet<string>;
  /** Characters and lines before the user's text. */
  before(path: string): { readonly characters: number; readonly lines: number };
  /** The length of the user's text, where more follows that is not theirs. */
  length(path: string): number | undefined;
}

/** TypeScript's errors as the user sees them, those of the cell first. */
export function diagnosticsOf(compiler: Compiler, found: readonly ts.Diagnostic[], placing: Placing): Diagnostic[] {
  const own = found.filter(({ file, category }) => file && category === compiler.DiagnosticCategory.Error);
  const isCell = ({ file }: ts.Diagnostic) => file?.fileName === placing.cellFile;
  const python = foreignLine(own.filter(isCell) as ts.DiagnosticWithLocation[]);
  if (python) return [{ ...diagnosticOf(compiler, python.at, placing), message: python.hint }];
  return withoutCovered(compiler, [
    ...own.filter(isCell),
    ...own.filter((each) => !isCell(each)),
  ] as ts.DiagnosticWithLocation[])
    .slice(0, MOST)
    .map((each) => diagnosticOf(compiler, each, placing));
}

/** TypeScript's errors about syntax. */
const isSyntax = (code: number) => code >= 1000 && code < 2000;
const UNTERMINATED = new Set([1002, 1160]);

/**
 * The first line with an error of syntax, where it is Python's or a shell's: the errors that follow come from it. `!ls` is
 * right by its syntax.
 */
function foreignLine(
  found: readonly ts.DiagnosticWithLocation[],
): { readonly at: ts.DiagnosticWithLocation; readonly hint: string } | undefined {
  const syntax = found.filter(({ code }) => isSyntax(code));
  const [first] = (syntax.length > 0 ? [...syntax] : [...found]).sort((a, b) => a.start - b.start);
  if (!first || UNTERMINATED.has(first.code)) return undefined;
  const { text } = first.file;
  const line = text.slice(text.lastIndexOf("\n", first.start - 1) + 1).split("\n", 1)[0] ?? "";
  if (syntax.length === 0 && !/^\s*![a-z][\w.-]*(\s+[\w./-]+)*\s*$/.test(line)) return undefined;
  const hint = pythonSyntax(line.replace(/\r$/, ""));
  return hint === undefined ? undefined : { at: first, hint };
}

/** Without the errors inside of another one that a hint explains whole. */
function withoutCovered(
  compiler: Compiler,
  found: readonly ts.DiagnosticWithLocation[],
): readonly ts.DiagnosticWithLocation[] {
  const explained: { readonly file: ts.SourceFile; readonly start: number; readonly end: number }[] = [];
  return found.filter((each) => {
    const { file, start, length } = each;
    const isCovered = explained.some((span) => span.file === file && span.start <= start && start + length <= span.end);
    // The hint names the parts as they are: what is wrong with them is told beside.
    if (isCovered && each.code !== NO_PROPERTY) return false;
    const span = explainedSpan(compiler, each);
    if (span) explained.push({ file, ...span });
    return true;
  });
}

const NO_PROPERTY = 2339;

function diagnosticOf(compiler: Compiler, found: ts.DiagnosticWithLocation, placing: Placing): Diagnostic {
  const { fileName, text } = found.file;
  const { characters, lines } = placing.before(fileName);
  const end = characters + (placing.length(fileName) ?? text.length - characters);
  // An error at the end of a text is at its last line's end, not beyond it.
  const start = Math.min(Math.max(found.start, characters), end);
  const { line, character } = compiler.getLineAndCharacterOfPosition(found.file, start);
  const lineEnd = /\r?\n|$/.exec(text.slice(start))?.index ?? 0;
  return {
    file: fileName === placing.cellFile ? undefined : relative(placing.cwd, fileName),
    line: line + 1 - lines,
    column: character + 1,
    length: Math.max(1, Math.min(found.length, lineEnd, end - start)),
    message: withHint(
      compiler,
      compiler.flattenDiagnosticMessageText(found.messageText, "\n").replaceAll(ANY_FRAME, "DataFrame<any>"),
      found,
      placing.earlier(),
    ),
    code: found.code,
  };
}
