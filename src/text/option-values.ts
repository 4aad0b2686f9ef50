import { IllegalArgumentError } from "../errors";

/** Options as a reader or a writer was given them: Spark's names, values as text. */
export type Options = Readonly<Record<string, string>>;

/** A yes or no. @throws IllegalArgumentError for anything but true and false */
export function flag(options: Options, name: string, otherwise = false): boolean {
  const value = options[name]?.toLowerCase();
  if (value === undefined) return otherwise;
  if (value === "true" || value === "false") return value === "true";
  throw wrong(name, "true or false", options[name]);
}

/** A whole number. @throws IllegalArgumentError */
export function whole(options: Options, name: string, otherwise: number): number {
  const value = options[name];
  if (value === undefined) return otherwise;
  if (!/^[+-]?\d+$/.test(value)) throw wrong(name, "a whole number", value);
  return Number(value);
}

/** The code of a single character; 0 for an empty text. @throws IllegalArgumentError */
export function character(options: Options, name: string, otherwise: string): number {
  const value = options[name] ?? otherwise;
  if (value.length > 1) throw wrong(name, "one character", value);
  return value === "" ? 0 : value.charCodeAt(0);
}

/** One of some words, in any case. @throws IllegalArgumentError */
export function word<T extends string>(options: Options, name: string, known: readonly T[], otherwise: T): T {
  const value = options[name];
  if (value === undefined) return otherwise;
  const found = known.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
  if (found === undefined) throw wrong(name, `one of ${known.join(", ")}`, value);
  return found;
}

/** What happens to a record that is not what the format or the schema says. */
export const PARSE_MODES = ["PERMISSIVE", "DROPMALFORMED", "FAILFAST"] as const;
export type ParseMode = (typeof PARSE_MODES)[number];

/** The separator of lines, where one is given. @throws IllegalArgumentError */
export function lineSeparator(options: Options, longest: number): string | undefined {
  const value = options.lineSep;
  if (value === undefined) return undefined;
  if (value === "") throw wrong("lineSep", "at least one character", value);
  if (value.length > longest) throw wrong("lineSep", `at most ${longest} characters`, value);
  return value;
}

/** The share of rows that types are inferred from; fewer than all only by a share below 1. @throws IllegalArgumentError */
export function samplingRatio(options: Options): number {
  const value = Number(options.samplingRatio ?? 1);
  if (!(value > 0)) throw wrong("samplingRatio", "a number greater than 0", options.samplingRatio);
  return value;
}

/** @throws IllegalArgumentError for a language whose names of months and forms of numbers are not known here. */
export function refuseOtherLocales(options: Options): void {
  if (options.locale === undefined || /^en(?:-US)?$/i.test(options.locale)) return;
  throw new IllegalArgumentError(`Option "locale" is ${JSON.stringify(options.locale)}; only en-US is read here.`, {
    remedy: "Read such columns as strings and rewrite them with regexp_replace before a cast.",
  });
}

export function wrong(name: string, what: string, value: string | undefined): IllegalArgumentError {
  return new IllegalArgumentError(`Option "${name}" must be ${what}, not ${JSON.stringify(value)}.`);
}
