import type ts from "typescript";
import type { Compiler } from "./compiler";

/**
 * Compiles `import(x, options)` to `__import__(x, from, options)`, so that Node's own `import()` loads ES modules that `require` can't.
 * @param from the local module's path; undefined for a cell
 */
export function dynamicImports(compiler: Compiler, from: string | undefined): ts.TransformerFactory<ts.SourceFile> {
  const { factory } = compiler;
  return (context) => {
    const visit = (node: ts.Node): ts.Node => {
      const visited = compiler.visitEachChild(node, visit, context);
      if (!compiler.isCallExpression(visited) || visited.expression.kind !== compiler.SyntaxKind.ImportKeyword) {
        return visited;
      }
      const callee = compiler.setTextRange(factory.createIdentifier("__import__"), visited.expression);
      const origin = from === undefined ? factory.createVoidZero() : factory.createStringLiteral(from);
      return factory.updateCallExpression(visited, callee, undefined, [
        ...visited.arguments.slice(0, 1),
        origin,
        ...visited.arguments.slice(1),
      ]);
    };
    return (file) => compiler.visitEachChild(file, visit, context);
  };
}
