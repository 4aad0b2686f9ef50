import type { DataType } from "../data/types";
import type { CsvReading } from "./csv-options";
import {
  decimalShape,
  parseBigDecimal,
  parseBoolean,
  parseDouble,
  parseInteger,
  parseLong,
  precisionOf,
} from "./values";

/** Date patterns whose values the usual reading of timestamps takes too. */
const DATES_THAT_ARE_TIMESTAMPS = ["yyyy-MM-dd", "yyyy-M-d", "yyyy-M-dd", "yyyy-MM-d", "yyyy-MM", "yyyy-M", "yyyy"];

/**
 * Finds the types of a file's columns from all values, as Spark does: int, bigint, decimal, double, date, timestamp, boolean,
 * string; a column without a value is a string.
 */
export class CsvTypes {
  private readonly types: DataType[];

  constructor(
    width: number,
    private readonly reading: CsvReading,
    private readonly formats: { readonly dateFormat?: string; readonly timestampFormat?: string },
  ) {
    this.types = Array.from({ length: width }, () => "void");
  }

  add(values: readonly string[]): void {
    const width = Math.min(values.length, this.types.length);
    for (let i = 0; i < width; i++) {
      const text = values[i] as string;
      const soFar = this.types[i] as DataType;
      if (soFar === "string" || text === "" || text === this.reading.syntax.nullValue) continue;
      this.types[i] = this.common(soFar, this.typeOf(text, soFar));
    }
  }

  result(): DataType[] {
    return this.types.map((type) => (type === "void" ? "string" : type));
  }

  /** The type of one value, where those before it in the ladder are ruled out already. */
  private typeOf(text: string, soFar: DataType): DataType {
    const { reading } = this;
    const from = soFar === "void" ? INTEGER : decimalShape(soFar) ? DECIMAL : LADDER.indexOf(soFar);
    if (from <= INTEGER && parseInteger(text, 32) !== undefined) return "integer";
    if (from <= LONG && parseLong(text) !== undefined) return "long";
    if (from <= DECIMAL) {
      const value = parseBigDecimal(text);
      // Values with a fraction are doubles; so are whole numbers of more digits than a decimal has.
      if (value && value.scale === 0 && precisionOf(value) <= 38) return `decimal(${precisionOf(value)},0)`;
    }
    if (from <= DOUBLE) {
      const named = [reading.nanValue, reading.negativeInf, reading.positiveInf];
      if (parseDouble(text) !== undefined || named.includes(text)) return "double";
    }
    const mayBeDate = from === DATE || (from <= DOUBLE && reading.preferDate);
    if (mayBeDate && reading.times.inferDate(text) !== undefined) return "date";
    if (from <= TIMESTAMP && reading.times.inferTimestamp(text) !== undefined) return "timestamp";
    return parseBoolean(text) === undefined ? "string" : "boolean";
  }

  private common(a: DataType, b: DataType): DataType {
    if (a === b || b === "void") return a;
    if (a === "void") return b;
    if ((a === "date" && b === "timestamp") || (a === "timestamp" && b === "date")) {
      const { dateFormat = "yyyy-MM-dd", timestampFormat } = this.formats;
      return timestampFormat === undefined && DATES_THAT_ARE_TIMESTAMPS.includes(dateFormat) ? "timestamp" : "string";
    }
    return commonNumber(a, b) ?? "string";
  }
}

const LADDER: readonly DataType[] = [
  "integer",
  "long",
  "decimal" as DataType,
  "double",
  "date",
  "timestamp",
  "boolean",
];
const [INTEGER, LONG, DECIMAL, DOUBLE, DATE, TIMESTAMP] = [0, 1, 2, 3, 4, 5] as const;

const WHOLE_DIGITS: Readonly<Record<string, number>> = { integer: 10, long: 20 };

function commonNumber(a: DataType, b: DataType): DataType | undefined {
  if (typeof a !== "string" || typeof b !== "string") return undefined;
  const decimals = [a, b].map((type) => decimalShape(type)?.precision ?? WHOLE_DIGITS[type]);
  const [first, second] = decimals;
  const isNumber = (type: string, digits: number | undefined) => type === "double" || digits !== undefined;
  if (!isNumber(a, first) || !isNumber(b, second)) return undefined;
  if (first === undefined || second === undefined) return "double";
  if (!a.startsWith("decimal") && !b.startsWith("decimal")) return "long";
  return `decimal(${Math.max(first, second)},0)`;
}
