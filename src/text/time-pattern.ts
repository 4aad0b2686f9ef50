import { IllegalArgumentError } from "../errors";
import { dateOf, daysOf, inZone, timeMicros, zoneName, zoneOffset } from "./time-text";

/**
 * Patterns of dates and times such as `dd/MM/yyyy HH:mm:ss`.
 * @see https://spark.apache.org/docs/latest/sql-ref-datetime-pattern.html
 */
export interface TimePattern {
  /** Days since 1970; undefined where the text is not of the pattern. */
  parseDate(text: string): number | undefined;
  /** Microseconds since 1970, in UTC. */
  parseTimestamp(text: string, zone: string): bigint | undefined;
  /** Microseconds of the local time; undefined where the text has a zone. */
  parseLocal(text: string): bigint | undefined;
  formatDate(days: number): string;
  /** @param zone undefined for a time without one */
  format(micros: bigint, zone: string | undefined): string;
}

type Element =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "field"; readonly letter: string; readonly count: number }
  | { readonly kind: "optional"; readonly elements: readonly Element[] };

interface Fields {
  year?: number;
  month?: number;
  day?: number;
  dayOfYear?: number;
  hour?: number;
  hour12?: number;
  minute?: number;
  second?: number;
  fraction?: string;
  half?: number;
  zone?: string;
}

const MONTHS = "January February March April May June July August September October November December".split(" ");
const WEEKDAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** Letters whose values are numbers, with what they set. */
const NUMBERS: Readonly<Record<string, "month" | "day" | "dayOfYear" | "hour" | "hour12" | "minute" | "second">> = {
  M: "month",
  L: "month",
  d: "day",
  D: "dayOfYear",
  H: "hour",
  h: "hour12",
  m: "minute",
  s: "second",
};

/** Spark reads no days of the week. */
const READ_LETTERS = "yMLdDHhmsSaXxZVz";
const WRITTEN_LETTERS = `${READ_LETTERS}E`;

const patterns = new Map<string, TimePattern>();

/** @param option whose pattern it is, for messages @throws IllegalArgumentError for a letter that is not read here. */
export function timePattern(text: string, option: string, use: "read" | "write"): TimePattern {
  const key = `${use} ${text}`;
  let pattern = patterns.get(key);
  if (!pattern) {
    pattern = compiled(elementsOf(text, option, use === "read" ? READ_LETTERS : WRITTEN_LETTERS));
    patterns.set(key, pattern);
  }
  return pattern;
}

function elementsOf(pattern: string, option: string, known: string): readonly Element[] {
  const stack: Element[][] = [[]];
  const add = (element: Element) => stack.at(-1)?.push(element);
  const refuse = (what: string, remedy: string): never => {
    throw new IllegalArgumentError(`${what} in the pattern ${JSON.stringify(pattern)} of option "${option}".`, {
      remedy,
    });
  };
  for (const [token] of pattern.matchAll(/'(?:[^']|'')*'|([A-Za-z])\1*|[\s\S]/g)) {
    if (token.startsWith("'")) {
      if (token.length === 1) refuse("There is an open quote", "Close it, or write '' for a quote.");
      add({ kind: "literal", text: token === "''" ? "'" : token.slice(1, -1).replaceAll("''", "'") });
    } else if (token === "[") {
      stack.push([]);
    } else if (token === "]") {
      const elements = stack.pop();
      if (!elements || stack.length === 0) refuse("There is a ] without [", "Remove it, or quote it.");
      else add({ kind: "optional", elements });
    } else if (/^[A-Za-z]/.test(token)) {
      const letter = token.charAt(0) === "u" ? "y" : token.charAt(0);
      if (!known.includes(letter) || (letter === "V" && token.length !== 2)) {
        refuse(
          `Letters ${JSON.stringify(token)} have no meaning here`,
          `Known: ${known.split("").join(" ")}, VV for a zone, and '…' for text.`,
        );
      }
      if (letter === "y" && token.length > 6) refuse("There are too many y", "Write yyyy.");
      add({ kind: "field", letter, count: token.length });
    } else if (/[{}#]/.test(token)) {
      refuse(`There is a ${token}`, `Quote it: '${token}'.`);
    } else {
      add({ kind: "literal", text: token });
    }
  }
  if (stack.length > 1) refuse("There is a [ without ]", "Close it, or quote it.");
  return stack[0] ?? [];
}

function compiled(elements: readonly Element[]): TimePattern {
  const read = (text: string): Fields | undefined => {
    const fields: Fields = {};
    return readAll(elements, text, 0, fields) === text.length ? fields : undefined;
  };
  const days = (f: Fields): number | undefined => {
    const year = f.year ?? 1970;
    if (f.dayOfYear !== undefined && f.day === undefined && f.month === undefined) {
      const first = daysOf(year, 1, 1) ?? 0;
      return dateOf(first + f.dayOfYear - 1).year === year ? first + f.dayOfYear - 1 : undefined;
    }
    return daysOf(year, f.month ?? 1, f.day ?? 1);
  };
  const local = (f: Fields): bigint | undefined => {
    const day = days(f);
    if (f.hour12 !== undefined && (f.hour12 < 1 || f.hour12 > 12 || f.half === undefined)) return undefined;
    const hour = f.hour ?? (f.hour12 === undefined ? 0 : (f.hour12 % 12) + 12 * (f.half ?? 0));
    const time = timeMicros(hour, f.minute ?? 0, f.second ?? 0, f.fraction ?? "");
    return day === undefined || time === undefined ? undefined : BigInt(day) * 86_400_000_000n + time;
  };
  return {
    parseDate(text) {
      const fields = read(text);
      return fields && days(fields);
    },
    parseTimestamp(text, zone) {
      const fields = read(text);
      const time = fields && local(fields);
      return time === undefined ? undefined : inZone(time, fields?.zone ?? zone);
    },
    parseLocal(text) {
      const fields = read(text);
      return fields && fields.zone === undefined ? local(fields) : undefined;
    },
    formatDate: (day) => written(elements, BigInt(day) * 86_400_000_000n, undefined),
    format: (micros, zone) => written(elements, micros, zone),
  };
}

/** Where the text that fits ends; undefined where none does. */
function readAll(elements: readonly Element[], text: string, from: number, fields: Fields): number | undefined {
  let at: number | undefined = from;
  for (let i = 0; i < elements.length && at !== undefined; i++) {
    const element = elements[i] as Element;
    switch (element.kind) {
      case "literal":
        at = startsAlike(text, at, element.text) ? at + element.text.length : undefined;
        break;
      case "optional": {
        const inside: Fields = {};
        const end = readAll(element.elements, text, at, inside);
        if (end !== undefined) {
          at = end;
          Object.assign(fields, inside);
        }
        break;
      }
      case "field":
        at = readField(element, reservedBehind(elements, i), text, at, fields);
    }
  }
  return at;
}

/** The digits that fixed fields right behind a number of open width need. */
function reservedBehind(elements: readonly Element[], i: number): number {
  let digits = 0;
  for (let next = elements[++i]; next?.kind === "field" && isNumber(next) && next.count === 2; next = elements[++i]) {
    digits += 2;
  }
  return digits;
}

function isNumber({ letter, count }: { readonly letter: string; readonly count: number }): boolean {
  return letter === "y" || (letter in NUMBERS && !((letter === "M" || letter === "L") && count > 2));
}

function readField(
  field: Extract<Element, { kind: "field" }>,
  reserved: number,
  text: string,
  at: number,
  fields: Fields,
): number | undefined {
  const { letter, count } = field;
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  if (letter === "y") {
    if (count === 2) {
      const two = take(/\d\d/y);
      if (two === undefined) return undefined;
      fields.year = 2000 + Number(two);
      return at + 2;
    }
    const signed = take(count >= 3 ? /-?\d{1,9}|\+\d{1,9}/y : /-?\d{1,9}/y);
    if (signed === undefined) return undefined;
    const digits = signed.replace(/^[+-]/, "").length;
    const used = reserved > 0 ? Math.max(Math.min(digits - reserved, digits), 0) : digits;
    if (used < (count === 1 ? 1 : count)) return undefined;
    // More digits than the pattern's need a sign, and a sign needs more digits.
    if (count >= 3 && signed.startsWith("+") !== used > count && !signed.startsWith("-")) return undefined;
    const length = used + (signed.length - digits);
    fields.year = Number(signed.slice(0, length));
    return at + length;
  }
  if (isNumber(field)) {
    const digits = take(count === 2 ? /\d\d/y : count === 3 ? /\d{3}/y : /\d{1,9}/y);
    if (digits === undefined) return undefined;
    const name = NUMBERS[letter] as "month";
    fields[name] = Number(digits);
    return at + digits.length;
  }
  switch (letter) {
    case "S": {
      const digits = take(/\d+/y)?.slice(0, count);
      if (digits === undefined) return undefined;
      fields.fraction = digits;
      return at + digits.length;
    }
    case "a": {
      const half = take(/am|pm/iy);
      if (half === undefined) return undefined;
      fields.half = half.toLowerCase() === "pm" ? 1 : 0;
      return at + 2;
    }
    case "M":
    case "L": {
      const forms = MONTHS.map((name) => (count >= 4 ? name : name.slice(0, 3)));
      const found = forms.findIndex((name) => startsAlike(text, at, name));
      if (found < 0) return undefined;
      fields.month = found + 1;
      return at + (forms[found]?.length ?? 0);
    }
    default: {
      const zone = take(zoneForm(letter, count));
      const name = zone === undefined ? undefined : zoneName(zone);
      if (zone === undefined || name === undefined) return undefined;
      fields.zone = name;
      return at + zone.length;
    }
  }
}

function zoneForm(letter: string, count: number): RegExp {
  if (letter === "V" || letter === "z") return /[A-Za-z][A-Za-z0-9_/+-]*(?::\d\d)?|[+-]\d\d:\d\d/y;
  if (letter === "Z")
    return count === 4 ? /GMT(?:[+-]\d\d:\d\d)?/y : count === 5 ? /Z|[+-]\d\d:\d\d(?::\d\d)?/y : /[+-]\d{4}/y;
  const offset =
    count === 1 ? "[+-]\\d\\d(?:\\d\\d)?" : count === 2 || count === 4 ? "[+-]\\d{4}" : "[+-]\\d\\d:\\d\\d";
  return new RegExp(letter === "X" ? `Z|${offset}` : offset, "y");
}

function startsAlike(text: string, at: number, wanted: string): boolean {
  return text.slice(at, at + wanted.length).toLowerCase() === wanted.toLowerCase();
}

function written(elements: readonly Element[], instant: bigint, zone: string | undefined): string {
  const offset = zone === undefined ? 0n : zoneOffset(zone, instant);
  const local = instant + offset;
  const perDay = 86_400_000_000n;
  const day = local / perDay - (local % perDay < 0n ? 1n : 0n);
  const time = Number(local - day * perDay);
  const date = dateOf(Number(day));
  const seconds = Math.floor(time / 1_000_000);
  const two = (n: number, count: number) => String(n).padStart(Math.min(count, 2), "0");
  const field = ({ letter, count }: { readonly letter: string; readonly count: number }): string => {
    const hour = Math.floor(seconds / 3600);
    switch (letter) {
      case "y": {
        if (count === 2) return two(((date.year % 100) + 100) % 100, 2);
        const digits = String(Math.abs(date.year)).padStart(count === 1 ? 1 : count, "0");
        return `${date.year < 0 ? "-" : count >= 3 && digits.length > count ? "+" : ""}${digits}`;
      }
      case "M":
      case "L":
        return count > 2 ? nameOf(MONTHS[date.month - 1], count) : two(date.month, count);
      case "d":
        return two(date.day, count);
      case "D":
        return String(Number(day) - (daysOf(date.year, 1, 1) ?? 0) + 1).padStart(count, "0");
      case "E":
        return nameOf(WEEKDAYS[(((Number(day) + 4) % 7) + 7) % 7], count);
      case "H":
        return two(hour, count);
      case "h":
        return two(hour % 12 === 0 ? 12 : hour % 12, count);
      case "a":
        return hour < 12 ? "AM" : "PM";
      case "m":
        return two(Math.floor(seconds / 60) % 60, count);
      case "s":
        return two(seconds % 60, count);
      case "S":
        return `${String(time % 1_000_000).padStart(6, "0")}000`.slice(0, count);
      case "V":
      case "z":
        return zone === "Z" ? "UTC" : (zone ?? "");
      default:
        return offsetText(letter, count, Number(offset / 1_000_000n));
    }
  };
  const all = (list: readonly Element[]): string =>
    list
      .map((element) => {
        if (element.kind === "literal") return element.text;
        if (element.kind === "field") return field(element);
        // A part that asks for a zone is left out where there is none.
        const wantsZone = element.elements.some((e) => e.kind === "field" && "XxZVz".includes(e.letter));
        return wantsZone && zone === undefined ? "" : all(element.elements);
      })
      .join("");
  return all(elements);
}

function nameOf(name: string | undefined, count: number): string {
  return (count >= 4 ? name : name?.slice(0, 3)) ?? "";
}

function offsetText(letter: string, count: number, seconds: number): string {
  if (seconds === 0 && (letter === "X" || (letter === "Z" && count === 5))) return "Z";
  const total = Math.abs(seconds);
  const two = (n: number) => String(n).padStart(2, "0");
  const [hours, minutes] = [two(Math.floor(total / 3600)), two(Math.floor(total / 60) % 60)];
  const sign = seconds < 0 ? "-" : "+";
  if (letter === "Z" && count === 4) return seconds === 0 ? "GMT" : `GMT${sign}${hours}:${minutes}`;
  if (letter === "Z") return count === 5 ? `${sign}${hours}:${minutes}` : `${sign}${hours}${minutes}`;
  const rest = total % 60 === 0 ? "" : `:${two(total % 60)}`;
  if (count === 1) return `${sign}${hours}${minutes === "00" ? "" : minutes}`;
  return count === 3 || count === 5 ? `${sign}${hours}:${minutes}${rest}` : `${sign}${hours}${minutes}`;
}
