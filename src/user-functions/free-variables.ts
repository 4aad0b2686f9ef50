import type { AnyNode, Function as FunctionNode, Identifier } from "acorn";
import { analyze, type Scope } from "eslint-scope";

/** A name that a function takes from outside itself, at one place. */
export interface FreeReference {
  readonly node: Identifier;
  /** The enclosing nodes, the nearest first, up to the function. */
  readonly ancestors: readonly AnyNode[];
  readonly assigned: boolean;
}

/** What a function takes from where it was written. */
export interface FunctionScan {
  /** In the order of the text; without `tested`. */
  readonly references: readonly FreeReference[];
  /** Names that stand behind `typeof`, where a name that nothing has is no error. */
  readonly tested: readonly FreeReference[];
  /** `this`, `super` and, in an arrow function, `arguments`, where they belong to the code around the function. */
  readonly receivers: readonly AnyNode[];
  /** `import(...)` expressions anywhere in the function. */
  readonly dynamicImports: readonly Extract<AnyNode, { type: "ImportExpression" }>[];
  /** `with` statements and direct calls of `eval`, after which no name is certain. */
  readonly unpredictable: readonly AnyNode[];
}

/**
 * Finds the free variables of a function by the scoping rules of ECMAScript, without running it. eslint-scope tells which
 * names are declared inside; what is left to tell are functions in blocks, and what is no name (`this`, `import()`).
 *
 * @param fn parsed by acorn with `ranges: true`, which eslint-scope needs
 * @param isThere true for names that certainly have something where the function was written
 */
export function scanFunction(fn: FunctionNode, isThere: (name: string) => boolean = () => false): FunctionScan {
  const free = freeIdentifiers(fn);
  const references: FreeReference[] = [];
  const tested: FreeReference[] = [];
  const receivers: AnyNode[] = [];
  const dynamicImports: Extract<AnyNode, { type: "ImportExpression" }>[] = [];
  const unpredictable: AnyNode[] = [];
  walk(fn as AnyNode, [], (node, ancestors) => {
    switch (node.type) {
      case "Identifier": {
        const assigned = free.get(node);
        if (assigned === undefined) return;
        if (node.name === "arguments") {
          if (!ancestors.some(hasOwnArguments)) receivers.push(node);
        } else if (isTypeof(ancestors[0]) && !isThere(node.name)) {
          tested.push({ node, ancestors, assigned });
        } else {
          references.push({ node, ancestors, assigned: assigned || isAssignedExport(node, ancestors) });
        }
        return;
      }
      case "ThisExpression":
      case "Super": {
        // The scanned function's own `this` is the caller's, so it counts as taken from outside even in a `function`.
        const inside = ancestors.slice(0, -1);
        if (!inside.some((around, i) => hasOwnThis(around, inside[i - 1] ?? node))) receivers.push(node);
        return;
      }
      case "ImportExpression":
        dynamicImports.push(node);
        return;
      case "WithStatement":
        unpredictable.push(node);
        return;
      case "CallExpression": {
        // `eval?.(x)` and `(0, eval)(x)` see globals alone.
        const { callee, optional } = node;
        if (callee.type === "Identifier" && callee.name === "eval" && free.has(callee) && !optional) {
          unpredictable.push(node);
        }
        return;
      }
    }
  });
  references.sort((a, b) => a.node.start - b.node.start);
  return { references, tested, receivers, dynamicImports, unpredictable };
}

/** Visits a node and all below it; ancestors are the nearest first. */
function walk(
  node: AnyNode,
  ancestors: readonly AnyNode[],
  visit: (node: AnyNode, ancestors: readonly AnyNode[]) => void,
): void {
  visit(node, ancestors);
  const inside = [node, ...ancestors];
  for (const part of Object.values(node).flat() as unknown[]) if (isNode(part)) walk(part, inside, visit);
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && typeof (value as AnyNode).type === "string";
}

/** The identifiers that are not declared in the function, each with whether it is assigned there. */
function freeIdentifiers(fn: FunctionNode): ReadonlyMap<AnyNode, boolean> {
  const program = { type: "Program", sourceType: "script", body: [{ type: "ExpressionStatement", expression: fn }] };
  const { scopes, globalScope } = analyze(program as unknown as Parameters<typeof analyze>[0], {
    ecmaVersion: 2026,
    ignoreEval: true,
    // The table that it brings along is from before the second argument of `import()`.
    childVisitorKeys: { ImportExpression: ["source", "options"] },
  });
  const risen = scopes.flatMap(risenFunctions);
  const free = new Map<AnyNode, boolean>();
  for (const reference of globalScope?.through ?? []) {
    const node = reference.identifier as unknown as Identifier;
    const isRisen = ({ name, body }: Risen) => name === node.name && body.start < node.start && node.end < body.end;
    // A name with a default in a pattern is referenced twice.
    if (!risen.some(isRisen)) free.set(node, free.get(node) || reference.isWrite());
  }
  return free;
}

interface Risen {
  readonly name: string;
  /** Where it is declared: parameters don't see it. */
  readonly body: AnyNode;
}

/**
 * Sloppy mode, in which workers run a function's text, makes a function in a block a `var` of the function around it,
 * too, where a `var` could stand (ECMAScript, B.3.2). eslint-scope leaves it in its block.
 */
function risenFunctions(scope: Scope): Risen[] {
  const { variableScope } = scope;
  if (scope === variableScope || scope.isStrict) return [];
  const { body } = variableScope.block as unknown as FunctionNode;
  const plain = scope.variables.filter(({ defs }) =>
    defs.every(({ node }) => node.type === "FunctionDeclaration" && !node.async && !node.generator),
  );
  return plain.filter(({ name }) => !isDeclaredBetween(name, scope, variableScope)).map(({ name }) => ({ name, body }));
}

function isDeclaredBetween(name: string, inner: Scope, outer: Scope): boolean {
  for (let at = inner.upper; at && at !== outer; at = at.upper) {
    const allowsVar = at.block.type === "CatchClause" && at.block.param?.type === "Identifier";
    if (at.set.has(name) && !allowsVar) return true;
  }
  return false;
}

function hasOwnArguments({ type }: AnyNode): boolean {
  return type === "FunctionDeclaration" || type === "FunctionExpression";
}

function hasOwnThis(node: AnyNode, from: AnyNode): boolean {
  // A field's initialiser runs as a method of the new object.
  if (node.type === "PropertyDefinition") return node.value === from;
  return hasOwnArguments(node) || node.type === "StaticBlock";
}

/** `typeof name` is no error where nothing has the name, so that alone takes nothing from outside. */
function isTypeof(node: AnyNode | undefined): boolean {
  return node?.type === "UnaryExpression" && node.operator === "typeof";
}

/** `exports.count = ...` in a cell assigns the notebook's variable `count`; `table.x = ...` does not assign `table`. */
function isAssignedExport(node: Identifier, [member, parent, grandparent]: readonly AnyNode[]): boolean {
  if (node.name !== "exports" || member?.type !== "MemberExpression" || member.object !== node) return false;
  switch (parent?.type) {
    case "AssignmentExpression":
    case "AssignmentPattern":
    case "ForInStatement":
    case "ForOfStatement":
      return parent.left === member;
    case "Property":
      return grandparent?.type === "ObjectPattern" && parent.value === member;
    default:
      return parent?.type === "UpdateExpression" || parent?.type === "ArrayPattern" || parent?.type === "RestElement";
  }
}
