import type { DataType, StructType } from "../data/types";
import type { Value } from "./columns";
import type { RowText } from "./csv-write";
import { flag, lineSeparator, type Options } from "./option-values";
import { valueWriter } from "./value-text";

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON has escapes for them.
const TO_ESCAPE = /["\\\u0000-\u001f]/g;
const SHORT: Readonly<Record<string, string>> = { "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escaped(c: string): string {
  return c === '"' || c === "\\" ? `\\${c}` : (SHORT[c] ?? codePoint(c));
}

function codePoint(c: string): string {
  return `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** JSON lines as Spark writes them: fields that are null are left out. @throws IllegalArgumentError for an option's value */
export function jsonText(schema: StructType, options: Options): RowText {
  const lineEnd = lineSeparator(options, Number.POSITIVE_INFINITY) ?? "\n";
  const ignoresNulls = flag(options, "ignoreNullFields", true);
  const plain = valueWriter(options);
  const isAscii = flag(options, "writeNonAsciiCharacterAsCodePoint");

  const quoted = (text: string) => {
    const json = `"${text.replace(TO_ESCAPE, escaped)}"`;
    return isAscii ? json.replace(/[\x80-\uffff]/g, codePoint) : json;
  };
  const struct = (fields: StructType["fields"], values: readonly Value[]) => {
    const parts: string[] = [];
    fields.forEach(({ name, type }, i) => {
      const value = values[i] ?? null;
      if (value !== null || !ignoresNulls) parts.push(`${quoted(name)}:${json(value, type)}`);
    });
    return `{${parts.join(",")}}`;
  };
  const json = (value: Value, type: DataType): string => {
    if (value === null) return "null";
    if (typeof type !== "string") {
      const items = value as readonly Value[];
      switch (type.type) {
        case "array":
          return `[${items.map((item) => json(item, type.elementType)).join(",")}]`;
        case "struct":
          return struct(type.fields, items);
        case "map":
          return `{${items
            .map((entry) => {
              const [key = null, item = null] = entry as readonly Value[];
              return `${quoted(plain(key, type.keyType))}:${json(item, type.valueType)}`;
            })
            .join(",")}}`;
      }
    }
    switch (type) {
      case "boolean":
        return String(value);
      case "binary":
        return quoted(Buffer.from(value as Uint8Array).toString("base64"));
      case "float":
      case "double":
        return Number.isFinite(value as number) ? plain(value, type) : quoted(plain(value, type));
      case "byte":
      case "short":
      case "integer":
      case "long":
        return String(value);
      default:
        return type.startsWith("decimal") ? plain(value, type) : quoted(plain(value, type));
    }
  };
  return { head: "", row: (values) => struct(schema.fields, values) + lineEnd };
}
