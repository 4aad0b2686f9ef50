/** Dates and times as text, as Spark's casts read them. Days since 1970; microseconds since 1970 in UTC. */

const MICROS_PER_DAY = 86_400_000_000n;

/** The days of a date of the proleptic Gregorian calendar; undefined where there is no such day. */
export function daysOf(year: number, month: number, day: number): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCDate() !== day) return undefined;
  return Math.floor(date.getTime() / 86_400_000);
}

/** Year, month and day of a day since 1970. */
export function dateOf(days: number): { year: number; month: number; day: number } {
  const date = new Date(days * 86_400_000);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** `yyyy`, `yyyy-[m]m`, `yyyy-[m]m-[d]d`, and whatever stands behind a blank or a T after the day. */
export function parseDate(text: string): number | undefined {
  const found = /^([+-]?)(\d{4,7})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T][\s\S]*)?)?)?$/.exec(trimmed(text));
  if (!found) return undefined;
  const year = Number(found[2]) * (found[1] === "-" ? -1 : 1);
  return daysOf(year, Number(found[3] ?? 1), Number(found[4] ?? 1));
}

const TIMESTAMP =
  /^(?:([+-]?)(\d{4,6})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T](\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d*))?([^\d.][\s\S]*)?)?)?)?)?)?|T?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d*))?([^\d.][\s\S]*)?)?|T(\d{1,2}))$/;

/** A timestamp as a cast reads it: a date with or without a time and a zone; a time alone is of today. */
export function parseTimestamp(text: string, zone: string): bigint | undefined {
  const found = TIMESTAMP.exec(trimmed(text));
  if (!found) return undefined;
  const justTime = found[2] === undefined;
  const [hour, minute, second, fraction, zoneText] = justTime
    ? [found[10] ?? found[15], found[11], found[12], found[13], found[14]]
    : [found[5], found[6], found[7], found[8], found[9]];
  const local = timeMicros(Number(hour ?? 0), Number(minute ?? 0), Number(second ?? 0), fraction ?? "");
  if (local === undefined) return undefined;
  const named = zoneText === undefined ? zone : zoneName(zoneText.trim());
  if (named === undefined) return undefined;
  const days = justTime
    ? Math.floor((Date.now() + Number(zoneOffset(named, BigInt(Date.now()) * 1000n)) / 1000) / 86_400_000)
    : daysOf(Number(found[2]) * (found[1] === "-" ? -1 : 1), Number(found[3] ?? 1), Number(found[4] ?? 1));
  if (days === undefined) return undefined;
  const micros = inZone(BigInt(days) * MICROS_PER_DAY + local, named);
  return micros >= -(2n ** 63n) && micros < 2n ** 63n ? micros : undefined;
}

/** Like {@link parseTimestamp}, of a time without a zone; undefined where the text names one. */
export function parseLocalTimestamp(text: string): bigint | undefined {
  const found = TIMESTAMP.exec(trimmed(text));
  if (found?.[2] === undefined || found[9] !== undefined) return undefined;
  return parseTimestamp(text, "Z");
}

/** The microseconds of a day that a time stands for; undefined where there is no such time. */
export function timeMicros(hour: number, minute: number, second: number, fraction: string): bigint | undefined {
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return BigInt((hour * 60 + minute) * 60 + second) * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, "0"));
}

/**
 * A zone in the form that {@link zoneOffset} takes: `Z`, `+01:30:00` or a region's name.
 * @returns undefined for none that is known
 */
export function zoneName(text: string): string | undefined {
  const bare = text.replace(/^(?:UTC|GMT|UT)(?=[+-])/, "");
  if (/^(?:Z|UTC|GMT|UT)$/.test(bare)) return "Z";
  const found = /^([+-])(\d{1,2})(?::?(\d{1,2}))?(?::?(\d{2}))?$/.exec(bare);
  if (found) {
    const [hours, minutes, seconds] = [Number(found[2]), Number(found[3] ?? 0), Number(found[4] ?? 0)];
    const total = (hours * 60 + minutes) * 60 + seconds;
    if (minutes > 59 || seconds > 59 || total > 18 * 3600) return undefined;
    const two = (n: number) => String(n).padStart(2, "0");
    return total === 0 ? "Z" : `${found[1]}${two(hours)}:${two(minutes)}:${two(seconds)}`;
  }
  return regionFormat(bare) ? bare : undefined;
}

/** A local time in a zone as an instant. */
export function inZone(localMicros: bigint, zone: string): bigint {
  if (zone === "Z" || zone === "UTC") return localMicros;
  const first = localMicros - zoneOffset(zone, localMicros);
  const offset = zoneOffset(zone, first);
  const second = localMicros - offset;
  // In the hour that a clock put forward leaves out, the offset before it holds.
  const exists = zoneOffset(zone, second) === offset;
  return exists || first < second ? second : first;
}

/** How far a zone's clocks are ahead of UTC at an instant, in microseconds. */
export function zoneOffset(zone: string, instantMicros: bigint): bigint {
  if (zone === "Z" || zone === "UTC") return 0n;
  const fixed = /^([+-])(\d\d):(\d\d):(\d\d)$/.exec(zone);
  if (fixed) {
    const seconds = (Number(fixed[2]) * 60 + Number(fixed[3])) * 60 + Number(fixed[4]);
    return BigInt(fixed[1] === "-" ? -seconds : seconds) * 1_000_000n;
  }
  const seconds = instantMicros / 1_000_000n - (instantMicros % 1_000_000n < 0n ? 1n : 0n);
  const parts = regionFormat(zone)?.formatToParts(Number(seconds) * 1000) ?? [];
  const part = (type: string) => Number(parts.find((p) => p.type === type)?.value ?? 0);
  const era = parts.find((p) => p.type === "era")?.value;
  const year = era === "BC" || era === "B" ? 1 - part("year") : part("year");
  const days = daysOf(year, part("month"), part("day")) ?? 0;
  const local = BigInt(days) * 86_400n + BigInt((part("hour") * 60 + part("minute")) * 60 + part("second"));
  return (local - seconds) * 1_000_000n;
}

const regionFormats = new Map<string, Intl.DateTimeFormat | undefined>();

function regionFormat(zone: string): Intl.DateTimeFormat | undefined {
  if (regionFormats.has(zone)) return regionFormats.get(zone);
  let format: Intl.DateTimeFormat | undefined;
  try {
    const numeric = "numeric" as const;
    const fields = { year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric };
    format = new Intl.DateTimeFormat("en-US", { timeZone: zone, era: "short", hourCycle: "h23", ...fields });
  } catch {
    // A zone that nobody knows.
  }
  regionFormats.set(zone, format);
  return format;
}

/** Without the blanks and control characters at both ends. */
function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  const isBlank = (c: number) => c <= 32 || c === 127;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}
