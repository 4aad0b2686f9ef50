import type ts from "typescript";
import type { Compiler } from "./compiler";

/**
 * Puts the file's path in place of a module's name that `paths` or `baseUrl` of a `tsconfig.json` maps, since TypeScript leaves
 * such names for others to find.
 * @param fileOf the user's own file that a name means by them, absolute; undefined for all other names
 */
export function mappedNames(
  compiler: Compiler,
  fileOf: (name: string) => string | undefined,
): ts.TransformerFactory<ts.SourceFile> {
  const { factory } = compiler;
  const mapped = <Node extends ts.Node>(node: Node): Node | ts.StringLiteral => {
    const file = compiler.isStringLiteral(node) ? fileOf(node.text) : undefined;
    return file === undefined ? node : compiler.setTextRange(factory.createStringLiteral(file), node);
  };

  return (context) => {
    const visit = (node: ts.Node): ts.Node => {
      if (compiler.isImportDeclaration(node)) {
        const { modifiers, importClause, moduleSpecifier, attributes } = node;
        return factory.updateImportDeclaration(node, modifiers, importClause, mapped(moduleSpecifier), attributes);
      }
      if (compiler.isExportDeclaration(node) && node.moduleSpecifier) {
        const { modifiers, isTypeOnly, exportClause, moduleSpecifier, attributes } = node;
        const from = mapped(moduleSpecifier);
        return factory.updateExportDeclaration(node, modifiers, isTypeOnly, exportClause, from, attributes);
      }
      const visited = compiler.visitEachChild(node, visit, context);
      if (!compiler.isCallExpression(visited) || !loads(visited)) return visited;
      const [name, ...rest] = visited.arguments;
      return factory.updateCallExpression(
        visited,
        visited.expression,
        undefined,
        name ? [mapped(name), ...rest] : rest,
      );
    };
    return (file) => compiler.visitEachChild(file, visit, context);
  };

  function loads({ expression }: ts.CallExpression): boolean {
    if (compiler.isIdentifier(expression)) return expression.text === "require";
    return expression.kind === compiler.SyntaxKind.ImportKeyword;
  }
}
