import { type DataType, simpleString } from "../data/types";
import { IllegalArgumentError } from "../errors";
import type { CsvReading } from "./csv-options";
import {
  type Convert,
  decimalShape,
  parseBigDecimal,
  parseBoolean,
  parseDouble,
  parseInteger,
  parseLong,
  toDecimal,
} from "./values";

/** Types that CSV has values of. @throws IllegalArgumentError for another, as Spark does */
export function csvConverter(name: string, type: DataType, reading: CsvReading): Convert {
  const special = (text: string): number | undefined =>
    text === reading.nanValue
      ? Number.NaN
      : text === reading.negativeInf
        ? -Infinity
        : text === reading.positiveInf
          ? Infinity
          : parseDouble(text);
  const decimal = decimalShape(type);
  if (decimal) {
    return (text) => {
      const value = parseBigDecimal(text.replaceAll(",", ""));
      return value && toDecimal(value, decimal.precision, decimal.scale);
    };
  }
  switch (type) {
    case "byte":
      return (text) => parseInteger(text, 8);
    case "short":
      return (text) => parseInteger(text, 16);
    case "integer":
      return (text) => parseInteger(text, 32);
    case "long":
      return parseLong;
    case "float":
      return (text) => {
        const value = special(text);
        return value === undefined ? undefined : Math.fround(value);
      };
    case "double":
      return special;
    case "boolean":
      return parseBoolean;
    case "string":
      return (text) => text;
    case "binary":
      return (text) => Buffer.from(text, "utf8");
    case "date":
      return reading.times.date;
    case "timestamp":
      return reading.times.timestamp;
    case "timestamp_ntz":
      return reading.times.localTimestamp;
    default:
      throw new IllegalArgumentError(`CSV has no values of type ${simpleString(type)}, which column \`${name}\` has.`, {
        remedy: "Read the column as a string, or read another format.",
      });
  }
}
