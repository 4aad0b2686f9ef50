import { types } from "node:util";
import type { Json } from "../data/batch-function";
import { displayIdOf, type MimeBundle, withDisplayId } from "../kernel/mime-bundle";
import { isPlainObject } from "./inspection";

const MIME_TYPE = /^(?:text|image|audio|video|application)\/[\w.+-]+(?:;.*)?$/;

/**
 * True for what is a mime bundle and no value to be shown: a plain object whose keys are all mime types, each with text, bytes
 * or, under `application/...`, an object. A count by mime type, `{ "image/png": 12 }`, is a value.
 */
export function isMimeBundle(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isPlainObject(value)) return false;
  const types = Object.keys(value);
  // The first key tells of nearly all values that they are none.
  if (types.length === 0 || types.length > 100 || !MIME_TYPE.test(types[0] as string)) return false;
  return Object.entries(value).every(([type, data]) => MIME_TYPE.test(type) && isMimeData(type, data));
}

function isMimeData(type: string, data: unknown): boolean {
  if (typeof data === "string" || data instanceof Uint8Array) return true;
  return type.startsWith("application/") && typeof data === "object" && data !== null;
}

/** A bundle as messages carry it: bytes in base64, the rest as JSON; what is undefined is left out. */
export function messageBundle(bundle: Readonly<Record<string, unknown>>): MimeBundle {
  const entries = Object.entries(bundle).filter(([, data]) => data !== undefined);
  const message = Object.fromEntries(entries.map(([type, data]) => [type, messageData(type, data)]));
  const displayId = displayIdOf(bundle as MimeBundle);
  return displayId === undefined ? message : withDisplayId(message, displayId);
}

function messageData(type: string, data: unknown): Json {
  if (typeof data === "string") return data;
  if (data instanceof Uint8Array) return Buffer.from(data).toString(isText(type) ? "utf8" : "base64");
  return plainJson(data);
}

function isText(type: string): boolean {
  return type.startsWith("text/") || /\+xml$|\+json$|\/json$|\/javascript$/.test(type);
}

/** A value as JSON: typed arrays as arrays, whole numbers beyond 2^53 rounded, NaN as null. @throws TypeError on a circle */
export function plainJson(value: unknown): Json {
  const text = JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === "bigint") return Number(item);
    if (ArrayBuffer.isView(item) && !types.isDataView(item)) return Array.from(item as unknown as ArrayLike<number>);
    return item;
  });
  return text === undefined ? null : (JSON.parse(text) as Json);
}
