import { types } from "node:util";
import { isNativeText } from "../user-functions/capture";
import type { KnownValues } from "./known-values";

export const UNSEEN: readonly (readonly [is: (value: object) => boolean, what: string])[] = [
  [types.isPromise, "is a Promise: await it first, or it"],
  [types.isWeakMap, "is a WeakMap"],
  [types.isWeakSet, "is a WeakSet"],
  [types.isGeneratorObject, "is a generator that is under way"],
  [types.isMapIterator, "is an iterator"],
  [types.isSetIterator, "is an iterator"],
  [types.isExternal, "is a value of native code"],
];

export function hasSeenContent(value: object): boolean {
  return (
    Array.isArray(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isNativeError(value) ||
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isBoxedPrimitive(value) ||
    value instanceof URL ||
    value instanceof URLSearchParams
  );
}

export function isNative(fn: object): boolean {
  return isNativeText(Function.prototype.toString.call(fn));
}

/** Also of an object of another realm, which has an Object.prototype of its own. */
export function isPlainPrototype(prototype: unknown): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, "isPrototypeOf");
}

/** True for a word of the language or Node, false for one of a package, which says a version. */
export function isBuiltinWord(words: string): boolean {
  return !/^\S+ \S+: /.test(words);
}

/** A module's exports, in whichever form a compiler gives them. */
export function isNamespace(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const tag = (value as { readonly [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  return types.isModuleNamespaceObject(value) || Object.hasOwn(value, "__esModule") || tag === "Module";
}

export function isEstimatorOrModel(value: object, known: KnownValues): boolean {
  const type: unknown = Object.getPrototypeOf(value)?.constructor;
  return typeof type === "function" && "uid" in value && ("fit" in value || "transform" in value) && known.isOwn(type);
}

export function fieldPath(path: string, key: string): string {
  if (/^\d+$/.test(key)) return `${path}[${key}]`;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

export function article(name: string): string {
  return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}
