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
