import { relative } from "node:path";
import type ts from "typescript";
import type { Diagnostic } from "../messages";
import type { Compiler } from "./compiler";
import { ANY_FRAME } from "./frame-variables";
import { withHint } from "./hints";

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
  return [...own.filter(isCell), ...own.filter((each) => !isCell(each))]
    .slice(0, MOST)
    .map((each) => diagnosticOf(compiler, each as ts.DiagnosticWithLocation, placing));
}

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
