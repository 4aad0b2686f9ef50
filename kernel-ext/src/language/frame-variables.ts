import type ts from "typescript";
import type { Compiler } from "./compiler";

/**
 * `images = images.withColumn("label", …)`: as in Python, a variable may be assigned a DataFrame of other columns. TypeScript
 * gives a variable one type, that of its first value; where that does not take the new one, the cell is compiled again
 * with the variable as a DataFrame of any columns.
 */
export interface FrameVariable {
  readonly name: string;
  /** Where the cell declares it; undefined where an earlier cell does. */
  readonly position: number | undefined;
  /**
   * What later cells find in it: the type of the one value that the cell assigns at its top, as text; undefined where that is
   * not known.
   */
  readonly type: string | undefined;
}

/** The type of a DataFrame of any columns, by the prelude. */
export const ANY_FRAME = "__AnyFrame__";

/** TypeScript's code for a value whose type a variable does not take. */
const NOT_ASSIGNABLE = 2322;

/**
 * The variables of which a cell's errors say that they don't take another DataFrame.
 * @param program whose `cell` has the errors `found`
 * @param declarations the file of what earlier cells declare
 */
export function reassignedFrames(
  compiler: Compiler,
  program: ts.Program,
  cell: ts.SourceFile,
  declarations: ts.SourceFile | undefined,
  found: readonly ts.Diagnostic[],
): FrameVariable[] {
  const checker = program.getTypeChecker();
  const variables = new Map<ts.Symbol, FrameVariable>();
  for (const { code, file, start } of found) {
    if (code !== NOT_ASSIGNABLE || file !== cell || start === undefined) continue;
    const assignment = assignmentAt(compiler, cell, start);
    const symbol = assignment && checker.getSymbolAtLocation(assignment.left);
    const declared = symbol?.valueDeclaration;
    if (!assignment || !symbol || !declared || !compiler.isVariableDeclaration(declared)) continue;
    const isEarlier = declared.getSourceFile() === declarations;
    if (!isEarlier && (declared.type !== undefined || declared.getSourceFile() !== cell)) continue;
    const type = checker.getTypeAtLocation(assignment.right);
    if (!isFrame(checker.getTypeOfSymbolAtLocation(symbol, assignment.left)) || !isFrame(type)) continue;
    const isOnly = compiler.isSourceFile(assignment.parent.parent) && assignments(compiler, cell, symbol.name) === 1;
    variables.set(symbol, {
      name: symbol.name,
      position: isEarlier ? undefined : declared.name.getStart(cell),
      type: isOnly ? typeText(compiler, checker, type) : undefined,
    });
  }
  return [...variables.values()];
}

function assignmentAt(
  compiler: Compiler,
  cell: ts.SourceFile,
  start: number,
): (ts.BinaryExpression & { readonly left: ts.Identifier }) | undefined {
  const find = (node: ts.Node): ts.Node | undefined => {
    if (start < node.getStart(cell) || start >= node.end) return undefined;
    return compiler.forEachChild(node, find) ?? (node.getStart(cell) === start ? node : undefined);
  };
  const target = find(cell);
  const outer = target?.parent;
  if (!target || !compiler.isIdentifier(target) || !outer || !compiler.isBinaryExpression(outer)) return undefined;
  const isAssignment = outer.left === target && outer.operatorToken.kind === compiler.SyntaxKind.EqualsToken;
  return isAssignment ? (outer as ts.BinaryExpression & { readonly left: ts.Identifier }) : undefined;
}

function isFrame(type: ts.Type): boolean {
  return (
    type.symbol?.name === "DataFrame" &&
    type.getProperty("plan") !== undefined &&
    type.getProperty("runtime") !== undefined
  );
}

function typeText(compiler: Compiler, checker: ts.TypeChecker, type: ts.Type): string | undefined {
  const { NoTruncation, UseFullyQualifiedType, InTypeAlias } = compiler.TypeFormatFlags;
  const text = checker.typeToString(type, undefined, NoTruncation | UseFullyQualifiedType | InTypeAlias);
  return /^import\("[^"]+"\)\.DataFrame</.test(text) ? text : undefined;
}

function assignments(compiler: Compiler, cell: ts.SourceFile, name: string): number {
  let count = 0;
  const visit = (node: ts.Node): void => {
    if (compiler.isIdentifier(node) && node.text === name && isAssigned(compiler, node)) count++;
    compiler.forEachChild(node, visit);
  };
  visit(cell);
  return count;
}

function isAssigned(compiler: Compiler, node: ts.Identifier): boolean {
  const { parent } = node;
  if (!compiler.isBinaryExpression(parent) || parent.left !== node) return false;
  return parent.operatorToken.kind === compiler.SyntaxKind.EqualsToken;
}

/** Gives variables that a cell declares the type of any DataFrame, in its syntax tree: no position moves. */
export function loosen(compiler: Compiler, cell: ts.SourceFile, positions: readonly number[]): void {
  if (positions.length === 0) return;
  const visit = (node: ts.Node): void => {
    if (compiler.isVariableDeclaration(node) && !node.type && positions.includes(node.name.getStart(cell))) {
      const { factory } = compiler;
      const name = factory.createIdentifier(ANY_FRAME);
      const type = factory.createTypeReferenceNode(name);
      (node as { type?: ts.TypeNode }).type = under(node, type);
      under(type, name);
    }
    compiler.forEachChild(node, visit);
  };
  visit(cell);
}

function under<T extends ts.Node>(parent: ts.Node, node: T): T {
  (node as { parent: ts.Node }).parent = parent;
  return node;
}

/** What cells declare, with other types for some of their variables. */
export function withTypes(compiler: Compiler, declarations: string, types: ReadonlyMap<string, string>): string {
  if (types.size === 0) return declarations;
  const file = compiler.createSourceFile("previous.d.ts", declarations, compiler.ScriptTarget.Latest, true);
  const edits = file.statements.flatMap((statement) =>
    compiler.isVariableStatement(statement)
      ? statement.declarationList.declarations.flatMap(({ name, type }) => {
          const other = compiler.isIdentifier(name) ? types.get(name.text) : undefined;
          return type && other !== undefined ? [{ start: type.getStart(file), end: type.end, other }] : [];
        })
      : [],
  );
  return edits.reduceRight(
    (text, { start, end, other }) => text.slice(0, start) + other + text.slice(end),
    declarations,
  );
}
