import type ts from "typescript";
import type { Compiler } from "./compiler";

/** What the code around a node is. */
interface Scope {
  readonly isAsync: boolean;
  readonly isGenerator: boolean;
  /** The variable that numbers this run of the async function; undefined at a module's top level. */
  readonly frame: string | undefined;
  /** The variable of the `try` whose `catch` or `finally` this is. */
  readonly cleanup: string | undefined;
}

/** A variable that is undefined everywhere, for what has no number. */
const NO_FRAME = "undefined";

const TOP: Scope = { isAsync: true, isGenerator: false, frame: undefined, cleanup: undefined };
const SYNC: Scope = { isAsync: false, isGenerator: false, frame: undefined, cleanup: undefined };

/**
 * Puts guards into a module, by which an interrupt ends what runs; `runtime/flows.ts` says what each does.
 *  - `__stop__(n);` at the start of every loop's and function's body and after each statement that calls something;
 *  - `__stop__.back(n, frame, 0, await __stop__.wait(n, frame, 0, x, __stop__), __stop__)` for `await x`, and the like for `for await`, `yield` and promise chains;
 *  - `const __try1__ = __stop__.here(n);` before each `try`, `enter` and `end` around its `catch` and `finally`.
 *
 * All is one statement on a line or begins and ends in a way that `withoutGuards` (`src/kernel`) finds, since a function's text
 * travels to workers without it.
 * @param execution 0 for a local module, which every execution may call
 */
export function guards(compiler: Compiler, execution: number): ts.TransformerFactory<ts.SourceFile> {
  const { factory, SyntaxKind } = compiler;
  let names = 0;

  const number = (value: number) => factory.createNumericLiteral(value);
  const named = (name: string | undefined) => (name === undefined ? number(0) : factory.createIdentifier(name));
  const method = (name: string) =>
    factory.createPropertyAccessExpression(factory.createIdentifier("__stop__"), factory.createIdentifier(name));
  const call = (callee: ts.Expression, args: ts.Expression[]) =>
    factory.createCallExpression(callee, undefined, [number(execution), ...args]);
  const guard = () => factory.createExpressionStatement(call(factory.createIdentifier("__stop__"), []));
  const mark = (name: "enter" | "end", variable: string) =>
    factory.createExpressionStatement(call(method(name), [factory.createIdentifier(variable)]));
  const constant = (name: string, value: ts.Expression) =>
    factory.createVariableStatement(
      undefined,
      factory.createVariableDeclarationList(
        [factory.createVariableDeclaration(name, undefined, undefined, value)],
        compiler.NodeFlags.Const,
      ),
    );
  const around = (
    name: "wait" | "once" | "each" | "chain" | "away" | "again" | "back",
    scope: Scope,
    value: ts.Expression,
  ) => {
    const frame = scope.isAsync && scope.frame === "" ? call(method("frame"), []) : named(scope.frame);
    const args = [frame, named(scope.cleanup), value, factory.createIdentifier("__stop__")];
    return compiler.setTextRange(call(method(name), args), value);
  };

  return (context) => {
    const each = <T extends ts.Node>(node: T, scope: Scope): T =>
      compiler.visitEachChild(node, (child) => visit(child, scope), context);
    const expression = (node: ts.Expression, scope: Scope) => visit(node, scope) as ts.Expression;
    const block = (node: ts.Block, scope: Scope) => visit(node, scope) as ts.Block;

    const visit = (node: ts.Node, scope: Scope): ts.VisitResult<ts.Node> => {
      if (isFunction(compiler, node)) return functionWith(node, scope, undefined);
      if (compiler.isPropertyDeclaration(node) || compiler.isClassStaticBlockDeclaration(node)) return each(node, SYNC);
      if (compiler.isBlock(node)) {
        const made = each(node, scope);
        return factory.updateBlock(made, guardedList(made.statements));
      }
      if (compiler.isCaseClause(node)) {
        const made = each(node, scope);
        return factory.updateCaseClause(made, made.expression, guardedList(made.statements));
      }
      if (compiler.isDefaultClause(node)) {
        const made = each(node, scope);
        return factory.updateDefaultClause(made, guardedList(made.statements));
      }
      if (compiler.isTryStatement(node)) return guardedTry(node, scope);
      if (compiler.isAwaitExpression(node)) {
        return waiting(node.expression, scope, (value) => factory.updateAwaitExpression(node, value));
      }
      if (compiler.isYieldExpression(node)) return guardedYield(node, scope);
      if (compiler.isCallExpression(node)) return guardedCall(node, scope);
      return withGuardedLoop(node, scope);
    };

    const waiting = (node: ts.Expression, scope: Scope, make: (value: ts.Expression) => ts.Expression) => {
      const hasFrame = scope.frame !== "";
      const waits = make(around(hasFrame ? "wait" : "once", scope, expression(node, scope)));
      return around("back", hasFrame ? scope : { ...scope, frame: NO_FRAME }, waits);
    };

    const guardedYield = (node: ts.YieldExpression, scope: Scope): ts.Expression => {
      if (scope.isAsync && node.expression && !node.asteriskToken) {
        return waiting(node.expression, scope, (value) => factory.updateYieldExpression(node, undefined, value));
      }
      const given = node.expression && expression(node.expression, scope);
      if (node.asteriskToken) {
        const values = scope.isAsync && given ? around("each", scope, given) : given;
        return factory.updateYieldExpression(node, node.asteriskToken, values);
      }
      if (scope.cleanup === undefined) return factory.updateYieldExpression(node, undefined, given);
      const plain = { ...scope, frame: undefined };
      const away = around("away", plain, given ?? factory.createVoidZero());
      return around("again", plain, factory.updateYieldExpression(node, undefined, away));
    };

    /** `x.then(f, g)`, `x.catch(g)` and `x.finally(g)`: each g is to a promise what `catch` and `finally` are to a block. */
    const guardedCall = (node: ts.CallExpression, scope: Scope): ts.Node => {
      const { expression: callee } = node;
      const name = compiler.isPropertyAccessExpression(callee) && !callee.questionDotToken ? callee.name.text : "";
      const first = CHAIN.get(name);
      if (first === undefined || callee.kind !== SyntaxKind.PropertyAccessExpression) return each(node, scope);
      const access = callee as ts.PropertyAccessExpression;
      if (access.expression.kind === SyntaxKind.SuperKeyword) return each(node, scope);
      const receiver = around("chain", { ...scope, cleanup: undefined }, expression(access.expression, scope));
      const args = node.arguments.map((argument, i) =>
        i >= first && isFunction(compiler, argument)
          ? functionWith(argument, scope, `__try${++names}__`)
          : expression(argument, scope),
      );
      const then = factory.updatePropertyAccessExpression(access, receiver, access.name);
      return factory.updateCallExpression(node, then, undefined, args as ts.Expression[]);
    };

    const guardedTry = (node: ts.TryStatement, scope: Scope): ts.Statement[] => {
      const name = `__try${++names}__`;
      const inside = { ...scope, cleanup: name };
      const entered = (made: ts.Block, last: ts.Statement[]) =>
        withStatements(made, [mark("enter", name), ...made.statements, ...last]);
      const clause = node.catchClause;
      const caught =
        clause &&
        factory.updateCatchClause(
          clause,
          clause.variableDeclaration && (visit(clause.variableDeclaration, scope) as ts.VariableDeclaration),
          entered(block(clause.block, inside), []),
        );
      const end = () => factory.createBlock([mark("end", name)], true);
      let last: ts.Block;
      if (!node.finallyBlock) last = end();
      else if (!leaves(compiler, node.finallyBlock)) {
        last = entered(block(node.finallyBlock, inside), [mark("end", name)]);
      } else {
        const made = entered(block(node.finallyBlock, inside), []);
        last = factory.createBlock([factory.createTryStatement(made, undefined, end())], true);
      }
      return [
        constant(name, call(method("here"), [])),
        factory.updateTryStatement(node, block(node.tryBlock, scope), caught, last),
      ];
    };

    /** @param cleanup the variable by which its body runs as a `catch` or `finally` does */
    const functionWith = (node: FunctionNode, outer: Scope, cleanup: string | undefined): ts.Node => {
      const isAsync = node.modifiers?.some(({ kind }) => kind === SyntaxKind.AsyncKeyword) === true;
      const isGenerator = (node as { asteriskToken?: unknown }).asteriskToken !== undefined;
      const { body } = node;
      const isBlock = body !== undefined && compiler.isBlock(body);
      const frame = isAsync ? (isBlock || cleanup !== undefined ? `__frame${++names}__` : "") : undefined;
      const scope: Scope = { isAsync, isGenerator, frame, cleanup };
      // Names and decorators belong to the code around; parameters see no variable of the body.
      return compiler.visitEachChild(
        node,
        (child) => (child === body ? bodyOf(body, scope) : visit(child, compiler.isParameter(child) ? SYNC : outer)),
        context,
      );
    };

    const bodyOf = (body: ts.ConciseBody, scope: Scope): ts.ConciseBody => {
      const { cleanup } = scope;
      if (compiler.isBlock(body)) {
        const made = block(body, scope);
        return cleanup === undefined ? guarded(made, scope) : cleaned(made, cleanup, scope);
      }
      const value = expression(body, scope);
      if (cleanup !== undefined) {
        return cleaned(factory.createBlock([factory.createReturnStatement(value)], true), cleanup, scope);
      }
      if (!isCalling(compiler, body)) return value;
      const check = call(factory.createIdentifier("__stop__"), []);
      // By the comment the end is found again.
      const marked = compiler.addSyntheticTrailingComment(value, SyntaxKind.MultiLineCommentTrivia, "__stop__");
      return factory.createParenthesizedExpression(
        factory.createBinaryExpression(check, SyntaxKind.CommaToken, marked),
      );
    };

    const cleaned = (made: ts.Block, cleanup: string, scope: Scope): ts.Block => {
      // The number of its run is taken inside, where it is stopped no more.
      const frame = scope.frame === undefined ? [] : [constant(scope.frame, call(method("frame"), []))];
      const body = withStatements(made, [mark("enter", cleanup), ...frame, ...made.statements]);
      const end = factory.createBlock([mark("end", cleanup)], true);
      const here = constant(cleanup, call(method("here"), []));
      return factory.createBlock([here, factory.createTryStatement(body, undefined, end)], true);
    };

    const withGuardedLoop = (node: ts.Node, scope: Scope): ts.Node => {
      const made = each(node, scope);
      if (compiler.isForStatement(made)) {
        const { initializer, condition, incrementor, statement } = made;
        return factory.updateForStatement(made, initializer, condition, incrementor, guarded(statement, SYNC));
      }
      if (compiler.isForOfStatement(made)) {
        const { awaitModifier, initializer, statement } = made;
        const values = awaitModifier
          ? around("each", { ...scope, cleanup: undefined }, made.expression)
          : made.expression;
        return factory.updateForOfStatement(made, awaitModifier, initializer, values, guarded(statement, SYNC));
      }
      if (compiler.isForInStatement(made)) {
        return factory.updateForInStatement(made, made.initializer, made.expression, guarded(made.statement, SYNC));
      }
      if (compiler.isWhileStatement(made)) {
        return factory.updateWhileStatement(made, made.expression, guarded(made.statement, SYNC));
      }
      if (compiler.isDoStatement(made)) {
        return factory.updateDoStatement(made, guarded(made.statement, SYNC), made.expression);
      }
      return made;
    };

    return (file) => {
      const made = each(file, TOP);
      return factory.updateSourceFile(made, guardedList(made.statements));
    };
  };

  function guarded(body: ts.Statement, scope: Scope): ts.Block {
    const first = scope.frame ? constant(scope.frame, call(method("frame"), [])) : guard();
    if (!compiler.isBlock(body)) return factory.createBlock([first, body], true);
    const rest = body.statements.findIndex((statement) => !isDirective(compiler, statement));
    const directives = rest < 0 ? body.statements.length : rest;
    return withStatements(body, [...body.statements.slice(0, directives), first, ...body.statements.slice(directives)]);
  }

  function withStatements(body: ts.Block, statements: ts.Statement[]): ts.Block {
    const list = compiler.setTextRange(factory.createNodeArray(statements), body.statements);
    return compiler.setTextRange(factory.createBlock(list, true), body);
  }

  /** Statements with a guard between those that call something and what follows. */
  function guardedList(statements: ts.NodeArray<ts.Statement>): ts.NodeArray<ts.Statement> {
    const made = statements.flatMap((statement, i) => {
      const next = statements[i + 1];
      // What is put before a `try` is no statement of the user's, and the `try` follows it.
      const isOwn = next !== undefined && compiler.isTryStatement(next) && compiler.isVariableStatement(statement);
      return next && !isOwn && mayBeStopped(compiler, next) && isCalling(compiler, statement)
        ? [statement, guard()]
        : [statement];
    });
    return compiler.setTextRange(factory.createNodeArray(made), statements);
  }
}

/** From which argument on a function is what a promise's failure or end calls. */
const CHAIN: ReadonlyMap<string, number> = new Map([
  ["then", 1],
  ["catch", 0],
  ["finally", 0],
]);

type FunctionNode =
  | ts.FunctionDeclaration
  | ts.FunctionExpression
  | ts.ArrowFunction
  | ts.MethodDeclaration
  | ts.ConstructorDeclaration
  | ts.AccessorDeclaration;

function isFunction(compiler: Compiler, node: ts.Node): node is FunctionNode {
  return (
    compiler.isFunctionDeclaration(node) ||
    compiler.isFunctionExpression(node) ||
    compiler.isArrowFunction(node) ||
    compiler.isMethodDeclaration(node) ||
    compiler.isConstructorDeclaration(node) ||
    compiler.isGetAccessorDeclaration(node) ||
    compiler.isSetAccessorDeclaration(node)
  );
}

function isDirective(compiler: Compiler, statement: ts.Statement): boolean {
  return compiler.isExpressionStatement(statement) && compiler.isStringLiteral(statement.expression);
}

/** False for what declares or ends without doing anything. */
function mayBeStopped(compiler: Compiler, statement: ts.Statement): boolean {
  return !(
    compiler.isFunctionDeclaration(statement) ||
    compiler.isExportDeclaration(statement) ||
    compiler.isImportDeclaration(statement) ||
    compiler.isEmptyStatement(statement)
  );
}

/** True for what calls a function or waits, where time may pass; what functions in it do is theirs. */
function isCalling(compiler: Compiler, node: ts.Node): boolean {
  return holds(
    compiler,
    node,
    (each) =>
      compiler.isCallExpression(each) ||
      compiler.isNewExpression(each) ||
      compiler.isTaggedTemplateExpression(each) ||
      compiler.isAwaitExpression(each) ||
      compiler.isYieldExpression(each),
  );
}

/** True for a block that jumps out of itself, past what follows its statements. */
function leaves(compiler: Compiler, node: ts.Node): boolean {
  return holds(
    compiler,
    node,
    (each) =>
      compiler.isReturnStatement(each) ||
      compiler.isBreakStatement(each) ||
      compiler.isContinueStatement(each) ||
      compiler.isThrowStatement(each),
  );
}

/** Whether a node or one in it is wanted, functions left out. */
function holds(compiler: Compiler, node: ts.Node, isWanted: (node: ts.Node) => boolean): boolean {
  if (isFunction(compiler, node)) return false;
  return (
    isWanted(node) || compiler.forEachChild(node, (child) => holds(compiler, child, isWanted) || undefined) === true
  );
}
