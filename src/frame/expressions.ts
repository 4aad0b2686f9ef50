import type { BatchExpression, Expression } from "./plan";

/** The direct sub-expressions of an expression. */
export function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "column":
    case "star":
    case "literal":
      return [];
    case "text":
      return expression.parts.filter((part) => typeof part !== "string");
    case "call":
    case "batch":
      return expression.args;
    case "cast":
    case "alias":
    case "field":
      return [expression.child];
    case "case":
      return [
        ...expression.branches.flatMap((b) => [b.when, b.then]),
        ...(expression.otherwise ? [expression.otherwise] : []),
      ];
  }
}

/** The same expression over other sub-expressions: `map` is applied to each direct one. */
export function mapChildren(expression: Expression, map: (child: Expression) => Expression): Expression {
  switch (expression.kind) {
    case "column":
    case "star":
    case "literal":
      return expression;
    case "text":
      return { ...expression, parts: expression.parts.map((part) => (typeof part === "string" ? part : map(part))) };
    case "call":
    case "batch":
      return { ...expression, args: expression.args.map(map) };
    case "cast":
    case "alias":
    case "field":
      return { ...expression, child: map(expression.child) };
    case "case":
      return {
        ...expression,
        // biome-ignore lint/suspicious/noThenProperty: plain data under the plan's name for it, never awaited
        branches: expression.branches.map((b) => ({ when: map(b.when), then: map(b.then) })),
        ...(expression.otherwise ? { otherwise: map(expression.otherwise) } : {}),
      };
  }
}

/** The names of all columns an expression reads. */
export function columnsIn(expression: Expression): string[] {
  return expression.kind === "column" ? [expression.name] : childrenOf(expression).flatMap(columnsIn);
}

/** True where an expression has a batch function anywhere in it. */
export function hasBatch(expression: Expression): boolean {
  return expression.kind === "batch" || childrenOf(expression).some(hasBatch);
}

/** An expression with its outermost batch functions replaced. */
export function replaceBatches(expression: Expression, replace: (batch: BatchExpression) => Expression): Expression {
  return expression.kind === "batch"
    ? replace(expression)
    : mapChildren(expression, (child) => replaceBatches(child, replace));
}
