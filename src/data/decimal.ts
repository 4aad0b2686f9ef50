import { IllegalArgumentError } from "../errors";

/** Arrow gives a decimal as the 32-bit words of its unscaled value, least first. */
export type DecimalValue = Uint32Array | bigint;

/** A decimal in plain digits, with `scale` of them behind the point: `-1.50`. */
export function decimalText(value: DecimalValue, scale: number): string {
  const unscaled = typeof value === "bigint" ? value : fromWords(value);
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return unscaled < 0n ? `-${text}` : text;
}

function fromWords(words: Uint32Array): bigint {
  let value = 0n;
  for (let i = words.length - 1; i >= 0; i--) value = (value << 32n) | BigInt(words[i] ?? 0);
  return BigInt.asIntN(words.length * 32, value);
}

/**
 * A number's digits as Arrow keeps a decimal of 128 bits, half away from zero where there are more of them than fit.
 * @param type `decimal(precision,scale)`
 * @throws IllegalArgumentError where it is no number or too large
 */
export function decimalWords(text: string, type: string): Uint32Array {
  const [precision = 10, scale = 0] = type.slice(8, -1).split(",").map(Number);
  const found = /^\s*([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?\s*$/.exec(text);
  const [, sign, whole = "", fraction = "", power = "0"] = found ?? [];
  const digits = whole + fraction;
  // How many zeros are missing behind the digits; negative: how many digits are too many.
  const shift = scale + Number(power) - fraction.length;
  const unscaled = digits === "" ? undefined : shifted(BigInt(digits), shift);
  if (unscaled === undefined || unscaled >= 10n ** BigInt(precision)) {
    throw new IllegalArgumentError(`${JSON.stringify(text)} is no value of ${type}.`);
  }
  let rest = BigInt.asUintN(128, sign === "-" ? -unscaled : unscaled);
  return Uint32Array.from({ length: 4 }, () => {
    const word = Number(rest & 0xffffffffn);
    rest >>= 32n;
    return word;
  });
}

function shifted(digits: bigint, places: number): bigint {
  if (places >= 0) return digits * 10n ** BigInt(Math.min(places, 76));
  if (-places > String(digits).length) return 0n;
  const divisor = 10n ** BigInt(-places);
  return (digits + divisor / 2n) / divisor;
}
