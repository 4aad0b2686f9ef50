import type { Json } from "../data/batch-function";
import { decimalWords } from "../data/decimal";
import { isMLVector, SparseVector } from "../data/linalg";
import {
  type DataType,
  INTEGER_RANGES,
  type MapType,
  type StructField,
  type StructType,
  simpleString,
} from "../data/types";
import { IllegalArgumentError } from "../errors";

/** Where a value is: the row's number, and the way to it, `st.a` or `xs[2]`. */
interface Place {
  readonly row: number;
  readonly path: string;
}

/** A value as a plan carries it. @throws IllegalArgumentError where it is not of the type */
export function rowValue(value: unknown, field: Pick<StructField, "type" | "nullable">, place: Place): Json {
  if (value !== null && value !== undefined) return typedValue(value, field.type, place);
  if (field.nullable) return null;
  throw new IllegalArgumentError(
    `[FIELD_NOT_NULLABLE_WITH_NAME] ${placeText(place)} is null, where the schema says NOT NULL.`,
  );
}

function typedValue(value: unknown, type: DataType, place: Place): Json {
  if (typeof type !== "string") {
    switch (type.type) {
      case "array": {
        if (!isList(value)) throw misfit(value, type, place, "Give an array.");
        const element = { type: type.elementType, nullable: type.containsNull };
        return Array.from(value, (item, i) => rowValue(item, element, { row: place.row, path: `${place.path}[${i}]` }));
      }
      case "map":
        return mapValue(value, type, place);
      case "struct":
        return structValue(value, type, place);
    }
  }
  switch (type) {
    case "boolean":
      if (typeof value === "boolean") return value;
      throw misfit(value, type, place, "Give true or false.");
    case "byte":
    case "short":
    case "integer":
    case "long":
      return wholeNumber(value, type, place);
    case "float":
    case "double":
      return doubleValue(value, type, place);
    case "string":
      if (typeof value === "string") {
        if (!/\p{Surrogate}/u.test(value)) return value;
        throw misfit(
          value,
          type,
          place,
          "It has half a character, which no file has: text.toWellFormed() replaces it.",
        );
      }
      if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
      throw misfit(value, type, place, "Give a text: String(value), value.toISOString() or JSON.stringify(value).");
    case "binary":
      if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
      throw misfit(value, type, place, 'Give a Uint8Array, such as Buffer.from("text").');
    case "date":
    case "timestamp":
    case "timestamp_ntz":
      if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
      throw misfit(
        value,
        type,
        place,
        'Give a valid Date, such as new Date("2024-01-31"), or declare STRING and cast it.',
      );
    case "vector":
      if (value instanceof SparseVector) {
        const numbers = Array.from(value.values, doubleText);
        return { size: value.size, indices: Array.from(value.indices), values: numbers };
      }
      if (isMLVector(value)) return Array.from(value as unknown as ArrayLike<number>, doubleText);
      throw misfit(value, type, place, "Give Vectors.dense(values) or Vectors.sparse(size, indices, values).");
    case "void":
      throw misfit(value, type, place, "Give null, or declare another type.");
    default:
      return decimalText(value, type, place);
  }
}

function wholeNumber(value: unknown, type: "byte" | "short" | "integer" | "long", place: Place): Json {
  const isWhole = typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
  if (!isWhole) throw misfit(value, type, place, "Give a whole number, or declare DOUBLE.");
  const whole = BigInt(value);
  const [least, most] = INTEGER_RANGES[type] as readonly [bigint, bigint];
  if (whole < least || whole > most) {
    throw new IllegalArgumentError(
      `[VALUE_OUT_OF_BOUNDS] ${placeText(place)} is ${whole}, which ${simpleString(type)} does not hold: ${least} to ${most}.`,
      { remedy: type === "long" ? "Declare DOUBLE or DECIMAL(38,0)." : "Declare BIGINT." },
    );
  }
  return type === "long" ? whole.toString() : Number(whole);
}

function doubleValue(value: unknown, type: DataType, place: Place): Json {
  if (typeof value === "number") return doubleText(value);
  // A bigint only where no digit is lost.
  if (typeof value === "bigint" && Number.isFinite(Number(value)) && BigInt(Number(value)) === value)
    return Number(value);
  throw misfit(value, type, place, "Give a number.");
}

/** JSON has no words for four numbers, and would make nulls of three of them. */
function doubleText(value: number): number | string {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : String(value);
}

function decimalText(value: unknown, type: DataType & string, place: Place): Json {
  const isText = typeof value === "string" && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/.test(value);
  if (!isText && typeof value !== "bigint" && !(typeof value === "number" && Number.isFinite(value))) {
    throw misfit(value, type, place, 'Give a number, a bigint, or its digits as text, "12.50".');
  }
  const text = String(value);
  try {
    decimalWords(text, type);
  } catch (cause) {
    throw new IllegalArgumentError(
      `[NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION] ${placeText(place)} is ${text}, which ${type} does not hold.`,
      { remedy: "Declare more digits, such as DECIMAL(38,10).", cause },
    );
  }
  return text;
}

/** A map as its entries, since keys may be of any type. */
function mapValue(value: unknown, type: MapType, place: Place): Json {
  if (typeof value !== "object" || isList(value) || value instanceof Date || isMLVector(value)) {
    throw misfit(value, type, place, "Give a Map or an object.");
  }
  const isMap = value instanceof Map;
  const entries: Iterable<[unknown, unknown]> = isMap ? value : Object.entries(value as object);
  const key = { type: type.keyType, nullable: false };
  const item = { type: type.valueType, nullable: type.valueContainsNull };
  return Array.from(entries, ([k, v]) => {
    const path = `${place.path}[${JSON.stringify(String(k))}]`;
    // An object's keys are texts, whatever was written.
    const given = !isMap && isNumeric(type.keyType) && String(Number(k)) === k ? Number(k) : k;
    return [
      rowValue(given, key, { row: place.row, path: `a key of ${place.path}` }),
      rowValue(v, item, { ...place, path }),
    ];
  });
}

function structValue(value: unknown, type: StructType, place: Place): Json {
  if (Array.isArray(value) && value.length !== type.fields.length) {
    throw new IllegalArgumentError(
      `[FIELD_STRUCT_LENGTH_MISMATCH_WITH_NAME] ${placeText(place)} has ${value.length} values for ${type.fields.length} fields.`,
    );
  }
  const isStruct =
    typeof value === "object" &&
    !(value instanceof Date) &&
    !isMLVector(value) &&
    (Array.isArray(value) || !isList(value));
  if (!isStruct) throw misfit(value, type, place, "Give an object with the struct's fields.");
  const byName = (name: string) => (value instanceof Map ? value.get(name) : (value as Record<string, unknown>)[name]);
  const fields = type.fields.map((field, i): [string, Json] => {
    const item = Array.isArray(value) ? value[i] : byName(field.name);
    return [field.name, rowValue(item, field, { row: place.row, path: `${place.path}.${field.name}` })];
  });
  return Object.fromEntries(fields);
}

function misfit(value: unknown, type: DataType, place: Place, remedy: string): IllegalArgumentError {
  const message = `${placeText(place)} is ${describe(value)}, where the type is ${simpleString(type)}.`;
  return new IllegalArgumentError(`[FIELD_DATA_TYPE_UNACCEPTABLE_WITH_NAME] ${message}`, { remedy });
}

function placeText({ row, path }: Place): string {
  return `Row ${row}: \`${path}\``;
}

function describe(value: unknown): string {
  if (typeof value === "string")
    return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return `an array of ${value.length} values`;
  if (value instanceof Date && Number.isNaN(value.getTime())) return "an invalid Date";
  if (typeof value === "object" && value !== null) {
    const name = value.constructor?.name ?? "Object";
    return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
  }
  return typeof value === "function" ? "a function" : String(value);
}

function isNumeric(type: DataType): boolean {
  return (
    typeof type === "string" &&
    (type in INTEGER_RANGES || type === "double" || type === "float" || type.startsWith("decimal"))
  );
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView) && !isMLVector(value));
}
