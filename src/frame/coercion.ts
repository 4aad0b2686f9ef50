import { type ArrayType, arrayType, type DataType, type MapType, type StructType, simpleString } from "../data/types";

/**
 * Spark's rules for which types go together, in its ANSI mode, which is the default since Spark 4.
 * @see https://spark.apache.org/docs/latest/sql-ref-ansi-compliance.html#type-promotion-and-precedence
 */

const WHOLE = ["byte", "short", "integer", "long"] as const;
const NUMBERS: readonly DataType[] = [...WHOLE, "float", "double"];

export function isWhole(type: DataType): boolean {
  return (WHOLE as readonly DataType[]).includes(type);
}

export function isFloating(type: DataType): type is "float" | "double" {
  return type === "float" || type === "double";
}

export function isNumeric(type: DataType): boolean {
  return NUMBERS.includes(type) || decimalSize(type) !== undefined;
}

export function isTime(type: DataType): boolean {
  return type === "date" || type === "timestamp" || type === "timestamp_ntz";
}

export function isArray(type: DataType): type is ArrayType {
  return typeof type === "object" && type.type === "array";
}

export function isMap(type: DataType): type is MapType {
  return typeof type === "object" && type.type === "map";
}

export function isStruct(type: DataType): type is StructType {
  return typeof type === "object" && type.type === "struct";
}

export function isAtomic(type: DataType): boolean {
  return typeof type === "string" && type !== "void";
}

/** True for two types that hold the same values, whether or not parts of them may be null. */
export function sameType(a: DataType, b: DataType): boolean {
  return simpleString(a) === simpleString(b);
}

export interface DecimalSize {
  readonly precision: number;
  readonly scale: number;
}

/** Spark's most digits of a decimal. */
export const MAX_PRECISION = 38;

/** The digits of a decimal type; undefined for any other type. */
export function decimalSize(type: DataType): DecimalSize | undefined {
  if (typeof type !== "string" || !type.startsWith("decimal(")) return undefined;
  const [precision = 10, scale = 0] = type.slice(8, -1).split(",").map(Number);
  return { precision, scale };
}

/** A decimal type of these digits, cut to what Spark holds. */
export function decimalOf(precision: number, scale: number): DataType {
  return `decimal(${Math.min(precision, MAX_PRECISION)},${Math.min(scale, MAX_PRECISION)})`;
}

const WHOLE_DIGITS: Readonly<Record<string, number>> = { byte: 3, short: 5, integer: 10, long: 20 };

/** The decimal that holds every value of a whole type, or the digits of a constant. */
export function asDecimal(type: DataType, constant?: unknown): DecimalSize | undefined {
  if (!isWhole(type)) return decimalSize(type);
  const digits = typeof constant === "number" || typeof constant === "string" ? String(constant).replace("-", "") : "";
  return { precision: digits ? digits.length : (WHOLE_DIGITS[type as string] ?? 20), scale: 0 };
}

/** Spark's cut of a result with more than 38 digits: digits before the point first, at least 6 behind it. */
export function boundedDecimal(precision: number, scale: number): DataType {
  if (precision <= MAX_PRECISION) return decimalOf(precision, scale);
  const whole = precision - scale;
  return decimalOf(MAX_PRECISION, Math.max(MAX_PRECISION - whole, Math.min(scale, 6)));
}

/** Of two types that hold the same values: null where either has it. */
function withNullsOf(a: DataType, b: DataType): DataType {
  if (isArray(a) && isArray(b)) {
    return arrayType(withNullsOf(a.elementType, b.elementType), a.containsNull || b.containsNull);
  }
  if (isMap(a) && isMap(b)) {
    const valueType = withNullsOf(a.valueType, b.valueType);
    return { ...a, valueType, valueContainsNull: a.valueContainsNull || b.valueContainsNull };
  }
  if (isStruct(a) && isStruct(b)) {
    const fields = a.fields.map((field, i) => {
      const other = b.fields[i] ?? field;
      return { ...field, type: withNullsOf(field.type, other.type), nullable: field.nullable || other.nullable };
    });
    return { type: "struct", fields };
  }
  return a;
}

/** The type both values become without loss; undefined where there is none. Strings are {@link commonType}'s business. */
function tightestType(a: DataType, b: DataType): DataType | undefined {
  if (sameType(a, b)) return withNullsOf(a, b);
  if (a === "void") return b;
  if (b === "void") return a;
  if (NUMBERS.includes(a) && NUMBERS.includes(b)) {
    const wider = NUMBERS[Math.max(NUMBERS.indexOf(a), NUMBERS.indexOf(b))];
    // A float does not hold every integer, so both become doubles.
    return wider === "float" ? "double" : wider;
  }
  const [x, y] = [asDecimal(a), asDecimal(b)];
  if (x && y) {
    const scale = Math.max(x.scale, y.scale);
    return boundedDecimal(Math.max(x.precision - x.scale, y.precision - y.scale) + scale, scale);
  }
  if ((isFloating(a) && decimalSize(b)) || (isFloating(b) && decimalSize(a))) return "double";
  if (isTime(a) && isTime(b)) return a === "timestamp" || b === "timestamp" ? "timestamp" : "timestamp_ntz";
  return undefined;
}

/**
 * The type that values of both types become where they meet: in comparisons, `coalesce`, `when`, arrays, unions. Text
 * becomes what stands beside it. Undefined where Spark refuses.
 */
export function commonType(a: DataType, b: DataType): DataType | undefined {
  const tightest = tightestType(a, b);
  if (tightest !== undefined) return tightest;
  if (b === "string" && a !== "string") return commonType(b, a);
  if (a === "string") {
    if (isWhole(b)) return "long";
    if (isNumeric(b)) return "double";
    return isAtomic(b) ? b : undefined;
  }
  if (isArray(a) && isArray(b)) {
    const element = commonType(a.elementType, b.elementType);
    return element && arrayType(element, a.containsNull || b.containsNull);
  }
  if (isMap(a) && isMap(b)) {
    const keyType = commonType(a.keyType, b.keyType);
    const valueType = commonType(a.valueType, b.valueType);
    if (!keyType || !valueType) return undefined;
    return { type: "map", keyType, valueType, valueContainsNull: a.valueContainsNull || b.valueContainsNull };
  }
  if (isStruct(a) && isStruct(b) && a.fields.length === b.fields.length) {
    const fields = a.fields.map((field, i) => {
      const other = b.fields[i];
      const type = other && other.name.toLowerCase() === field.name.toLowerCase() && commonType(field.type, other.type);
      return type ? { ...field, type, nullable: field.nullable || (other?.nullable ?? true) } : undefined;
    });
    if (fields.every((field) => field !== undefined)) return { type: "struct", fields };
  }
  return undefined;
}

/** The common type of several types. */
export function commonTypeOf(types: readonly DataType[]): DataType | undefined {
  // Text among other types has the last word, whatever the order.
  const ordered = [...types.filter((t) => t !== "string"), ...types.filter((t) => t === "string")];
  return ordered.reduce<DataType | undefined>((common, type) => common && commonType(common, type), "void");
}

/** What an argument of a function may be. */
export type Wanted = DataType | "number" | "whole" | "any" | "array" | "map" | "time" | readonly Wanted[];

/** The type that a value is cast to, unasked, where a function wants another; undefined where Spark refuses. */
export function implicitCast(from: DataType, wanted: Wanted): DataType | undefined {
  if (Array.isArray(wanted)) {
    const exact = (wanted as readonly Wanted[]).find((w) => from !== "void" && accepts(w, from));
    if (exact !== undefined) return from;
    for (const each of wanted as readonly Wanted[]) {
      const type = implicitCast(from, each);
      if (type !== undefined) return type;
    }
    return undefined;
  }
  const target = wanted as Exclude<Wanted, readonly Wanted[]>;
  if (accepts(target, from)) return from;
  if (from === "void") return target === "number" ? "double" : target === "whole" ? "integer" : namedType(target);
  if (from === "string") {
    if (target === "number") return "double";
    if (target === "whole") return "long";
    if (target === "time") return "timestamp";
  }
  const type = namedType(target);
  if (type === undefined) return undefined;
  if (typeof type === "string") {
    if (from === "string" && isAtomic(type)) return type;
    if (isNumeric(from) && isNumeric(type)) return type;
    if (type === "string" && isAtomic(from)) return type;
    if (isTime(from) && isTime(type)) return type;
    return undefined;
  }
  if (isArray(from) && isArray(type)) {
    const element = implicitCast(from.elementType, type.elementType);
    return element && arrayType(element, from.containsNull);
  }
  return undefined;
}

function accepts(wanted: Wanted, type: DataType): boolean {
  switch (wanted) {
    case "any":
      return true;
    case "number":
      return isNumeric(type);
    case "whole":
      return isWhole(type);
    case "array":
      return isArray(type);
    case "map":
      return isMap(type);
    case "time":
      return isTime(type);
  }
  return sameType(wanted as DataType, type);
}

function namedType(wanted: Wanted): DataType | undefined {
  return wanted === "array" ||
    wanted === "map" ||
    wanted === "any" ||
    wanted === "number" ||
    wanted === "whole" ||
    wanted === "time"
    ? undefined
    : (wanted as DataType);
}
