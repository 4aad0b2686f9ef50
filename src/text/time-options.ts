import { IllegalArgumentError } from "../errors";
import { flag, type Options } from "./option-values";
import { type TimePattern, timePattern } from "./time-pattern";
import { parseDate, parseLocalTimestamp, parseTimestamp, zoneName } from "./time-text";
import type { Convert } from "./values";

/** How dates and times are read. */
export interface TimeReading {
  readonly date: Convert;
  readonly timestamp: Convert;
  readonly localTimestamp: Convert;
  /** Stricter than `date`: what makes a column of text one of dates. */
  readonly inferDate: Convert;
  readonly inferTimestamp: Convert;
}

/** The zone of times without one. @throws IllegalArgumentError */
export function zoneOption(options: Options): string {
  const name = zoneName(options.timeZone ?? "UTC");
  if (name !== undefined) return name;
  throw new IllegalArgumentError(
    `Option "timeZone" names no zone that is known: ${JSON.stringify(options.timeZone)}.`,
    {
      remedy: "Write it as Europe/Paris, +02:00 or UTC.",
    },
  );
}

/** @param strictDates whether dates are inferred by the pattern `yyyy-MM-dd` where none is given @throws IllegalArgumentError */
export function timeReading(options: Options, strictDates: boolean): TimeReading {
  const zone = zoneOption(options);
  const pattern = (name: string) =>
    options[name] === undefined ? undefined : timePattern(options[name], name, "read");
  const [dates, timestamps, locals] = [
    pattern("dateFormat"),
    pattern("timestampFormat"),
    pattern("timestampNTZFormat"),
  ] as const;
  const fallsBack =
    options.enableDateTimeParsingFallback === undefined ? undefined : flag(options, "enableDateTimeParsingFallback");
  const strict: TimePattern | undefined =
    dates ?? (strictDates ? timePattern("yyyy-MM-dd", "dateFormat", "read") : undefined);
  const firstDate = strict ? (text: string) => strict.parseDate(text) : parseDate;
  const firstTimestamp = timestamps
    ? (text: string) => timestamps.parseTimestamp(text, zone)
    : (text: string) => parseTimestamp(text, zone);
  const laterTimestamp = (text: string) => parseTimestamp(text.replace("GMT", ""), zone);
  const withLater =
    (first: Convert, later: Convert, enabled: boolean): Convert =>
    (text) =>
      first(text) ?? (enabled ? later(text) : undefined);
  return {
    date: withLater(firstDate, parseDate, fallsBack ?? dates === undefined),
    timestamp: withLater(firstTimestamp, laterTimestamp, fallsBack ?? timestamps === undefined),
    localTimestamp: locals ? (text) => locals.parseLocal(text) : parseLocalTimestamp,
    inferDate: firstDate,
    inferTimestamp: firstTimestamp,
  };
}
