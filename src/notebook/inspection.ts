import { inspect, types } from "node:util";

/** Elements of an array, a map or a set that are written out. */
const MOST_ITEMS = 100;

/** Properties of one object that are written out. */
const MOST_KEYS = 1_000;

/** Values that one text may hold, all levels together. Beyond it fewer items of each array are written, then fewer levels. */
const MOST_VALUES = 2_000;

/** Items of each array where a value has many of them. */
const FEW_ITEMS = 10;

/** Characters of a text. */
const MOST_CHARACTERS = 100_000;

/**
 * A value as Node's REPL prints it, without colours: four levels deep, less where that would be too much to read. Takes no
 * longer for a huge value than for a large one, and never throws.
 */
export function inspectionText(value: unknown): string {
  try {
    const text = inspected(value);
    if (text.length <= MOST_CHARACTERS) return text;
    return `${text.slice(0, MOST_CHARACTERS)}... ${(text.length - MOST_CHARACTERS).toLocaleString("en-US")} more characters`;
  } catch (error) {
    return `[a value that can't be written out: ${errorText(error)}]`;
  }
}

/** A thrown value in a line; it may be anything, even an object that throws when it is read. */
export function errorText(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } catch {
    return "an error that can't be read";
  }
}

function inspected(value: unknown): string {
  const { shown, left, what } = head(value);
  const { depth, items } = boundsFor(shown);
  const text = withoutHooks(inspect(shown, { depth, maxArrayLength: items, maxStringLength: 10_000, colors: false }));
  return left > 0 ? text.replace(/[\]}]$/, `  ... ${left.toLocaleString("en-US")} more ${what}\n$&`) : text;
}

/** The part of a value that is written out, where Node would walk through all of it. */
function head(value: unknown): { shown: unknown; left: number; what: string } {
  if (typeof value !== "object" || value === null || types.isProxy(value)) return { shown: value, left: 0, what: "" };
  if (Array.isArray(value) && value.length > MOST_KEYS && Object.getPrototypeOf(value) === Array.prototype) {
    const { items } = boundsFor(value);
    return { shown: value.slice(0, items), left: value.length - items, what: "items" };
  }
  if (!isPlainObject(value) || inspect.custom in value) return { shown: value, left: 0, what: "" };
  const keys = Object.keys(value);
  if (keys.length <= MOST_KEYS) return { shown: value, left: 0, what: "" };
  const shown: object = Object.create(Object.getPrototypeOf(value));
  for (const key of keys.slice(0, MOST_KEYS)) {
    Object.defineProperty(shown, key, Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor);
  }
  return { shown, left: keys.length - MOST_KEYS, what: "properties" };
}

/** True for an object literal and the like. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || types.isProxy(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // An object literal of another context, such as a `vm`, has another Object.prototype.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** What AsyncLocalStorage hangs on promises says nothing to a reader. */
function withoutHooks(text: string): string {
  return text
    .replace(
      /,\s*\[Symbol\((?:async_id_symbol|trigger_async_id_symbol|kResourceStore)\)\]: (?:\{[^{}]*\}|[^\s,{}]+)/g,
      "",
    )
    .replace(/Promise \{\s*(<pending>|[^\s{}[\]]+)\s*\}/g, "Promise { $1 }");
}

/** How deep a value is written, and how many items of each array, so that the text holds no more values than it may. */
function boundsFor(value: unknown): { depth: number; items: number } {
  if (fits(value, 4, MOST_ITEMS, { left: MOST_VALUES })) return { depth: 4, items: MOST_ITEMS };
  for (let depth = 4; depth > 0; depth--) {
    if (fits(value, depth, FEW_ITEMS, { left: MOST_VALUES })) return { depth, items: FEW_ITEMS };
  }
  return { depth: 0, items: FEW_ITEMS };
}

function fits(value: unknown, depth: number, items: number, budget: { left: number }): boolean {
  if (--budget.left < 0) return false;
  if (typeof value !== "object" || value === null || depth < 0 || types.isProxy(value)) return true;
  if (ArrayBuffer.isView(value)) {
    budget.left -= Math.min("length" in value ? (value.length as number) : value.byteLength, items);
    return budget.left >= 0;
  }
  if (inspect.custom in value) return true;
  const inner = (item: unknown) => fits(item, depth - 1, items, budget);
  if (Array.isArray(value)) {
    const length = Math.min(value.length, items);
    for (let i = 0; i < length; i++) if (!inner(value[i])) return false;
    return true;
  }
  if (types.isMap(value) || types.isSet(value)) {
    let read = 0;
    for (const item of value as Iterable<unknown>) {
      if (read++ === items) break;
      if (!inner(item)) return false;
    }
    return true;
  }
  for (const key of Object.keys(value)) {
    // Not read by name: a getter may do anything.
    if (!inner(Object.getOwnPropertyDescriptor(value, key)?.value)) return false;
  }
  return true;
}
