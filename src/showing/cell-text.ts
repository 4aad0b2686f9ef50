import type { Vector } from "apache-arrow";
import { type DecimalValue, decimalText } from "../data/decimal";
import { javaDouble, javaFloat } from "../data/java-number";
import { plainValue } from "../data/plain-value";
import type { DataType } from "../data/types";

/**
 * One Arrow value as Spark's `show` prints it: `NULL`, `1.0`, `1.0E-5`, `[FF D8]`, `[1.0, 2.0]`, `{a, b}`, `{k -> v}`.
 * @param value of a time its microseconds as a bigint, where they are known
 * @param most characters that are read: a file's content or a vector is not written out beyond them, though the text may be
 *   longer
 */
export function cellText(value: unknown, type: DataType, most = Number.POSITIVE_INFINITY): string {
  if (value === null || value === undefined) return "NULL";
  if (typeof type === "string") return primitiveText(value, type, most);
  switch (type.type) {
    case "array":
      return `[${Array.from((value as Vector).slice(0, elements(most)), (item) => cellText(item, type.elementType, most)).join(", ")}]`;
    case "struct": {
      const fields = [...(value as Iterable<[string, unknown]>)];
      return `{${type.fields.map((field, i) => cellText(fields[i]?.[1], field.type, most)).join(", ")}}`;
    }
    case "map": {
      const entries = [...(value as Iterable<[unknown, unknown]>)];
      return `{${entries.map(([k, v]) => `${cellText(k, type.keyType, most)} -> ${cellText(v, type.valueType, most)}`).join(", ")}}`;
    }
  }
}

/** Each element takes a character at least, so that so many make the text longer than `most`. */
function elements(most: number): number | undefined {
  return Number.isFinite(most) ? most : undefined;
}

function primitiveText(value: unknown, type: string, most: number): string {
  switch (type) {
    case "vector":
      return String(plainValue(value, type));
    case "float":
      return javaFloat(value as number);
    case "double":
      return javaDouble(value as number);
    case "binary":
      return `[${Array.from((value as Uint8Array).subarray(0, elements(most)), (b) => b.toString(16).toUpperCase().padStart(2, "0")).join(" ")}]`;
    case "date":
      return isoText(Number(value)).replace(/T.*/, "");
    case "timestamp":
    case "timestamp_ntz":
      return timestampText(typeof value === "bigint" ? value : Number(value));
    default:
      return type.startsWith("decimal")
        ? decimalText(value as DecimalValue, Number(type.slice(0, -1).split(",")[1]))
        : String(value);
  }
}

/** `2024-01-31 12:00:00.5` in UTC: microseconds without trailing zeros. @param time microseconds since 1970, or milliseconds with a fraction */
function timestampText(time: bigint | number): string {
  const micros = typeof time === "bigint" ? time : BigInt(Math.round(time * 1000));
  const withinSecond = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const fraction = String(withinSecond).padStart(6, "0").replace(/0+$/, "");
  const text = isoText(Number((micros - withinSecond) / 1000n))
    .replace("T", " ")
    .replace(/\.\d+Z$/, "");
  return fraction ? `${text}.${fraction}` : text;
}

/** A time as ISO text, years as Java writes them: at least four digits. @param millis since 1970 */
function isoText(millis: number): string {
  return new Date(millis).toISOString().replace(/^([+-])0{1,2}(?=\d{4,}-)/, "$1");
}
