import { type AnyNode, type Function as FunctionNode, parseExpressionAt } from "acorn";
import { sha256Of } from "../data/shipped-file";
import { withoutGuards } from "../kernel";
import { type FreeReference, scanFunction } from "../user-functions/free-variables";

/** What a function's or a class's text says. */
export interface FunctionShape {
  /** Of what the text means: the same for other comments, white space and guards. */
  readonly digest: string;
  /** The names that it takes from outside, with each use. */
  readonly names: ReadonlyMap<string, readonly NameUse[]>;
  /** Modules that it imports or requires itself. */
  readonly modules: readonly string[];
  /** What it does so that not all that it uses can be told, in words; undefined where it does nothing of that kind. */
  readonly unclear: string | undefined;
}

/** One use of a name, `stats.mean` or `__rate.now.low`. */
export interface NameUse {
  /** The properties that are read of it, the first two. */
  readonly properties: readonly string[];
  /** Of `rate`, `rate.now` and `rate.now.low`: which is assigned. */
  readonly assigned: 0 | 1 | 2 | undefined;
}

/** What a kernel puts into the text, and what every function has. */
const NO_NAMES = new Set(["__stop__", "arguments", "undefined", "NaN", "Infinity"]);

const shapes = new Map<string, FunctionShape>();

/** Reads the text of a function or a class. Undefined where it can't be read as one. */
export function functionShape(text: string): FunctionShape | undefined {
  const known = shapes.get(text);
  if (known) return known;
  const plain = withoutGuards(text)
    .map((line) => line.text)
    .join("\n");
  const node = parsed(plain);
  if (!node) return undefined;
  const shape = shapeOf(node);
  // Texts of cells that were edited again and again.
  if (shapes.size > 5_000) shapes.clear();
  shapes.set(text, shape);
  return shape;
}

function parsed(text: string): AnyNode | undefined {
  for (const [before, after] of [
    ["(", ")"],
    // A method's text is only valid in an object or a class.
    ["({", "})"],
    ["(class {", "})"],
  ] as const) {
    try {
      const found = parseExpressionAt(`${before}${text}\n${after}`, 0, {
        ecmaVersion: "latest",
        allowSuperOutsideMethod: true,
        checkPrivateFields: false,
        ranges: true,
      });
      if (before !== "(" || ["FunctionExpression", "ArrowFunctionExpression", "ClassExpression"].includes(found.type))
        return found;
    } catch {
      // The next form may fit.
    }
  }
  return undefined;
}

function shapeOf(node: AnyNode): FunctionShape {
  const scan = scanFunction(node as unknown as FunctionNode);
  const names = new Map<string, NameUse[]>();
  const modules: string[] = [];
  let unclear: string | undefined;
  const require = (argument: AnyNode | undefined) => {
    if (argument?.type === "Literal" && typeof argument.value === "string") modules.push(argument.value);
    else unclear ??= "imports a module whose name is computed";
  };
  for (const reference of [...scan.references, ...scan.tested]) {
    const { name } = reference.node;
    const [parent] = reference.ancestors;
    if (NO_NAMES.has(name)) continue;
    if (name === "require" || name === "__import__") {
      const isCall = parent?.type === "CallExpression" && parent.callee === reference.node;
      if (isCall) require(parent.arguments[0]);
      else unclear ??= `uses ${name} other than to call it`;
      continue;
    }
    names.set(name, [...(names.get(name) ?? []), useOf(reference)]);
  }
  for (const { source } of scan.dynamicImports) require(source);
  if (node.type === "ArrowFunctionExpression" && scan.receivers.length > 0) {
    const [receiver] = scan.receivers;
    const word = receiver?.type === "ThisExpression" ? "this" : receiver?.type === "Super" ? "super" : "arguments";
    unclear ??= `uses \`${word}\` of the code around it`;
  }
  if (scan.unpredictable.length > 0) unclear ??= "uses `eval` or `with`";
  return { digest: digestOf(node), names, modules, unclear };
}

/** By the tree, without where its nodes stand. */
function digestOf(node: AnyNode): string {
  const text = JSON.stringify(node, (key, value: unknown) => {
    if (key === "start" || key === "end" || key === "range") return undefined;
    return typeof value === "bigint" ? `${value}n` : value;
  });
  return sha256Of(text);
}

function useOf({ node, ancestors, assigned }: FreeReference): NameUse {
  const properties: string[] = [];
  let whole: AnyNode = node;
  let depth: 0 | 1 | 2 | undefined = assigned && !isExport(node, ancestors) ? 0 : undefined;
  for (const [i, outer] of ancestors.slice(0, 2).entries()) {
    if (outer.type !== "MemberExpression" || outer.object !== whole) break;
    const name = propertyOf(outer);
    if (name === undefined) break;
    properties.push(name);
    whole = outer;
    if (isAssigned(outer, ancestors[i + 1], ancestors[i + 2])) depth ??= (i + 1) as 1 | 2;
  }
  return { properties, assigned: depth };
}

/** `exports.count = …`, which the scan takes for an assignment of the name. */
function isExport({ name }: { readonly name: string }, [parent]: readonly AnyNode[]): boolean {
  return name === "exports" && parent?.type === "MemberExpression";
}

function propertyOf({ computed, property }: Extract<AnyNode, { type: "MemberExpression" }>): string | undefined {
  if (!computed) return property.type === "Identifier" ? property.name : undefined;
  return property.type === "Literal" && typeof property.value === "string" ? property.value : undefined;
}

function isAssigned(node: AnyNode, parent: AnyNode | undefined, outer: AnyNode | undefined): boolean {
  switch (parent?.type) {
    case "AssignmentExpression":
    case "AssignmentPattern":
    case "ForInStatement":
    case "ForOfStatement":
      return parent.left === node;
    case "Property":
      return outer?.type === "ObjectPattern" && parent.value === node;
    case "UnaryExpression":
      return parent.operator === "delete";
    default:
      return parent?.type === "UpdateExpression" || parent?.type === "ArrayPattern" || parent?.type === "RestElement";
  }
}
