import { types } from "node:util";
import { sha256Of } from "../data/shipped-file";
import { Column } from "../frame/column";
import { DataFrame } from "../frame/dataframe";
import { kernelHost } from "../kernel";
import { Session } from "../session/session";
import { SparkContext } from "../session/spark-context";
import { Broadcast } from "../user-functions/broadcast-variable";
import { isWorkerGlobal } from "../user-functions/worker-globals";
import { VERSION } from "../version";
import { type Closures, withClosures } from "./closures";
import { begun, homeText, isRunsOwn, numberOf, put, type Writing } from "./digests";
import { MemoKeyError } from "./errors";
import { functionShape, type NameUse } from "./function-shape";
import { type KnownValues, knownValues, packageVersion } from "./known-values";
import {
  article,
  fieldPath,
  hasSeenContent,
  isBuiltinWord,
  isEstimatorOrModel,
  isNamespace,
  isNative,
  isPlainPrototype,
  UNSEEN,
} from "./value-kinds";

/*
 * The key of a memo: what its function's text means, and the value of each name that it uses; of functions and classes among these in
 * turn. Names are found by the scopes of the language, as V8 keeps them: a cell's, a module's, and what a function made
 * within another one has captured. So a key is made of what would run, not of files that have changed since. What can't be looked
 * into is an error, never left out.
 *
 * Each name's value is a part with a digest of its own, which refers to other names by name: so that it can be told why a key is
 * another one.
 */

/** A name that a memo's function uses, itself or by what it uses. */
export interface KeyPart {
  readonly name: string;
  readonly kind: "function" | "class" | "value" | "frame" | "package" | "global";
  readonly digest: string;
  /** The value, where it is short, or a package's version. */
  readonly shown?: string;
}

export interface MemoKey {
  readonly key: string;
  /** Of the function's own text. */
  readonly text: string;
  readonly parts: readonly KeyPart[];
}

/** Of which form keys are. */
const FORM = 1;

/**
 * Makes the key of a memo.
 * @param given what its user says that the value depends on, in place of the names that its function uses
 * @throws MemoKeyError
 */
export function memoKey(name: string, compute: object, given?: { readonly key: unknown }): MemoKey {
  return withClosures((closures) => {
    const walk = new Walk(name, closures, knownValues());
    const text = walk.root(compute, given);
    const parts = walk.parts();
    const version = [FORM, name, VERSION, process.versions.node.split(".")[0]];
    const named = parts.map((part) => [part.name, part.digest]);
    return { key: sha256Of(JSON.stringify([version, text, named])).slice(0, 32), text, parts };
  });
}

/** What a plan computes, without what differs from run to run. @throws MemoKeyError */
export function planDigest(name: string, plan: unknown): string {
  return withClosures((closures) => new Walk(name, closures, knownValues()).digestOfPlan(plan));
}

interface Pending {
  readonly name: string;
  readonly value: unknown;
  readonly path: string;
}

/** Names of the notebook's scope whose values are always this package's own. */
const isLazyGlobal = (name: string): boolean => Object.getOwnPropertyDescriptor(globalThis, name)?.get !== undefined;

class Walk {
  private readonly found = new Map<string, KeyPart>();
  private readonly names = new Map<string, { readonly name: string; readonly value: unknown }[]>();
  private readonly pending: Pending[] = [];

  constructor(
    private readonly memo: string,
    private readonly closures: Closures,
    private readonly known: KnownValues,
  ) {}

  root(compute: object, given: { readonly key: unknown } | undefined): string {
    const writing = begun();
    const shape = this.shapeOf(compute, "its function");
    if (given) this.part("key", given.key, "key");
    else this.writeFunction(writing, compute, "", { isRoot: true });
    while (this.pending.length > 0) this.finish(this.pending.shift() as Pending);
    return shape.digest;
  }

  parts(): KeyPart[] {
    return [...this.found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  digestOfPlan(plan: unknown): string {
    const writing = begun();
    writing.isOwn = true;
    this.write(writing, plan, "plan");
    while (this.pending.length > 0) this.finish(this.pending.shift() as Pending);
    return sha256Of(JSON.stringify([writing.hash.digest("hex"), this.parts().map((part) => [part.name, part.digest])]));
  }

  /** What a name with that value is called among parts: another value of the same name has a number. */
  private called(name: string, value: unknown): { readonly part: string; readonly isNew: boolean } {
    const known = this.names.get(name) ?? [];
    this.names.set(name, known);
    const same = known.find((each) => Object.is(each.value, value));
    if (same) return { part: same.name, isNew: false };
    const part = known.length === 0 ? name : `${name} (${known.length + 1})`;
    known.push({ name: part, value });
    return { part, isNew: true };
  }

  /** Takes note of a name's value. @returns what the name is called among parts */
  private part(name: string, value: unknown, path: string): string {
    const { part, isNew } = this.called(name, value);
    if (isNew) this.pending.push({ name: part, value, path: path === "" ? name : `${path} → ${name}` });
    return part;
  }

  private finish({ name, value, path }: Pending): void {
    const writing = begun();
    this.write(writing, value, path);
    const digest = writing.hash.digest("hex");
    this.found.set(name, { name, kind: kindOf(value), digest, ...shown(value) });
  }

  /** The same for a name of which words say all. */
  private token(name: string, kind: KeyPart["kind"], text: string): string {
    const { part, isNew } = this.called(name, Symbol.for(`pomona.memo: ${kind} ${text}`));
    if (isNew) this.found.set(part, { name: part, kind, digest: sha256Of(JSON.stringify(text)), shown: text });
    return part;
  }

  // --- Values -----------------------------------------------------------------------------------------------------

  private write(to: Writing, value: unknown, path: string): void {
    switch (typeof value) {
      case "object":
        if (value === null) put(to, "null");
        else this.writeObject(to, value, path);
        return;
      case "function":
        this.writeObject(to, value, path);
        return;
      case "symbol":
        put(to, "symbol", Symbol.keyFor(value) ?? value.description ?? "");
        return;
      default:
        put(to, typeof value, Object.is(value, -0) ? "-0" : String(value));
    }
  }

  private writeObject(to: Writing, value: object, path: string): void {
    const number = to.seen.get(value);
    if (number !== undefined) {
      put(to, "again", String(number));
      return;
    }
    to.seen.set(value, to.seen.size);
    if (types.isProxy(value)) this.refuse(path, "is a Proxy");
    const words = this.known.of(value);
    if (words !== undefined) {
      put(to, "known", words);
      return;
    }
    if (typeof value === "function") {
      this.writeFunction(to, value, path);
      return;
    }
    if (this.writeOwn(to, value, path)) return;
    this.writeContent(to, value, path);
    this.writeClass(to, value, path);
    this.writeProperties(to, value, path);
  }

  /** What this package makes: by what it stands for, and not by what an engine has for it. */
  private writeOwn(to: Writing, value: object, path: string): boolean {
    if (value instanceof DataFrame) {
      put(to, "DataFrame");
      this.within(to, () => this.write(to, value.plan, path));
    } else if (value instanceof Column) {
      put(to, "Column");
      this.within(to, () => this.write(to, value.expression, path));
    } else if (value instanceof Broadcast) {
      put(to, "Broadcast");
      this.write(to, value.value, `${path}.value`);
    } else if (value instanceof Session || value instanceof SparkContext) {
      put(to, "session");
    } else return false;
    return true;
  }

  private within(to: Writing, write: () => void): void {
    const before = to.isOwn;
    to.isOwn = true;
    write();
    to.isOwn = before;
  }

  /** What a builtin holds besides its properties. */
  private writeContent(to: Writing, value: object, path: string): void {
    if (Array.isArray(value)) put(to, "array", String(value.length));
    else if (types.isMap(value)) {
      put(to, "map", String(value.size));
      let i = 0;
      for (const [key, item] of value) {
        this.write(to, key, `${path} (key ${i})`);
        this.write(to, item, `${path} (value ${i++})`);
      }
    } else if (types.isSet(value)) {
      put(to, "set", String(value.size));
      let i = 0;
      for (const item of value) this.write(to, item, `${path} (item ${i++})`);
    } else if (types.isDate(value)) put(to, "date", String(Date.prototype.getTime.call(value)));
    else if (types.isRegExp(value)) put(to, "regexp", `${String(value)} ${value.lastIndex}`);
    else if (types.isNativeError(value)) put(to, "error");
    else if (ArrayBuffer.isView(value)) {
      const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      put(to, "view", `${Object.prototype.toString.call(value)} ${bytes.length}`);
      to.hash.update(bytes);
    } else if (types.isAnyArrayBuffer(value)) {
      put(to, "buffer", String(value.byteLength));
      to.hash.update(new Uint8Array(value));
    } else if (types.isBoxedPrimitive(value)) {
      put(to, "boxed");
      this.write(to, value.valueOf(), path);
    } else if (value instanceof URL) put(to, "url", value.href);
    else if (value instanceof URLSearchParams) put(to, "search", String(value));
    else put(to, "object");
  }

  /** The class of an instance, and its private fields. */
  private writeClass(to: Writing, value: object, path: string): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === null || isPlainPrototype(prototype)) {
      put(to, prototype === null ? "bare" : "plain");
      return;
    }
    for (const [is, what] of UNSEEN) if (is(value)) this.refuse(path, what);
    if (/ Iterator\]$/.test(Object.prototype.toString.call(value))) this.refuse(path, "is an iterator");
    const type = (prototype as { constructor?: unknown }).constructor;
    if (typeof type !== "function" || type.prototype !== prototype) {
      put(to, "made by Object.create");
      this.write(to, prototype, `${path}.__proto__`);
      return;
    }
    const words = this.known.of(type);
    // Also the array of another realm.
    if (words !== undefined ? isBuiltinWord(words) : isNative(type)) {
      if (!hasSeenContent(value)) this.refuse(path, `is ${article(type.name)} of Node or the language`);
      put(to, "class", type.name);
      return;
    }
    put(to, "class");
    this.write(to, type, `${path}.constructor`);
    if (!hasSeenContent(value)) {
      for (const [name, field] of this.closures.privateFields(value)) {
        put(to, "private", name);
        this.write(to, field, `${path}.${name}`);
      }
    }
  }

  private writeProperties(to: Writing, value: object, path: string): void {
    const isModel = isEstimatorOrModel(value, this.known);
    // A key for each element: what else was put on a typed array is not looked at, nor would it be copied.
    const keys = ArrayBuffer.isView(value) ? [] : Reflect.ownKeys(value);
    for (const key of keys) {
      if (key === "length" && Array.isArray(value)) continue;
      if (types.isNativeError(value) && key === "stack") continue;
      // Of a model: its name, which is random, and what was sent to workers.
      if (isModel && (key === "uid" || key === "sent")) continue;
      const descriptor = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
      const at = typeof key === "symbol" ? `${path}[${String(key)}]` : fieldPath(path, key);
      const item: unknown = descriptor.value;
      if (typeof key === "string" && isRunsOwn(to, value, key)) {
        if (key === "planId" || key === "id") put(to, key, String(numberOf(to, item)));
        else if (key === "home") put(to, key, homeText(item));
        continue;
      }
      put(to, descriptor.enumerable ? "key" : "hidden", String(key));
      if (descriptor.get || descriptor.set) {
        this.write(to, descriptor.get, at);
        this.write(to, descriptor.set, at);
      } else this.write(to, item, at);
    }
    put(to, "end");
  }

  // --- Functions --------------------------------------------------------------------------------------------------

  private shapeOf(fn: object, path: string) {
    const shape = functionShape(Function.prototype.toString.call(fn));
    return shape ?? this.refuse(path, "is a function whose text can't be read");
  }

  private writeFunction(to: Writing, fn: object, path: string, { isRoot = false } = {}): void {
    const text = Function.prototype.toString.call(fn);
    if (isNative(fn)) {
      this.writeBound(to, fn, path);
      return;
    }
    const at = path === "" ? "its function" : path;
    const shape = this.shapeOf(fn, at);
    if (shape.unclear !== undefined) this.refuse(at, shape.unclear);
    put(to, "function", shape.digest);
    for (const module of shape.modules) put(to, "module", this.moduleWords(module, at));
    for (const [name, uses] of shape.names) this.writeName(to, fn, name, uses, path, isRoot);
    this.writeFunctionProperties(to, fn, text, path);
  }

  private writeBound(to: Writing, fn: object, path: string): void {
    const bound = this.closures.bound(fn);
    if (!bound) this.refuse(path, "is a function of native code");
    put(to, "bound");
    this.write(to, bound.target, path);
    this.write(to, bound.self, `${path} (its this)`);
    this.write(to, bound.args, `${path} (its arguments)`);
  }

  private moduleWords(module: string, path: string): string {
    const words = packageVersion(module, process.cwd());
    if (words !== undefined) return words;
    const remedy = "Import it at the top of a cell: then it is known which of its code runs.";
    return this.refuse(path, `imports ${JSON.stringify(module)} within the function`, remedy);
  }

  /** A name that a function takes from outside. */
  private writeName(
    to: Writing,
    fn: object,
    name: string,
    uses: readonly NameUse[],
    path: string,
    isRoot: boolean,
  ): void {
    const variable = this.closures.variable(fn, name);
    const refer = (part: string) => put(to, "name", part);
    if (!variable && (name === "globalThis" || name === "global")) {
      for (const { properties } of uses) {
        const [property] = properties;
        if (property === undefined) this.refuse(path === "" ? "its function" : path, `uses ${name} as a whole`);
        refer(this.globalPart(property, path));
      }
      return;
    }
    if (!variable) {
      refer(this.globalPart(name, path));
      return;
    }
    const place = kernelHost()?.notebookName?.(variable.value);
    if (isRoot) this.refuseAssignment(place?.name ?? name, uses, place ? 1 : 0);
    if (!place) {
      const members = uses.map(({ properties }) => properties);
      this.writeVariable(to, name, variable.value, members, path);
      return;
    }
    if (!place.value) {
      refer(this.globalPart(place.name, path));
      return;
    }
    const { imported } = place;
    const words = imported && packageVersion(imported.specifier, process.cwd());
    if (words !== undefined && imported) {
      put(to, "import", imported.exported);
      refer(this.token(place.name, "package", words));
      return;
    }
    this.writeVariable(
      to,
      place.name,
      place.value.now,
      uses.map(({ properties }) => properties.slice(1)),
      path,
    );
  }

  /** The members of a module that are used, and any other value as a whole. */
  private writeVariable(
    to: Writing,
    name: string,
    value: unknown,
    members: readonly (readonly string[])[],
    path: string,
  ): void {
    if (!isNamespace(value) || this.known.of(value) !== undefined || members.some(([member]) => member === undefined)) {
      put(to, "name", this.part(name, value, path));
      return;
    }
    for (const member of [...new Set(members.map(([first]) => first as string))].sort())
      put(to, "member", this.part(`${name}.${member}`, value[member], path));
  }

  private globalPart(name: string, path: string): string {
    if (isLazyGlobal(name) || (isWorkerGlobal(name) && name in globalThis)) {
      return this.token(name, "global", name);
    }
    if (!(name in globalThis)) {
      // As long as nothing has the name, that is all there is to say.
      return this.token(name, "global", `no ${name}`);
    }
    const value = (globalThis as Record<string, unknown>)[name];
    // A name of the notebook's scope has its value from the first use on.
    if (typeof value === "object" || typeof value === "function") {
      if (value !== null && this.known.isOwn(value)) return this.token(name, "global", name);
    }
    return this.part(name, value, path);
  }

  private refuseAssignment(name: string, uses: readonly NameUse[], depth: 0 | 1): void {
    if (!uses.some(({ assigned }) => assigned === depth)) return;
    throw new MemoKeyError(
      this.memo,
      "its function",
      `assigns ${name}, which would not happen where the value is taken from what was kept`,
      `Return what it computes, and assign ${name} outside: ${name} = await memo(${JSON.stringify(this.memo)}, …).`,
    );
  }

  /** What was put on a function, a class's static fields among them, and what it extends. */
  private writeFunctionProperties(to: Writing, fn: object, text: string, path: string): void {
    const parent: unknown = Object.getPrototypeOf(fn);
    if (typeof parent === "function" && this.known.of(parent) === undefined && parent !== Function.prototype) {
      put(to, "extends");
      this.write(to, parent, `${path}.__proto__`);
    }
    for (const key of Reflect.ownKeys(fn)) {
      if (["length", "name", "arguments", "caller"].includes(String(key))) continue;
      const descriptor = Object.getOwnPropertyDescriptor(fn, key) as PropertyDescriptor;
      if (key === "prototype") this.writePrototype(to, descriptor.value as object | undefined, text, path);
      else this.writeMember(to, String(key), descriptor, text, path);
    }
    put(to, "end");
  }

  private writePrototype(to: Writing, prototype: object | undefined, text: string, path: string): void {
    if (typeof prototype !== "object" || prototype === null) return;
    for (const key of Reflect.ownKeys(prototype)) {
      if (key === "constructor") continue;
      const descriptor = Object.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor;
      this.writeMember(to, `prototype.${String(key)}`, descriptor, text, path);
    }
  }

  /** What stands in the class's own text is told by that. */
  private writeMember(to: Writing, key: string, descriptor: PropertyDescriptor, text: string, path: string): void {
    for (const part of [descriptor.value, descriptor.get, descriptor.set] as unknown[]) {
      if (part === undefined) continue;
      if (typeof part === "function" && text.includes(Function.prototype.toString.call(part))) continue;
      put(to, "member", key);
      this.write(to, part, `${path}.${key}`);
    }
  }

  private refuse(path: string, problem: string, remedy?: string): never {
    throw new MemoKeyError(this.memo, path, problem, remedy);
  }
}

function kindOf(value: unknown): KeyPart["kind"] {
  if (value instanceof DataFrame) return "frame";
  if (typeof value !== "function") return "value";
  return /^class\b/.test(Function.prototype.toString.call(value)) ? "class" : "function";
}

function shown(value: unknown): { readonly shown?: string } {
  if (typeof value === "string") return value.length <= 40 ? { shown: JSON.stringify(value) } : {};
  return value === null || ["number", "boolean", "bigint", "undefined"].includes(typeof value)
    ? { shown: typeof value === "bigint" ? `${value}n` : Object.is(value, -0) ? "-0" : String(value) }
    : {};
}
