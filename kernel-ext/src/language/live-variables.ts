import type ts from "typescript";
import type { Compiler } from "./compiler";

/** What a cell's compiled code exports, by name. */
export interface Exported {
  /** Variables that stay the cell's own and that later cells reach by accessors. */
  readonly live: Set<string>;
  /** All others: constants, functions, classes, imports. */
  readonly copied: Set<string>;
}

/**
 * Exports a cell's `let` and `var` by accessors instead of copies: a later cell's `threshold = 0.9` is then seen by this
 * cell's functions, and a loop that counts a variable up does not write it into `exports` each time.
 * @param exported takes the names
 */
export function liveVariables(compiler: Compiler, exported: Exported): ts.TransformerFactory<ts.SourceFile> {
  const { factory } = compiler;
  return () => (file) => {
    const listed = new Set(file.statements.flatMap((statement) => exportedNames(statement)));
    const statements = file.statements.flatMap((statement) => {
      const names = variableNames(statement).filter((name) => listed.has(name));
      for (const name of names) exported.live.add(name);
      return [statement, ...names.map(accessor)];
    });
    for (const name of listed) if (!exported.live.has(name)) exported.copied.add(name);
    return factory.updateSourceFile(file, statements.map(withoutLive));
  };

  function exportedNames(statement: ts.Statement): string[] {
    if (!compiler.isExportDeclaration(statement) || statement.moduleSpecifier) return [];
    const { exportClause } = statement;
    if (!exportClause || !compiler.isNamedExports(exportClause)) return [];
    return exportClause.elements.map(({ name }) => name.text);
  }

  function variableNames(statement: ts.Statement): string[] {
    if (!compiler.isVariableStatement(statement)) return [];
    const { flags, declarations } = statement.declarationList;
    return flags & compiler.NodeFlags.Const ? [] : declarations.flatMap(({ name }) => bound(name));
  }

  function bound(name: ts.BindingName): string[] {
    if (compiler.isIdentifier(name)) return [name.text];
    return [...name.elements].flatMap((element) => (compiler.isBindingElement(element) ? bound(element.name) : []));
  }

  function withoutLive(statement: ts.Statement): ts.Statement {
    if (exportedNames(statement).length === 0) return statement;
    const list = statement as ts.ExportDeclaration & { readonly exportClause: ts.NamedExports };
    const elements = list.exportClause.elements.filter(({ name }) => !exported.live.has(name.text));
    const clause = factory.updateNamedExports(list.exportClause, elements);
    return factory.updateExportDeclaration(list, list.modifiers, false, clause, undefined, undefined);
  }

  /** `Object.defineProperty(exports, "n", { enumerable: true, configurable: true, get: () => n, set: (value) => { n = value; } })` */
  function accessor(name: string): ts.Statement {
    const variable = () => factory.createIdentifier(name);
    const given = name === "value" ? "given" : "value";
    const parameter = factory.createParameterDeclaration(undefined, undefined, given);
    const assign = factory.createExpressionStatement(
      factory.createAssignment(variable(), factory.createIdentifier(given)),
    );
    const arrow = (parameters: ts.ParameterDeclaration[], body: ts.ConciseBody) =>
      factory.createArrowFunction(undefined, undefined, parameters, undefined, undefined, body);
    const attributes = {
      enumerable: factory.createTrue(),
      configurable: factory.createTrue(),
      get: arrow([], variable()),
      set: arrow([parameter], factory.createBlock([assign])),
    };
    const properties = Object.entries(attributes).map(([key, value]) => factory.createPropertyAssignment(key, value));
    const define = factory.createPropertyAccessExpression(factory.createIdentifier("Object"), "defineProperty");
    return factory.createExpressionStatement(
      factory.createCallExpression(define, undefined, [
        factory.createIdentifier("exports"),
        factory.createStringLiteral(name),
        factory.createObjectLiteralExpression(properties),
      ]),
    );
  }
}

/**
 * Lets copies take the place of accessors of earlier cells, which an assignment would go through. It stands on the first line,
 * which is the compiler's own, so that no position moves.
 */
export function withoutAccessors(code: string, names: readonly string[]): string {
  return names.length === 0 ? code : `${names.map((name) => `delete exports.${name};`).join(" ")} ${code}`;
}
