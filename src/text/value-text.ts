import { javaDouble, javaFloat } from "../data/java-number";
import type { DataType } from "../data/types";
import type { Value } from "./columns";
import type { Options } from "./option-values";
import { refuseOtherLocales } from "./option-values";
import { zoneOption } from "./time-options";
import { timePattern } from "./time-pattern";
import { decimalShape } from "./values";

/** How values of plain types are written. @throws IllegalArgumentError for an option that can't be */
export function valueWriter(options: Options): (value: Value, type: DataType) => string {
  refuseOtherLocales(options);
  const zone = zoneOption(options);
  const pattern = (name: string, otherwise: string) => timePattern(options[name] ?? otherwise, name, "write");
  const date = pattern("dateFormat", "yyyy-MM-dd");
  const timestamp = pattern("timestampFormat", "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]");
  const local = pattern("timestampNTZFormat", "yyyy-MM-dd'T'HH:mm:ss[.SSS]");
  return (value, type) => {
    if (typeof value === "string") return value;
    if (type === "date") return date.formatDate(value as number);
    if (type === "timestamp") return timestamp.format(value as bigint, zone);
    if (type === "timestamp_ntz") return local.format(value as bigint, undefined);
    if (type === "binary")
      return `[${Buffer.from(value as Uint8Array)
        .toString("hex")
        .toUpperCase()
        .replace(/..(?=.)/g, "$& ")}]`;
    if (type === "double") return javaDouble(value as number);
    if (type === "float") return javaFloat(value as number);
    const decimal = decimalShape(type);
    if (decimal) return bigDecimalText(value as bigint, decimal.scale);
    return String(value);
  };
}

/** `BigDecimal.toString` of Java: with an exponent where the number is small and has many digits behind the point. */
export function bigDecimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? "-" : "";
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString();
  const exponent = digits.length - 1 - scale;
  if (exponent < -6) {
    const rest = digits.slice(1);
    return `${sign}${digits[0]}${rest === "" ? "" : `.${rest}`}E${exponent}`;
  }
  if (scale === 0) return sign + digits;
  const padded = digits.padStart(scale + 1, "0");
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}
