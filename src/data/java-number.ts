/** A number as Java's `Double.toString` writes it: plain between 1e-3 and 1e7, else `1.0E-5`. */
export function javaDouble(value: number): string {
  const shortest = value.toExponential();
  // Java looks for two digits at least, which tells where one would do: 4.9E-324.
  return javaNumber(value, shortest.includes(".") ? shortest : value.toExponential(1).replace(".0e", "e"));
}

/** The same for a number of 32 bits, with the fewest digits that read back as it. */
export function javaFloat(value: number): string {
  return javaNumber(value, floatDigits(value));
}

/** @param exponential the shortest digits that read back as the same number, such as `1.5e-5`. */
function javaNumber(value: number, exponential: string): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (value === 0) return `${sign}0.0`;
  const [mantissa = "", power = "0"] = exponential.replace("-", value < 0 ? "" : "-").split("e");
  const digits = mantissa.replace(".", "");
  const exponent = Number(power);
  if (exponent < -3 || exponent >= 7) return `${sign}${digits[0]}.${digits.slice(1) || "0"}E${exponent}`;
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`;
}

/** The fewest digits that read back as the same 32-bit number; nine always do. */
function floatDigits(value: number): string {
  for (let digits = 1; digits < 8; digits++) {
    const text = value.toExponential(digits);
    if (Math.fround(Number(text)) === value) return text.replace(/\.?0+e/, "e");
  }
  return value.toExponential(8);
}
