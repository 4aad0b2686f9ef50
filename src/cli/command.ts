import { parseArgs } from "node:util";
import { IllegalArgumentError, nearest, PomonaError } from "../errors";

/** An executed notebook is not where it was asked for; the message says where it is kept. */
export class NotebookNotSavedError extends PomonaError {}

/** A command line that can't be understood; the message says what, and how to get help. Exit code 2. */
export class UsageError extends PomonaError {}

/** One option of a command. */
export interface OptionSpec {
  readonly type: "string" | "boolean";
  /** One letter. */
  readonly short?: string;
  /** What stands for the value in the help, such as `N`. */
  readonly value?: string;
  readonly about: string;
  readonly default?: string;
  readonly choices?: readonly string[];
  readonly multiple?: boolean;
  /** Takes two arguments, `-p name value`, which become one text `name=value`. */
  readonly pair?: boolean;
  /** May stand without its value, which is empty text then. */
  readonly optionalValue?: boolean;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** Parsed options: text, flags, or lists of text. */
export type OptionValues = Readonly<Record<string, string | boolean | string[] | undefined>>;

export interface CommandContext {
  readonly positionals: readonly string[];
  /** What followed `--`, for a command with {@link Command.rest}. */
  readonly rest: readonly string[];
  readonly options: OptionValues;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Writes a result to standard output. */
  print(text: string): void;
  /** Writes a note to standard error; silent with `--quiet`. */
  note(text: string): void;
}

export interface Command {
  /** With the group's, such as `kernel install`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly about: string;
  /** Names; in brackets, such as `[DIR]`, where one may be left out; the last with `…`, such as `[URL…]`, where more may follow. */
  readonly positionals: readonly string[];
  /** What `--` and further arguments are for; without it there are none. */
  readonly rest?: string;
  readonly options: OptionSpecs;
  /** A line each, shown under the help. */
  readonly examples: readonly string[];
  /** Returns the exit code. */
  run(context: CommandContext): Promise<number>;
}

/** Commands under one word, such as `kernel install` and `kernel list`. */
export interface CommandGroup {
  readonly name: string;
  /** One line for the list of commands. */
  readonly about: string;
  readonly commands: readonly Command[];
  /** The one that runs where none is named. */
  readonly usual?: Command;
}

/** Options that more than one command takes. */
export const SHARED_OPTIONS = {
  master: {
    type: "string",
    value: "URL",
    default: "local[*]",
    about: "where work runs: local, local[N], local[*], jupyter://host:8888",
  },
  partitions: { type: "string", value: "N", about: "how many tasks, and files written (default: by rows and cores)" },
  mode: {
    type: "string",
    value: "MODE",
    default: "errorifexists",
    choices: ["errorifexists", "overwrite", "append", "ignore"],
    about: "where DST holds data already",
  },
  conf: {
    type: "string",
    value: "NAME=VALUE",
    multiple: true,
    about: "a setting of the session, such as fs.s3a.endpoint=http://localhost:7070; may come again",
  },
  json: { type: "boolean", about: "print one JSON object to standard output" },
  quiet: { type: "boolean", short: "q", about: "no progress" },
  help: { type: "boolean", short: "h", about: "show this help" },
} as const satisfies OptionSpecs;

/** Parses what follows the command's name. @throws UsageError */
export function parseCommandLine(command: Command, args: readonly string[]) {
  const end = command.rest === undefined ? -1 : args.indexOf("--");
  const [own, rest] = end < 0 ? [args, []] : [args.slice(0, end), args.slice(end + 1)];
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({
      args: joinValues(command, own),
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(command.options).map(([name, { type, short, multiple }]) => [
          name,
          { type, ...(short ? { short } : {}), ...(multiple ? { multiple } : {}) },
        ]),
      ),
    });
  } catch (error) {
    throw new UsageError(firstSentence(error), { remedy: remedyFor(command, error) });
  }
  const values: Record<string, string | boolean | string[] | undefined> = {};
  for (const [name, spec] of Object.entries(command.options)) {
    const given = parsed.values[name] as string | boolean | string[] | undefined;
    if (spec.choices && typeof given === "string" && !spec.choices.includes(given)) {
      const near = nearest(given, spec.choices);
      throw new UsageError(`--${name} is one of ${spec.choices.join(", ")}, not ${JSON.stringify(given)}.`, {
        ...(near[0] === undefined ? {} : { remedy: `Did you mean ${near[0]}?` }),
      });
    }
    values[name] = given ?? spec.default;
  }
  const least = command.positionals.filter((name) => !name.startsWith("[")).length;
  const most = command.positionals.at(-1)?.includes("…") ? Number.POSITIVE_INFINITY : command.positionals.length;
  const given = parsed.positionals.length;
  if (!values.help && (given < least || given > most)) {
    throw new UsageError(
      `${command.name} takes ${command.positionals.join(" and ") || "no arguments"}; ${given} given.`,
      { remedy: `See pomona ${command.name} --help.` },
    );
  }
  return { options: values, positionals: parsed.positionals, rest };
}

/** The help of one command. */
export function helpText(command: Command): string {
  const usage = ["pomona", command.name, ...command.positionals, "[options]", ...(command.rest ? [command.rest] : [])];
  const rows = Object.entries(command.options).map(([name, spec]) => {
    const value = spec.optionalValue ? `[${spec.value}]` : spec.value;
    const flag = `${spec.short ? `-${spec.short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`;
    const choices = spec.choices ? ` (${spec.choices.join(", ")})` : "";
    const standard = spec.default ? ` [${spec.default}]` : "";
    return [flag, `${spec.about}${choices}${standard}`] as const;
  });
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return [
    command.about,
    "",
    `Usage: ${usage.join(" ")}`,
    "",
    ...rows.map(([flag, about]) => `  ${flag.padEnd(width)}  ${about}`),
    ...(command.examples.length > 0 ? ["", "Examples:", ...command.examples.map((e) => `  ${e}`)] : []),
    "",
  ].join("\n");
}

/** The help of a group: its commands. */
export function groupHelpText(group: CommandGroup): string {
  const width = Math.max(...group.commands.map((c) => c.name.length));
  return [
    group.about,
    "",
    `Usage: pomona ${group.name} COMMAND [options]`,
    "",
    ...group.commands.map((c) => `  ${c.name.padEnd(width)}  ${c.about}`),
    "",
    ...(group.usual ? [`Without a command: ${group.usual.name}.`] : []),
    `pomona ${group.name} COMMAND --help explains one.`,
    "",
  ].join("\n");
}

/** An option as a whole number. @throws UsageError */
export function wholeNumber(options: OptionValues, name: string, minimum = 1): number | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= minimum) return value;
  throw new UsageError(`--${name} must be a whole number from ${minimum}, not ${JSON.stringify(text)}.`);
}

/** What reads an option's value; a value that it refuses is wrong usage. @throws UsageError */
export function checkedOption<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof IllegalArgumentError) throw new UsageError(`--${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Joins what belongs to one option, since parseArgs takes one value each: no more and no less. */
function joinValues(command: Command, args: readonly string[]): string[] {
  const flags = new Map<string, OptionSpec>();
  for (const [name, spec] of Object.entries(command.options)) {
    flags.set(`--${name}`, spec);
    if (spec.short) flags.set(`-${spec.short}`, spec);
  }
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const spec = flags.get(arg);
    const [first, second] = [args[i + 1], args[i + 2]];
    if (spec?.pair) {
      if (first === undefined || second === undefined) throw new UsageError(`${arg} takes a name and a value.`);
      joined.push(arg, `${first}=${second}`);
      i += 2;
    } else if (spec?.optionalValue) {
      const hasValue = first !== undefined && !first.startsWith("-");
      joined.push(`${arg}=${hasValue ? first : ""}`);
      if (hasValue) i++;
    } else joined.push(arg);
  }
  return joined;
}

function remedyFor(command: Command, error: unknown): string {
  const unknown = /Unknown option '(-[^' ]*)'?/.exec(error instanceof Error ? error.message : "")?.[1];
  const names = Object.keys(command.options).map((name) => `--${name}`);
  const near = unknown ? nearest(unknown, names) : [];
  return `${near.length > 0 ? `Did you mean ${near.join(" or ")}? ` : ""}See pomona ${command.name} --help.`;
}

function firstSentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `${message.split(". ")[0]?.replace(/\.$/, "")}.`;
}
