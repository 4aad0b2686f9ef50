import type ts from "typescript";
import type { ResultPlace } from "../messages";
import type { Compiler } from "./compiler";
import { SOURCE_PREFIX } from "./tslab-converter";

/** A cell as the compiler is to have it. Every character stands where it stood. */
export interface CellSource {
  readonly text: string;
  /** Errors of syntax, positions as in a file with tslab's prefix; where there are any, the rest is not worth looking at. */
  readonly errors: readonly ts.DiagnosticWithLocation[];
  /** True where it awaits outside of functions: tslab does not notice `for await`, nor `await` before `(`, `[` and the like. */
  readonly awaits: boolean;
  /** What it imports names of, other than types. */
  readonly imports: readonly string[];
  /** Where the last statement stands; undefined for an assignment, which is not there to be looked at. */
  readonly result: ResultPlace | undefined;
}

/** @param fileName of the file that stands for the cell */
export function readCell(compiler: Compiler, source: string, fileName: string): CellSource {
  const file = parseCell(compiler, source, fileName);
  const text = /\bexport\b/.test(source) ? withoutExports(compiler, file, source) : source;
  const last = file.statements.at(-1);
  return {
    // tslab takes the code that a namespace compiles to for the last expression, and it loses its names on the way.
    text: last && compiler.isModuleDeclaration(last) ? `${text}\n;` : text,
    errors: compiler.parseErrorsOf(file),
    awaits: /\bawait\b/.test(source) && awaits(compiler, file),
    imports: file.statements.flatMap((statement) => importedFrom(compiler, statement) ?? []),
    result: resultPlace(compiler, file),
  };
}

function importedFrom(compiler: Compiler, statement: ts.Statement): string | undefined {
  if (!compiler.isImportDeclaration(statement) || !compiler.isStringLiteral(statement.moduleSpecifier))
    return undefined;
  const { importClause, moduleSpecifier } = statement;
  if (!importClause || importClause.isTypeOnly) return undefined;
  const { name, namedBindings } = importClause;
  const isForTypes =
    !name &&
    namedBindings !== undefined &&
    compiler.isNamedImports(namedBindings) &&
    namedBindings.elements.every(({ isTypeOnly }) => isTypeOnly);
  return isForTypes ? undefined : moduleSpecifier.text;
}

function resultPlace(compiler: Compiler, file: ts.SourceFile): ResultPlace | undefined {
  const last = file.statements.at(-1);
  if (!last || isAssignment(compiler, last)) return undefined;
  const { line, character } = file.getLineAndCharacterOfPosition(last.getStart(file));
  // The prefix is the first line.
  const place = { line, column: character + 1 };
  return keepsRows(compiler, last) ? { ...place, isBrief: true } : place;
}

/** `df.cache()`, `await df.unpersist()`: what is meant is the keeping, and the DataFrame that they give is not to be looked at. */
function keepsRows(compiler: Compiler, statement: ts.Statement): boolean {
  if (!compiler.isExpressionStatement(statement)) return false;
  let { expression } = statement;
  while (compiler.isAwaitExpression(expression) || compiler.isParenthesizedExpression(expression)) {
    expression = expression.expression;
  }
  if (!compiler.isCallExpression(expression) || !compiler.isPropertyAccessExpression(expression.expression))
    return false;
  return ["cache", "persist", "unpersist"].includes(expression.expression.name.text);
}

function isAssignment(compiler: Compiler, statement: ts.Statement): boolean {
  if (!compiler.isExpressionStatement(statement) || !compiler.isBinaryExpression(statement.expression)) return false;
  const { FirstAssignment, LastAssignment } = compiler.SyntaxKind;
  const { kind } = statement.expression.operatorToken;
  return kind >= FirstAssignment && kind <= LastAssignment;
}

function awaits(compiler: Compiler, node: ts.Node): boolean {
  if (compiler.isAwaitExpression(node) || (compiler.isForOfStatement(node) && node.awaitModifier)) return true;
  if (compiler.isVariableDeclarationList(node) && isAwaitUsing(compiler, node)) return true;
  if (compiler.isFunctionLike(node)) return false;
  return compiler.forEachChild(node, (child) => awaits(compiler, child) || undefined) === true;
}

function isAwaitUsing(compiler: Compiler, { flags }: ts.VariableDeclarationList): boolean {
  return (flags & compiler.NodeFlags.AwaitUsing) === compiler.NodeFlags.AwaitUsing;
}

/** True where the comments at a cell's head say `@ts-nocheck`, which TypeScript reads at a file's head alone. */
export function isUnchecked(compiler: Compiler, source: string): boolean {
  const comments = compiler.getLeadingCommentRanges(source, 0) ?? [];
  return comments.some(({ pos, end }) => /^\/[/*]+\s*@ts-nocheck\b/.test(source.slice(pos, end)));
}

/** The names that a cell declares at its top. */
export function namesOf(compiler: Compiler, source: string): ReadonlySet<string> {
  const file = parseCell(compiler, source);
  compiler.bindSourceFile(file, {});
  return new Set([...(compiler.localsOf(file)?.keys() ?? [])].map(String));
}

/** Parses a cell as a module, so that `await` is what it is at the top of one. */
export function parseCell(compiler: Compiler, source: string, fileName = "cell.ts"): ts.SourceFile {
  const { Latest } = compiler.ScriptTarget;
  return compiler.createSourceFile(fileName, SOURCE_PREFIX + source, Latest, true, compiler.ScriptKind.TS);
}

/** A cell's declarations are all in scope of later ones, so that `export` before them says nothing more. */
function withoutExports(compiler: Compiler, file: ts.SourceFile, source: string): string {
  let text = source;
  const put = (start: number, end: number, by: string) => {
    const at = start - SOURCE_PREFIX.length;
    const length = end - start;
    text = text.slice(0, at) + by.padEnd(length) + text.slice(at + length);
  };
  for (const statement of file.statements.slice(1)) {
    const start = statement.getStart(file);
    if (compiler.isExportDeclaration(statement)) {
      const { moduleSpecifier, exportClause } = statement;
      if (!moduleSpecifier) blank(statement.getStart(file), statement.end);
      else if (exportClause) put(start, start + "export".length, "import");
    } else if (compiler.isExportAssignment(statement) && !statement.isExportEquals) {
      put(start, statement.expression.getStart(file), "");
    } else {
      for (const modifier of exportModifiers(compiler, statement)) put(modifier.getStart(file), modifier.end, "");
    }
  }
  return text;

  function blank(start: number, end: number): void {
    put(start, end, file.text.slice(start, end).replace(/\S/g, " "));
  }
}

function exportModifiers(compiler: Compiler, statement: ts.Statement): readonly ts.Modifier[] {
  const modifiers = compiler.canHaveModifiers(statement) ? (compiler.getModifiers(statement) ?? []) : [];
  const { DefaultKeyword, ExportKeyword } = compiler.SyntaxKind;
  const isDefault = modifiers.some(({ kind }) => kind === DefaultKeyword);
  // A default export without a name can't be a statement of its own.
  if (isDefault && !(statement as { name?: ts.Node }).name) return [];
  return modifiers.filter(({ kind }) => kind === ExportKeyword || kind === DefaultKeyword);
}
