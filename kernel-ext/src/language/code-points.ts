/** Jupyter counts code points, JavaScript UTF-16 units. */
export function toUnits(text: string, codePoints: number): number {
  let units = 0;
  for (let left = codePoints; left > 0 && units < text.length; left--) {
    units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
  }
  return units;
}

/** The code points before an offset in UTF-16 units. */
export function toCodePoints(text: string, units: number): number {
  return [...text.slice(0, units)].length;
}
