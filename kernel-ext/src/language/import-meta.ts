import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type ts from "typescript";
import type { Compiler } from "./compiler";

/**
 * Compiles `import.meta`, which CommonJS has not, to an object with the place of the module; a cell is as good as a file in the
 * notebook's folder.
 * @param module the local module's path; undefined for a cell
 */
export function importMeta(
  compiler: Compiler,
  cwd: string,
  module: string | undefined,
): ts.TransformerFactory<ts.SourceFile> {
  const { factory } = compiler;
  const facts = {
    dirname: module === undefined ? cwd : dirname(module),
    filename: module ?? join(cwd, "cell.ts"),
    url: pathToFileURL(module ?? join(cwd, "cell.ts")).href,
  };
  const literal = () =>
    factory.createObjectLiteralExpression(
      Object.entries(facts).map(([name, value]) =>
        factory.createPropertyAssignment(name, factory.createStringLiteral(value)),
      ),
    );
  return (context) => {
    const visit = (node: ts.Node): ts.Node =>
      compiler.isMetaProperty(node) && node.keywordToken === compiler.SyntaxKind.ImportKeyword
        ? compiler.setTextRange(factory.createParenthesizedExpression(literal()), node)
        : compiler.visitEachChild(node, visit, context);
    return (file) => compiler.visitEachChild(file, visit, context);
  };
}
