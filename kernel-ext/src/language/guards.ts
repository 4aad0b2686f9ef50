import type ts from "typescript";
import type { Compiler } from "./compiler";

/**
 * Puts `__stop__(n);` at the start of every loop's and function's body, which throws once execution n was interrupted.
 * @param execution 0 for a local module, which every execution may call
 */
export function guards(compiler: Compiler, execution: number): ts.TransformerFactory<ts.SourceFile> {
  const { factory } = compiler;
  const guard = () =>
    factory.createExpressionStatement(
      factory.createCallExpression(factory.createIdentifier("__stop__"), undefined, [
        factory.createNumericLiteral(execution),
      ]),
    );
  const guarded = (body: ts.Statement): ts.Block => {
    if (!compiler.isBlock(body)) return factory.createBlock([guard(), body], true);
    const rest = body.statements.findIndex((statement) => !isDirective(compiler, statement));
    const directives = rest < 0 ? body.statements.length : rest;
    const statements = [...body.statements.slice(0, directives), guard(), ...body.statements.slice(directives)];
    return compiler.setTextRange(
      factory.createBlock(compiler.setTextRange(factory.createNodeArray(statements), body.statements), true),
      body,
    );
  };

  return (context) => {
    const visit = (node: ts.Node): ts.Node => withGuard(compiler.visitEachChild(node, visit, context));
    return (file) => compiler.visitEachChild(file, visit, context);
  };

  function withGuard(node: ts.Node): ts.Node {
    if (compiler.isForStatement(node)) {
      const { initializer, condition, incrementor, statement } = node;
      return factory.updateForStatement(node, initializer, condition, incrementor, guarded(statement));
    }
    if (compiler.isForOfStatement(node)) {
      const { awaitModifier, initializer, expression, statement } = node;
      return factory.updateForOfStatement(node, awaitModifier, initializer, expression, guarded(statement));
    }
    if (compiler.isForInStatement(node)) {
      return factory.updateForInStatement(node, node.initializer, node.expression, guarded(node.statement));
    }
    if (compiler.isWhileStatement(node)) {
      return factory.updateWhileStatement(node, node.expression, guarded(node.statement));
    }
    if (compiler.isDoStatement(node)) {
      return factory.updateDoStatement(node, guarded(node.statement), node.expression);
    }
    return withGuardedBody(node);
  }

  function withGuardedBody(node: ts.Node): ts.Node {
    if (!compiler.isFunctionLike(node)) return node;
    const body = (node as { body?: ts.Node }).body;
    if (!body || !compiler.isBlock(body)) return node;
    const block = guarded(body);
    if (compiler.isFunctionDeclaration(node)) {
      const { modifiers, asteriskToken, name, typeParameters, parameters, type } = node;
      return factory.updateFunctionDeclaration(
        node,
        modifiers,
        asteriskToken,
        name,
        typeParameters,
        parameters,
        type,
        block,
      );
    }
    if (compiler.isFunctionExpression(node)) {
      const { modifiers, asteriskToken, name, typeParameters, parameters, type } = node;
      return factory.updateFunctionExpression(
        node,
        modifiers,
        asteriskToken,
        name,
        typeParameters,
        parameters,
        type,
        block,
      );
    }
    if (compiler.isArrowFunction(node)) {
      const { modifiers, typeParameters, parameters, type, equalsGreaterThanToken } = node;
      return factory.updateArrowFunction(
        node,
        modifiers,
        typeParameters,
        parameters,
        type,
        equalsGreaterThanToken,
        block,
      );
    }
    if (compiler.isMethodDeclaration(node)) {
      const { modifiers, asteriskToken, name, questionToken, typeParameters, parameters, type } = node;
      return factory.updateMethodDeclaration(
        node,
        modifiers,
        asteriskToken,
        name,
        questionToken,
        typeParameters,
        parameters,
        type,
        block,
      );
    }
    if (compiler.isConstructorDeclaration(node)) {
      return factory.updateConstructorDeclaration(node, node.modifiers, node.parameters, block);
    }
    if (compiler.isGetAccessorDeclaration(node)) {
      return factory.updateGetAccessorDeclaration(node, node.modifiers, node.name, node.parameters, node.type, block);
    }
    if (compiler.isSetAccessorDeclaration(node)) {
      return factory.updateSetAccessorDeclaration(node, node.modifiers, node.name, node.parameters, block);
    }
    return node;
  }
}

function isDirective(compiler: Compiler, statement: ts.Statement): boolean {
  return compiler.isExpressionStatement(statement) && compiler.isStringLiteral(statement.expression);
}

/**
 * Compiles `import(x)` to `__import__(x, from)`, so that Node's own `import()` loads ES modules that `require` can't.
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
      return factory.updateCallExpression(visited, callee, undefined, [...visited.arguments.slice(0, 1), origin]);
    };
    return (file) => compiler.visitEachChild(file, visit, context);
  };
}
