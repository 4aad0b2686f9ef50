import type ts from "typescript";
import type { Compiler } from "./compiler";

/**
 * Finds each use of an earlier cell's name, for the second step of compilation (`notebook-names.ts`). tslab would make it
 * `exports.name` after TypeScript's own transforms, but leaves `{ lut }` as it is, and rewrites names of properties too where an
 * earlier cell declares their type. So this runs before: what it puts in place has no symbol any more, and tslab leaves it alone.
 * @param used takes the names
 */
export function earlierVariables(
  compiler: Compiler,
  checker: ts.TypeChecker,
  declarations: ts.SourceFile,
  used: Set<string>,
): ts.TransformerFactory<ts.SourceFile> {
  const { factory } = compiler;
  const earlier = (compiler.localsOf(declarations) ?? new Map()) as ReadonlyMap<ts.__String, ts.Symbol>;

  const isEarlier = (identifier: ts.Identifier, symbol: ts.Symbol | undefined) =>
    symbol !== undefined && earlier.get(identifier.escapedText) === symbol;

  /** Names that tslab would take for a cell's variable: of properties, and of globals, that an earlier cell declares. */
  const isDeclaredEarlier = (symbol: ts.Symbol | undefined) =>
    symbol?.declarations?.some((declaration) => declaration.getSourceFile() === declarations) === true;

  const plain = (identifier: ts.Identifier) =>
    compiler.setTextRange(factory.createIdentifier(identifier.text), identifier);

  const noted = (identifier: ts.Identifier) => {
    used.add(identifier.text);
    return plain(identifier);
  };

  return (context) => {
    const visit = (node: ts.Node): ts.Node => {
      if (compiler.isIdentifier(node)) return visitIdentifier(node);
      if (compiler.isShorthandPropertyAssignment(node)) return visitShorthand(node);
      if (isWithoutValues(node)) return node;
      return compiler.visitEachChild(node, visit, context);
    };

    const visitIdentifier = (node: ts.Identifier): ts.Node => {
      const isExpression = compiler.isExpressionNode(node);
      if (!isExpression && !isPropertyName(node)) return node;
      const symbol = checker.getSymbolAtLocation(node);
      if (isExpression && isEarlier(node, symbol)) return noted(node);
      return isDeclaredEarlier(symbol) ? plain(node) : node;
    };

    const visitShorthand = (node: ts.ShorthandPropertyAssignment): ts.Node => {
      if (!isEarlier(node.name, checker.getShorthandAssignmentValueSymbol(node))) {
        return compiler.visitEachChild(node, visit, context);
      }
      const initial = node.objectAssignmentInitializer;
      const made = factory.createShorthandPropertyAssignment(
        noted(node.name),
        initial && (visit(initial) as ts.Expression),
      );
      return compiler.setTextRange(made, node);
    };

    return (file) => compiler.visitEachChild(file, visit, context);
  };

  function isPropertyName({ parent }: ts.Identifier): boolean {
    return compiler.isBindingElement(parent) || compiler.isPropertyAssignment(parent);
  }

  /** Types, and statements that are about names alone. */
  function isWithoutValues(node: ts.Node): boolean {
    if (compiler.isExpressionWithTypeArguments(node)) return !compiler.isExpressionNode(node.expression);
    return (
      compiler.isTypeNode(node) ||
      compiler.isTypeParameterDeclaration(node) ||
      compiler.isInterfaceDeclaration(node) ||
      compiler.isTypeAliasDeclaration(node) ||
      compiler.isImportDeclaration(node) ||
      compiler.isExportDeclaration(node)
    );
  }
}
