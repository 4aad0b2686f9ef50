import { inspect } from "node:util";

/** Numbers of a vector that are written out. */
const MOST_NUMBERS = 3;

/** Characters of a cell. */
const MOST_CHARACTERS = 200;

/** A value in the cell of a table: one short line. */
export function valueText(value: unknown): string {
  if (value === undefined) return "";
  if (value === null) return "null";
  if (typeof value === "string") return shortened(value);
  if (typeof value !== "object") return typeof value === "function" ? `[function ${value.name}]` : String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof Uint8Array) return `${count(value.length)} bytes`;
  if (isVector(value)) return vectorText(value);
  const json = (value as { toJSON?: unknown }).toJSON;
  const plain: unknown = typeof json === "function" ? json.call(value) : value;
  return shortened(
    inspect(plain, { depth: 1, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 3, colors: false }),
  );
}

/** Numbers, as a typed array, a plain array or a vector of Arrow's. */
interface Vector {
  readonly length: number;
  readonly at: (index: number) => unknown;
}

function isVector(value: object): value is Vector {
  if (ArrayBuffer.isView(value)) return "length" in value;
  if (Array.isArray(value)) return value.length > 0 && typeof value[0] === "number";
  const like = value as { length?: unknown; at?: unknown; get?: unknown; toArray?: unknown };
  return typeof like.length === "number" && typeof like.at === "function" && typeof like.toArray === "function";
}

function vectorText(vector: Vector): string {
  const numbers = Array.from({ length: Math.min(MOST_NUMBERS, vector.length) }, (_, i) => itemText(vector.at(i)));
  return vector.length > MOST_NUMBERS
    ? `[${numbers.join(", ")}, ... ${count(vector.length)} values]`
    : `[${numbers.join(", ")}]`;
}

function itemText(item: unknown): string {
  // Six digits tell vectors apart; a float has no more than seven.
  if (typeof item === "number") return String(Number.isInteger(item) ? item : Number(item.toPrecision(6)));
  return valueText(item);
}

function shortened(text: string): string {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 3)}...` : text;
}

function count(n: number): string {
  return n.toLocaleString("en-US");
}
