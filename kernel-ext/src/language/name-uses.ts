import { createHash } from "node:crypto";
import type ts from "typescript";
import type { CellUses, FunctionUses } from "../messages";
import type { Compiler } from "./compiler";

/** Notes what a cell does with the notebook's names, while `notebook-names.ts` finds each reference to one. */
export interface NameUses {
  /** A reference to a name of the notebook. */
  used(name: ts.Identifier): void;
  /** Visits a node: within a function that a name holds, what is used is used when that is called. */
  within<T>(node: ts.Node, visit: () => T): T;
  /** @param declared the names of the cell's top */
  all(declared: ReadonlySet<string>): CellUses;
}

/** @param file a cell as JavaScript, with the parser's tree */
export function nameUses(compiler: Compiler, file: ts.SourceFile): NameUses {
  const { SyntaxKind } = compiler;
  const held = new Map<ts.Node, string>();
  const reads = new Set<string>();
  const writes = new Set<string>();
  const functions = new Map<string, { readonly reads: Set<string>; readonly writes: Set<string> }>();
  const imports: string[] = [];
  const texts: Record<string, string> = {};
  /** Names that a statement of the cell's top gave a value, and where it ends. */
  const assigned = new Map<string, number>();
  /** The name whose function is visited. */
  let holder: string | undefined;
  /** Within it, what runs when it is made: a class's base and static members. */
  let isAtOnce = false;

  const hold = (name: string, value: ts.Node) => {
    for (const each of functionsIn(value)) held.set(each, name);
    if (isFixed(value)) texts[name] = digest(value.getText(file));
  };
  for (const statement of file.statements) {
    if (compiler.isFunctionDeclaration(statement) || compiler.isClassDeclaration(statement)) {
      if (statement.name) hold(statement.name.text, statement);
    } else if (compiler.isVariableStatement(statement)) {
      for (const { name, initializer } of statement.declarationList.declarations)
        if (initializer && compiler.isIdentifier(name)) hold(name.text, initializer);
    } else if (compiler.isImportDeclaration(statement)) {
      const { name, namedBindings } = statement.importClause ?? {};
      if (name) imports.push(name.text);
      if (namedBindings && compiler.isNamespaceImport(namedBindings)) imports.push(namedBindings.name.text);
      else for (const each of namedBindings?.elements ?? []) imports.push(each.name.text);
    } else if (compiler.isExpressionStatement(statement)) {
      const { expression } = statement;
      if (isPlainAssignment(expression) && compiler.isIdentifier(expression.left))
        hold(expression.left.text, expression.right);
    }
  }

  return {
    used(node) {
      const name = node.text;
      const access = accessOf(node);
      const own = holder === undefined ? undefined : functions.get(holder);
      if (own) {
        if (access !== "write") own.reads.add(name);
        if (access !== "read") own.writes.add(name);
        if (!isAtOnce) return;
      }
      if (access !== "read") writes.add(name);
      if (access === "write") {
        const statement = statementOf(node);
        if (statement && !assigned.has(name)) assigned.set(name, statement.end);
      } else if (node.pos < (assigned.get(name) ?? Number.POSITIVE_INFINITY)) reads.add(name);
    },
    within(node, visit) {
      const name = held.get(node);
      const outer = { holder, isAtOnce };
      if (name !== undefined && holder === undefined) {
        holder = name;
        if (!functions.has(name)) functions.set(name, { reads: new Set(), writes: new Set() });
      } else if (holder === undefined || !runsWithClass(node)) return visit();
      else if (held.get(node.parent) === holder) isAtOnce = true;
      try {
        return visit();
      } finally {
        ({ holder, isAtOnce } = outer);
      }
    },
    all(declared) {
      const made: Record<string, FunctionUses> = {};
      for (const [name, uses] of functions) made[name] = { reads: [...uses.reads], writes: [...uses.writes] };
      const isOthers = (name: string) => !declared.has(name) || functions.has(name);
      return {
        declares: [...declared],
        reads: [...reads].filter(isOthers),
        writes: [...writes].filter((name) => !declared.has(name)),
        functions: made,
        imports,
        texts,
      };
    },
  };

  /** The functions and classes that a value is, or has as members. */
  function functionsIn(value: ts.Node): ts.Node[] {
    if (compiler.isFunctionLike(value) || compiler.isClassLike(value)) return [value];
    if (compiler.isParenthesizedExpression(value)) return functionsIn(value.expression);
    if (compiler.isPropertyAssignment(value)) return functionsIn(value.initializer);
    if (compiler.isObjectLiteralExpression(value)) return value.properties.flatMap(functionsIn);
    if (compiler.isArrayLiteralExpression(value)) return value.elements.flatMap(functionsIn);
    return [];
  }

  /** True for a function or class, which the same text makes again. */
  function isFixed(value: ts.Node): boolean {
    if (compiler.isParenthesizedExpression(value)) return isFixed(value.expression);
    if (compiler.isClassLike(value)) return value.heritageClauses === undefined && !value.members.some(runsWithClass);
    return compiler.isFunctionLike(value);
  }

  function runsWithClass(node: ts.Node): boolean {
    if (compiler.isHeritageClause(node) || compiler.isClassStaticBlockDeclaration(node)) return true;
    if (!compiler.isPropertyDeclaration(node)) return false;
    return node.modifiers?.some(({ kind }) => kind === SyntaxKind.StaticKeyword) === true;
  }

  function accessOf(node: ts.Identifier): "read" | "write" | "both" {
    if (!compiler.isAssignmentTarget(node)) return "read";
    const { parent } = node;
    const isUpdate = compiler.isPrefixUnaryExpression(parent) || compiler.isPostfixUnaryExpression(parent);
    return isUpdate || (compiler.isBinaryExpression(parent) && !isPlainAssignment(parent)) ? "both" : "write";
  }

  /** The assignment of the cell's top that this is a target of. */
  function statementOf(node: ts.Node): ts.Node | undefined {
    let at = node.parent;
    while (!compiler.isStatement(at)) {
      if (compiler.isFunctionLike(at)) return undefined;
      at = at.parent;
    }
    const isDone = compiler.isExpressionStatement(at) && isPlainAssignment(at.expression);
    return isDone && compiler.isSourceFile(at.parent) ? at : undefined;
  }

  function isPlainAssignment(node: ts.Node): node is ts.BinaryExpression {
    return compiler.isBinaryExpression(node) && node.operatorToken.kind === SyntaxKind.EqualsToken;
  }
}

function digest(text: string): string {
  return createHash("sha1").update(text).digest("base64url");
}
