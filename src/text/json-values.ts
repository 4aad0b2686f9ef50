import type { DataType, StructType } from "../data/types";
import type { Value } from "./columns";
import type { JsonReading } from "./json-options";
import type { JsonNode, JsonObject } from "./json-parser";
import { decimalShape, parseBigDecimal, parseInteger, parseLong, toDecimal } from "./values";

/** Turns JSON into values of a schema. What is of another type is null, and told. */
export class JsonConverter {
  /** What was wrong with the last record, if anything was. */
  problem: string | undefined;

  constructor(private readonly reading: JsonReading) {}

  /** A row of an object: fields by name, of one name the last value that is of the field's type. */
  row(object: JsonObject, schema: StructType): Value[] {
    const row: Value[] = schema.fields.map(() => null);
    object.names.forEach((name, i) => {
      const at = schema.fields.findIndex((field) => field.name === name);
      if (at < 0) return;
      const { type } = schema.fields[at] as { type: DataType };
      const node = object.values[i] ?? null;
      const value = node === null ? null : this.converted(node, type);
      if (value !== undefined) row[at] = value;
      else if (node !== null)
        this.problem ??= `${shown(node)} is no value of type ${typeof type === "string" ? type : type.type}`;
    });
    return row;
  }

  private converted(node: Exclude<JsonNode, null>, type: DataType): Value | undefined {
    if (typeof type !== "string") {
      switch (type.type) {
        case "struct":
          return isObject(node) ? this.row(node, type) : undefined;
        case "array":
          return isArray(node) ? this.all(node.items, type.elementType) : undefined;
        case "map":
          return isObject(node) ? this.entries(node, type.valueType) : undefined;
      }
    }
    if (type === "string") return typeof node === "string" ? node : sourceOf(node);
    if (typeof node === "boolean") return type === "boolean" ? node : undefined;
    if (typeof node === "string") return this.ofText(node, type);
    return node.kind === "number" ? this.ofNumber(node.text, node.isWhole, type) : undefined;
  }

  /** A name that occurs twice keeps its first place and its last value. */
  private entries(node: JsonObject, type: DataType): Value[] | undefined {
    const values = this.all(node.values, type);
    if (!values) return undefined;
    const entries = new Map<string, Value>();
    for (const [i, name] of node.names.entries()) entries.set(name, values[i] ?? null);
    return [...entries].map(([name, value]) => [name, value]);
  }

  /** Values of one type; undefined where one of them is none. */
  private all(nodes: readonly JsonNode[], type: DataType): Value[] | undefined {
    const values: Value[] = [];
    for (const node of nodes) {
      const value = node === null ? null : this.converted(node, type);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  }

  private ofNumber(text: string, isWhole: boolean, type: string): Value | undefined {
    const decimal = decimalShape(type as DataType);
    if (decimal) {
      const value = parseBigDecimal(text);
      return value && toDecimal(value, decimal.precision, decimal.scale);
    }
    switch (type) {
      case "float":
        return Math.fround(numberOf(text));
      case "double":
        return numberOf(text);
    }
    if (!isWhole) return undefined;
    switch (type) {
      case "byte": {
        // Jackson takes unsigned bytes too.
        const value = parseInteger(text, 16);
        return value !== undefined && value >= -128 && value <= 255 ? (value << 24) >> 24 : undefined;
      }
      case "short":
        return parseInteger(text, 16);
      case "integer":
        return parseInteger(text, 32);
      case "long":
        return parseLong(text);
      case "timestamp": {
        const seconds = parseLong(text);
        return seconds === undefined ? undefined : BigInt.asIntN(64, seconds * 1_000_000n);
      }
      default:
        return undefined;
    }
  }

  private ofText(text: string, type: string): Value | undefined {
    if (text === "") return type === "binary" ? new Uint8Array() : undefined;
    const decimal = decimalShape(type as DataType);
    if (decimal) {
      const value = parseBigDecimal(text.replaceAll(",", ""));
      return value && toDecimal(value, decimal.precision, decimal.scale);
    }
    switch (type) {
      case "float":
      case "double":
        if (!this.reading.syntax.nonNumericNumbers) return undefined;
        if (/^(?:NaN|[+-]?INF|[+-]?Infinity)$/.test(text) && text !== "INF") return numberOf(text);
        return undefined;
      case "date":
        return this.reading.times.date(text) ?? (/^[+-]?\d+$/.test(text) ? parseInteger(text, 32) : undefined);
      case "timestamp":
        return this.reading.times.timestamp(text);
      case "timestamp_ntz":
        return this.reading.times.localTimestamp(text);
      case "binary":
        return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0 ? Buffer.from(text, "base64") : undefined;
      default:
        return undefined;
    }
  }
}

function numberOf(text: string): number {
  return Number(text.replace("INF", "Infinity").replace("Infinityinity", "Infinity"));
}

function sourceOf(node: Exclude<JsonNode, null | string>): string {
  if (typeof node === "boolean") return String(node);
  return node.kind === "number" ? node.text : node.source;
}

function shown(node: Exclude<JsonNode, null>): string {
  const text = typeof node === "string" ? JSON.stringify(node) : sourceOf(node);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

export function isObject(node: JsonNode): node is JsonObject {
  return typeof node === "object" && node !== null && node.kind === "object";
}

export function isArray(node: JsonNode): node is Extract<JsonNode, { kind: "array" }> {
  return typeof node === "object" && node !== null && node.kind === "array";
}
