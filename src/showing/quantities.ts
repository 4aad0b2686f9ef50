/** `2,115`. */
export function countText(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** `1 row`, `2,115 rows`. */
export function counted(count: number, what: string): string {
  return `${countText(count)} ${what}${count === 1 ? "" : "s"}`;
}

/** `26 bytes`, `12.4 MB`; a kB has a thousand bytes. */
export function bytesText(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"] as const;
  let size = bytes;
  let unit = 0;
  // What would be rounded to 1000.0 is one of the next unit.
  while (size >= 999.95 && unit < units.length - 1) {
    size /= 1_000;
    unit++;
  }
  return unit === 0 ? `${Math.round(size)} bytes` : `${size.toFixed(1)} ${units[unit]}`;
}

/** `0.4 s`, `12 s`, `2 min 05 s`, `1 h 02 min`, `3 days 04 h`. */
export function durationText(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n: number) => String(n).padStart(2, "0");
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} days ${two(hours % 24)} h`;
}

/** As {@link durationText}, below a second to the millisecond: `12 ms`. */
export function shortDurationText(seconds: number): string {
  return seconds < 0.9995 ? `${Math.round(seconds * 1_000)} ms` : durationText(seconds);
}

/** `231 rows/s`. */
export function rateText(rowsPerSecond: number): string {
  return `${rowsPerSecond < 9.95 ? rowsPerSecond.toFixed(1) : countText(rowsPerSecond)} rows/s`;
}
