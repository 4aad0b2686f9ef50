import { type AnyNode, type Function as FunctionNode, parseExpressionAt } from "acorn";
import type { CellOrigin } from "../data/batch-function";
import { PomonaError } from "../errors";
import { captureMessage, shownName } from "./capture-message";
import type { Capture, CaptureUse } from "./captured-name";
import { type FreeReference, type FunctionScan, scanFunction } from "./free-variables";
import { functionText } from "./function-text";
import { isWorkerGlobal } from "./worker-globals";

/**
 * Thrown where a user function is defined that takes a variable from around it: workers run the function's text alone,
 * so the variable would not be there.
 */
export class CapturedVariableError extends PomonaError {
  /** The function's name. */
  readonly functionName: string;
  /** The variables, as the notebook calls them. */
  readonly variables: readonly string[];

  constructor(functionName: string, variables: readonly string[], message: string, remedy: string) {
    super(message, { remedy });
    this.functionName = functionName;
    this.variables = variables;
  }
}

/** Thrown where a function is defined that cannot be shipped as text at all, such as a class or a bound function. */
export class UnsupportedFunctionError extends PomonaError {
  /** The function's name. */
  readonly functionName: string;

  constructor(functionName: string, message: string, remedy?: string) {
    super(message, { remedy });
    this.functionName = functionName;
  }
}

/** A function's text, read. */
export interface CapturedFunction {
  readonly name: string;
  /** The text that `toString` gives, without what a kernel put into it. */
  readonly text: string;
  readonly origin: CellOrigin | undefined;
  /** A JavaScript expression for the function; `import(...)` reads `__import(...)`. */
  readonly code: string;
  readonly isAsync: boolean;
  /** What has to come from broadcast values, imports or the worker's globals. */
  readonly captures: readonly Capture[];
  /** Modules that the function requires or imports itself, by name. */
  readonly requires: readonly string[];
}

/**
 * Reads a function's text and finds what it takes from outside.
 * @throws UnsupportedFunctionError if the text does not say all there is to the function
 * @throws CapturedVariableError if it assigns a variable of the notebook
 */
export function readFunction(fn: (...args: never[]) => unknown, name: string): CapturedFunction {
  const { text, origin, notebookNames } = functionText(fn);
  refuseSpecial(fn, text, name);
  const { node, offset, expression } = parseFunction(text, name);
  if (node.generator) {
    throw new UnsupportedFunctionError(
      name,
      `${quoted(name)} is a generator function.`,
      "Return the whole result instead of yielding it; `async` functions are fine.",
    );
  }
  const scan = scanFunction(node, (name) => notebookNames.has(name));
  const shift = (n: AnyNode) => ({ start: n.start - offset, end: n.end - offset });
  const refuse = (at: AnyNode, what: string, remedy: string): never => {
    throw new UnsupportedFunctionError(name, captureMessage(text, [], what, [shift(at)]), remedy);
  };
  refuseReceivers(scan, name, refuse);
  const { captures, requires } = collectCaptures(scan, text, offset, refuse);
  for (const capture of captures) {
    if (capture.kind !== "variable" || !notebookNames.has(capture.name)) continue;
    capture.isNotebooks = true;
    capture.imported = notebookNames.get(capture.name);
  }
  refuseAssignments(captures, text, name);
  return { name, text, origin, code: expression(scan), isAsync: node.async, captures, requires };
}

/** The captures that neither `isProvided` nor a standard global of Node explains become one error. */
export function refuseCaptures(
  fn: CapturedFunction,
  isProvided: (capture: Capture) => boolean,
  moduleHint: (capture: Capture) => string,
): void {
  const missing = fn.captures.filter((capture) => !isProvided(capture) && !isGlobal(capture));
  if (missing.length === 0) return;
  const names = [...new Set(missing.map(shownName))];
  const are = names.length === 1 ? "which is" : "which are";
  const what = `The function ${quoted(fn.name)} uses ${listed(names)}, ${are} not part of it: workers run the function's text alone.`;
  const marks = missing.flatMap((capture) => capture.uses.slice(0, 1));
  const message = captureMessage(fn.text, fn.captures, what, marks);
  throw new CapturedVariableError(fn.name, names, message, remedies(missing, moduleHint).join("\n"));
}

/** One line for each variable, but one for all imports of a module. */
function remedies(missing: readonly Capture[], moduleHint: (capture: Capture) => string): string[] {
  const imported = new Map<string, string[]>();
  const lines = new Map<string, string>();
  for (const capture of missing) {
    const module = moduleHint(capture);
    if (capture.kind === "variable" && !capture.imported) lines.set(capture.name, variableRemedy(capture, module));
    else imported.set(module, [...(imported.get(module) ?? []), shownName(capture)]);
  }
  const imports = [...imported].map(([module, names]) => {
    const [come, them] = names.length === 1 ? ["comes", "it"] : ["come", "them"];
    const entry = `imports: [${JSON.stringify(module)}]`;
    return `${listed(names)} ${come} from an import: name its module as the import line does, e.g. ${entry}, or import ${them} inside the function.`;
  });
  return [...imports, ...lines.values()];
}

function isGlobal(capture: Capture): boolean {
  return (
    capture.kind === "variable" &&
    capture.identifier !== "exports" &&
    !capture.isNotebooks &&
    isWorkerGlobal(capture.name)
  );
}

function variableRemedy({ name, uses }: Capture, module: string): string {
  const inside = `move ${quoted(name)} into the function`;
  if (uses.every((use) => use.called)) {
    const asImport = `imports: [${JSON.stringify(module)}]`;
    return `${quoted(name)} is a function: put it into a module and name that, e.g. ${asImport}, or ${inside}.`;
  }
  const asNamespace = `imports: { ${name}: ${JSON.stringify(module)} }`;
  return `Pass the value of ${quoted(name)}: broadcast: { ${name} }. If it is imported, name the module: ${asNamespace}. Or ${inside}.`;
}

function listed(names: readonly string[]): string {
  const all = names.map(quoted);
  return all.length === 1 ? `${all[0]}` : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}

function quoted(name: string): string {
  return `\`${name}\``;
}

type Refuse = (at: AnyNode, what: string, remedy: string) => never;

/** True for the text of a function that is not written in JavaScript, or was made by `bind`. */
export function isNativeText(text: string): boolean {
  return /\{\s*\[native code\]\s*\}\s*$/.test(text);
}

/** Functions whose text is not the whole truth. */
function refuseSpecial(fn: (...args: never[]) => unknown, text: string, name: string): void {
  if (/^class\b/.test(text)) {
    throw new UnsupportedFunctionError(
      name,
      `${quoted(name)} is a class, not a function.`,
      "Pass a function that makes an instance and calls it, with the class in a module named in imports.",
    );
  }
  if (!isNativeText(text)) return;
  if (fn.name.startsWith("bound ")) {
    throw new UnsupportedFunctionError(
      name,
      `${quoted(name)} is a bound function: its text and its \`this\` cannot be read.`,
      "Pass an arrow function, with what it needs in broadcast.",
    );
  }
  throw new UnsupportedFunctionError(
    name,
    `${quoted(name)} is a native function: it has no text to send to workers.`,
    `Wrap it in an arrow function, e.g. (x) => Math.sqrt(x).`,
  );
}

interface Parsed {
  readonly node: FunctionNode;
  /** Positions in the parsed text minus this are positions in the function's text. */
  readonly offset: number;
  readonly expression: (scan: FunctionScan) => string;
}

function parseFunction(text: string, name: string): Parsed {
  let failure: unknown;
  for (const [before, after] of [
    ["(", ")"],
    // A method's text is only valid inside an object.
    ["({", "})"],
  ] as const) {
    try {
      const source = `${before}${text}\n${after}`;
      const parsed = parseExpressionAt(source, 0, {
        ecmaVersion: "latest",
        allowSuperOutsideMethod: true,
        ranges: true,
      });
      const found = functionOf(parsed);
      if (!found) continue;
      const expression = (scan: FunctionScan) => `${withImportHook(source, scan)}${found.access}`;
      return { node: found.node, offset: before.length, expression };
    } catch (error) {
      failure ??= error;
    }
  }
  const reason = failure instanceof Error ? `: ${failure.message.replace(/ \(\d+:\d+\)$/, "")}` : "";
  throw new UnsupportedFunctionError(
    name,
    `The text of ${quoted(name)} cannot be read as a function${reason}.`,
    "Pass an arrow function or a function declared with a plain name; accessors and methods with computed names do not travel.",
  );
}

function functionOf(parsed: AnyNode): { node: FunctionNode; access: string } | undefined {
  if (parsed.type === "FunctionExpression" || parsed.type === "ArrowFunctionExpression") {
    return { node: parsed, access: "" };
  }
  if (parsed.type !== "ObjectExpression" || parsed.properties.length !== 1) return undefined;
  const [property] = parsed.properties;
  if (property?.type !== "Property" || !property.method || property.computed) return undefined;
  if (property.value.type !== "FunctionExpression") return undefined;
  const { key } = property;
  const value = key.type === "Identifier" ? key.name : key.type === "Literal" ? String(key.value) : undefined;
  return value === undefined ? undefined : { node: property.value, access: `[${JSON.stringify(value)}]` };
}

function withImportHook(source: string, scan: FunctionScan): string {
  let out = source;
  for (const node of [...scan.dynamicImports].sort((a, b) => b.start - a.start)) {
    out = `${out.slice(0, node.start)}__${out.slice(node.start)}`;
  }
  return out;
}

function refuseReceivers(scan: FunctionScan, name: string, refuse: Refuse): void {
  const receiver = scan.receivers[0];
  if (receiver) {
    const word = receiver.type === "Super" ? "super" : receiver.type === "ThisExpression" ? "this" : "arguments";
    refuse(
      receiver,
      `The function ${quoted(name)} uses ${quoted(word)} of the code around it, which workers do not have.`,
      word === "arguments"
        ? "Give the function the parameters it needs, or a rest parameter (...args)."
        : "Take what it needs from its parameters, or pass values in broadcast.",
    );
  }
  const unpredictable = scan.unpredictable[0];
  if (unpredictable) {
    const word = unpredictable.type === "WithStatement" ? "with" : "eval";
    refuse(
      unpredictable,
      `The function ${quoted(name)} uses ${quoted(word)}, so that what it takes from the notebook cannot be told.`,
      `Write it without ${word}.`,
    );
  }
}

/** Names of Node's module wrapper: they look global, but each belongs to one file. */
const FILE_NAMES = new Set(["module", "__dirname", "__filename"]);

/** What TypeScript and esbuild write into compiled code; the worker brings them along. */
const COMPILER_HELPERS = new Set([
  "__importStar",
  "__importDefault",
  "__createBinding",
  "__setModuleDefault",
  "__name",
]);

/** `stats_1` (TypeScript), `import_stats` (esbuild), `__vi_import_0__` and `__vite_ssr_import_0__` (Vite). */
const MODULE_ALIAS = /^(?:.+_\d+|import_.+|__vi_import_\d+__|__vite_ssr_import_\d+__)$/;

function collectCaptures(scan: FunctionScan, text: string, offset: number, refuse: Refuse) {
  const captures = new Map<string, { -readonly [K in keyof Capture]: Capture[K] } & { uses: CaptureUse[] }>();
  const requires = new Set<string>();
  const add = (kind: Capture["kind"], name: string, identifier: string, use: CaptureUse) => {
    const key = `${kind} ${identifier} ${name}`;
    const found = captures.get(key);
    if (found) found.uses.push(use);
    else captures.set(key, { kind, name, identifier, uses: [use] });
  };
  const aliases = moduleAliases(scan);
  for (const reference of scan.references) {
    const { name } = reference.node;
    if (COMPILER_HELPERS.has(name)) continue;
    if (FILE_NAMES.has(name)) {
      refuse(
        reference.node,
        `The function uses ${quoted(name)}, which belongs to the file it was written in.`,
        "Pass the value that you need in broadcast.",
      );
    } else if (name === "require") {
      requires.add(requiredModule(reference, refuse));
    } else if (name === "exports" || aliases.has(name)) {
      const property = memberName(reference);
      if (property === undefined) {
        refuse(
          reference.node,
          "The function uses variables of the notebook in a way that cannot be followed.",
          "Name each variable by itself, and pass it in broadcast or imports.",
        );
      }
      const kind = name === "exports" ? "variable" : "member";
      add(kind, property as string, name, useOf(reference, 1, text, offset));
    } else {
      add("variable", name, name, useOf(reference, 0, text, offset));
    }
  }
  for (const node of scan.dynamicImports) {
    const literal = node.source.type === "Literal" ? node.source.value : undefined;
    if (typeof literal !== "string") {
      refuse(
        node,
        "The function imports a module whose name is computed.",
        'Import it by a fixed name: import("./file").',
      );
    }
    requires.add(literal as string);
  }
  return { captures: [...captures.values()], requires: [...requires] };
}

/** Identifiers that look like a compiler's name for an imported module, and are used for nothing but their members. */
function moduleAliases(scan: FunctionScan): ReadonlySet<string> {
  const aliases = new Set<string>();
  for (const { node } of scan.references) if (MODULE_ALIAS.test(node.name)) aliases.add(node.name);
  for (const reference of scan.references) if (memberName(reference) === undefined) aliases.delete(reference.node.name);
  return aliases;
}

/** `mean` for the reference `stats_1` in `stats_1.mean` or `stats_1["mean"]`. */
function memberName({ node, ancestors }: FreeReference): string | undefined {
  const parent = ancestors[0];
  if (parent?.type !== "MemberExpression" || parent.object !== node) return undefined;
  const { property } = parent;
  if (!parent.computed) return property.type === "Identifier" ? property.name : undefined;
  return property.type === "Literal" && typeof property.value === "string" ? property.value : undefined;
}

/** @param depth how many ancestors belong to the name itself: 1 in `exports.lut`. */
function useOf(reference: FreeReference, depth: 0 | 1, text: string, offset: number): CaptureUse {
  const name = depth === 0 ? reference.node : (reference.ancestors[0] as AnyNode);
  let whole: AnyNode = name;
  let [outer, ...rest] = reference.ancestors.slice(depth);
  let [start, end] = [whole.start - offset, whole.end - offset];
  if (outer?.type === "SequenceExpression" && outer.expressions.length === 2 && outer.expressions[1] === whole) {
    // A call of an import compiles to (0, stats_1.mean)(values); the parentheses are not in the tree.
    whole = outer;
    const open = text.lastIndexOf("(", outer.start - offset);
    const close = text.indexOf(")", outer.end - offset);
    if (open >= 0 && close >= 0) [start, end] = [open, close + 1];
    [outer, ...rest] = rest;
  }
  return {
    start,
    end,
    called: isCallee(whole, outer),
    assigned: reference.assigned,
    property: propertyOf(whole, outer),
  };
}

function isCallee(node: AnyNode, outer: AnyNode | undefined): boolean {
  if (outer?.type === "CallExpression" || outer?.type === "NewExpression") return outer.callee === node;
  return outer?.type === "TaggedTemplateExpression" && outer.tag === node;
}

function propertyOf(node: AnyNode, outer: AnyNode | undefined): string | undefined {
  if (outer?.type !== "MemberExpression" || outer.object !== node || outer.computed) return undefined;
  return outer.property.type === "Identifier" ? outer.property.name : undefined;
}

function requiredModule(reference: FreeReference, refuse: Refuse): string {
  const call = reference.ancestors[0];
  const argument = call?.type === "CallExpression" && call.callee === reference.node ? call.arguments[0] : undefined;
  if (argument?.type === "Literal" && typeof argument.value === "string") return argument.value;
  return refuse(
    reference.node,
    "The function uses `require` other than with a fixed module name.",
    'Write require("./file") with the name as text, or name the module in imports.',
  );
}

function refuseAssignments(captures: readonly Capture[], text: string, name: string): void {
  const assigned = captures.filter((capture) => capture.uses.some((use) => use.assigned));
  const first = assigned[0];
  if (!first) return;
  const marks = assigned.flatMap((capture) => capture.uses.filter((use) => use.assigned).slice(0, 1));
  const what = `The function ${quoted(name)} assigns ${quoted(first.name)}, a variable outside it: what a worker assigns never comes back.`;
  throw new CapturedVariableError(
    name,
    assigned.map((capture) => capture.name),
    captureMessage(text, captures, what, marks),
    `Return what you compute, and add it up with groupBy().agg() or after collect(); or declare ${quoted(first.name)} in the function.`,
  );
}
