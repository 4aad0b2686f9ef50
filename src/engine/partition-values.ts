import type { DataType, PrimitiveType } from "../data/types";
import { AnalysisError } from "../frame/analysis-error";

/** The name that stands for null, and for an empty text, in a partition's folder. */
export const NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__";

/** A partition's value as text that casts to its column's type. */
export type PartitionValue = string | null;

/**
 * The type of a value as a folder has it, found as Spark finds it: int, long, a whole decimal, double, timestamp, date,
 * string; `void` for null.
 * @see https://spark.apache.org/docs/latest/sql-data-sources-parquet.html#partition-discovery
 */
export function partitionValueType(raw: string, inference: boolean): PrimitiveType {
  if (raw === NULL_FOLDER) return "void";
  if (!inference) return "string";
  if (/^[+-]?\d+$/.test(raw)) {
    const value = BigInt(raw);
    if (BigInt.asIntN(32, value) === value) return "integer";
    if (BigInt.asIntN(64, value) === value) return "long";
  }
  const digits = wholeNumber(raw)?.toString().replace("-", "").length ?? 99;
  if (digits <= 38) return `decimal(${digits},0)`;
  if (javaNumber(raw) !== undefined) return "double";
  if (isTimestamp(unescapeFolder(raw))) return "timestamp";
  if (isDate(raw)) return "date";
  return "string";
}

/** The type that holds the values of two folders; Spark takes text where numbers would lose digits. */
export function widerPartitionType(a: PrimitiveType, b: PrimitiveType): PrimitiveType {
  if (a === b || b === "void") return a;
  if (a === "void") return b;
  const both = new Set([a, b]);
  if (both.has("integer") && both.has("long")) return "long";
  if (both.has("integer") && both.has("double")) return "double";
  if (both.has("date") && both.has("timestamp")) return "timestamp";
  const [p, q] = [wholeDigits(a), wholeDigits(b)];
  return p !== undefined && q !== undefined ? `decimal(${Math.max(p, q)},0)` : "string";
}

/** A folder's value as one of `type`. @throws AnalysisError where it is none, which only a given schema brings about */
export function partitionValue(raw: string, type: DataType, column: string): PartitionValue {
  if (raw === NULL_FOLDER || type === "void") return null;
  const value = typeof type === "string" ? textAs(raw, type) : undefined;
  if (value !== undefined) return value;
  throw new AnalysisError(
    `[INVALID_PARTITION_VALUE] The folder's value "${raw}" is no ${typeof type === "string" ? type : type.type} for column \`${column}\`.`,
    { remedy: `Give the column another type in the schema, such as ${column} STRING.` },
  );
}

function textAs(raw: string, type: PrimitiveType): string | undefined {
  const text = unescapeFolder(raw);
  switch (type) {
    case "string":
    case "binary":
      return text;
    case "byte":
      return wholeText(raw, 8);
    case "short":
      return wholeText(raw, 16);
    case "integer":
      return wholeText(raw, 32);
    case "long":
      return wholeText(raw, 64);
    case "float":
    case "double":
      return numberText(javaNumber(raw));
    case "boolean":
      return /^(true|false)$/i.test(raw) ? raw.toLowerCase() : undefined;
    case "date":
      return isDate(raw) ? raw : undefined;
    case "timestamp":
    case "timestamp_ntz": {
      const time = isDate(raw) ? `${raw} 00:00:00` : isTimestamp(text) ? text : undefined;
      return time === undefined || type === "timestamp_ntz" ? time : `${time}+00`;
    }
    default:
      return wholeNumber(raw)?.toString() ?? (/^[+-]?\d*\.?\d+$/.test(raw) ? raw : undefined);
  }
}

/** Hive's escapes in a folder's name: `%3D` is `=`. What is no such escape stays. */
export function unescapeFolder(name: string): string {
  return name.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** A text as part of a folder's name, with Hive's escapes. */
export function escapeFolder(text: string): string {
  return text.replace(UNSAFE, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

/** What Hive escapes: control characters, and those with a meaning in paths and shells. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
const UNSAFE = /[\u0001-\u001f"#%'*/:=?\\\u007f{[\]^]/g;

/** How many digits a whole type needs as a decimal, as Spark's coercion says. */
function wholeDigits(type: PrimitiveType): number | undefined {
  if (type === "integer") return 10;
  if (type === "long") return 20;
  const decimal = /^decimal\((\d+),0\)$/.exec(type);
  return decimal ? Number(decimal[1]) : undefined;
}

function wholeText(raw: string, bits: number): string | undefined {
  if (!/^[+-]?\d+$/.test(raw)) return undefined;
  const value = BigInt(raw);
  return BigInt.asIntN(bits, value) === value ? value.toString() : undefined;
}

/** A number in Java's decimal form that has no fraction: `12`, `5.`, `1e5`. */
function wholeNumber(raw: string): bigint | undefined {
  const parts = /^([+-]?)(?:(\d+)\.?(\d*)|\.(\d+))(?:[eE]([+-]?\d+))?$/.exec(raw);
  if (!parts) return undefined;
  const [, sign, whole = "", after = "", only = "", exponent = "0"] = parts;
  const fraction = after || only;
  const zeros = Number(exponent) - fraction.length;
  if (zeros < 0 || zeros > 400) return undefined;
  return BigInt(`${whole}${fraction}${"0".repeat(zeros)}`) * (sign === "-" ? -1n : 1n);
}

function numberText(value: number | undefined): string | undefined {
  return Object.is(value, -0) ? "-0.0" : value?.toString();
}

/** What Java's `Double.parseDouble` takes. */
function javaNumber(raw: string): number | undefined {
  const parts = /^([+-]?)(?:(NaN)|(Infinity)|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?)$/.exec(raw.trim());
  if (!parts) return undefined;
  const value = parts[2] ? Number.NaN : parts[3] ? Number.POSITIVE_INFINITY : Number(parts[4]);
  return parts[1] === "-" ? -value : value;
}

function isDate(text: string): boolean {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (!parts) return false;
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function isTimestamp(text: string): boolean {
  const parts = /^(\S{10}) (\d\d):(\d\d):(\d\d)(?:\.\d)?$/.exec(text);
  return (
    parts !== null && isDate(parts[1] ?? "") && Number(parts[2]) < 24 && Number(parts[3]) < 60 && Number(parts[4]) < 60
  );
}
