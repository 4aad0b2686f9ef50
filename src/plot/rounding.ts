/** A number to six digits: more than a screen shows, less than a file wants. */
export function sixDigits(value: number): number {
  return Number(value.toPrecision(6));
}
