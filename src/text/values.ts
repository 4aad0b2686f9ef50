import type { DataType } from "../data/types";
import type { Value } from "./columns";

/** Text as Java's and Scala's parsers of numbers read it; undefined where they throw. */

/** `Integer.parseInt` within a number of bits. */
export function parseInteger(text: string, bits: 8 | 16 | 32): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = Number(text);
  const limit = 2 ** (bits - 1);
  return value >= -limit && value < limit ? value + 0 : undefined;
}

/** `Long.parseLong`. */
export function parseLong(text: string): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text) || text.length > 40) return undefined;
  const value = BigInt(text.replace(/^\+/, ""));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

const DECIMAL_DOUBLE = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?$/;
const HEX_DOUBLE = /^([+-]?)0[xX](?:([0-9a-fA-F]+)\.?([0-9a-fA-F]*)|\.([0-9a-fA-F]+))[pP]([+-]?\d+)[fFdD]?$/;

/** `Double.parseDouble`: blanks around, `1d`, `0x1p3`, `NaN` and `Infinity` are read too. */
export function parseDouble(text: string): number | undefined {
  const bare = javaTrim(text);
  const decimal = DECIMAL_DOUBLE.exec(bare);
  if (decimal) return Number(decimal[1]);
  const named = /^([+-]?)(NaN|Infinity)$/.exec(bare);
  if (named) return named[2] === "NaN" ? Number.NaN : named[1] === "-" ? -Infinity : Infinity;
  const hex = HEX_DOUBLE.exec(bare);
  if (!hex) return undefined;
  const fraction = hex[3] ?? hex[4] ?? "";
  const digits = Number.parseInt(`${hex[2] ?? ""}${fraction}` || "0", 16);
  return (hex[1] === "-" ? -1 : 1) * digits * 2 ** (Number(hex[5]) - 4 * fraction.length);
}

/** `toBoolean` of Scala. */
export function parseBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  return lower === "true" ? true : lower === "false" ? false : undefined;
}

/** A number as `java.math.BigDecimal` holds it: `unscaled` times ten to the minus `scale`. */
export interface BigDecimal {
  readonly unscaled: bigint;
  readonly scale: number;
}

/** `new BigDecimal(text)`. */
export function parseBigDecimal(text: string): BigDecimal | undefined {
  const found = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,10}))?$/.exec(text);
  if (!found) return undefined;
  const digits = `${found[2] ?? ""}${found[3] ?? ""}`;
  if (digits === "") return undefined;
  const exponent = Number(found[4] ?? 0);
  return { unscaled: BigInt(`${found[1] === "-" ? "-" : ""}${digits}`), scale: (found[3] ?? "").length - exponent };
}

/** How many digits a decimal has; zero has one. */
export function precisionOf({ unscaled }: BigDecimal): number {
  return (unscaled < 0n ? -unscaled : unscaled).toString().length;
}

/** The digits of a value of `decimal(precision,scale)`, rounded half up; undefined where it has more. */
export function toDecimal(value: BigDecimal, precision: number, scale: number): bigint | undefined {
  const shift = scale - value.scale;
  if (value.unscaled === 0n) return 0n;
  if (shift > precision) return undefined;
  // What is left of so small a number is nothing.
  if (-shift > precisionOf(value) + 1) return 0n;
  let unscaled = value.unscaled;
  if (shift >= 0) {
    unscaled *= 10n ** BigInt(shift);
  } else {
    const unit = 10n ** BigInt(-shift);
    const absolute = unscaled < 0n ? -unscaled : unscaled;
    const rounded = (absolute + unit / 2n) / unit;
    unscaled = unscaled < 0n ? -rounded : rounded;
  }
  return (unscaled < 0n ? -unscaled : unscaled) < 10n ** BigInt(precision) ? unscaled : undefined;
}

/** Precision and scale of a decimal type; undefined for another. */
export function decimalShape(type: DataType): { precision: number; scale: number } | undefined {
  const found = typeof type === "string" ? /^decimal\((\d+),(-?\d+)\)$/.exec(type) : null;
  return found ? { precision: Number(found[1]), scale: Number(found[2]) } : undefined;
}

/** `String.trim` of Java: everything up to a blank. */
export function javaTrim(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && text.charCodeAt(from) <= 32) from++;
  while (to > from && text.charCodeAt(to - 1) <= 32) to--;
  return text.slice(from, to);
}

/** How many blanks a text begins with. */
export function leadingBlanks(text: string): number {
  let from = 0;
  while (from < text.length && isBlank(text.charCodeAt(from))) from++;
  return from;
}

/** A text without the blanks at its end. */
export function withoutEndBlanks(text: string): string {
  let end = text.length;
  while (end > 0 && isBlank(text.charCodeAt(end - 1))) end--;
  return end === text.length ? text : text.slice(0, end);
}

/** A character up to a space: what univocity-parsers takes for white space. */
export function isBlank(code: number): boolean {
  return code <= 32;
}

/** Turns text into a value of one type; undefined where it is none. */
export type Convert = (text: string) => Value | undefined;
