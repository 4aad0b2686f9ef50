import { parseArgs } from "node:util";
import { IllegalArgumentError, nearest, PomonaError } from "../errors";

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
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** Parsed options: text, flags, or lists of text. */
export type OptionValues = Readonly<Record<string, string | boolean | string[] | undefined>>;

export interface CommandContext {
  readonly positionals: readonly string[];
  readonly options: OptionValues;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Writes a result to standard output. */
  print(text: string): void;
  /** Writes a note to standard error; silent with `--quiet`. */
  note(text: string): void;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly about: string;
  readonly positionals: readonly string[];
  readonly options: OptionSpecs;
  /** A line each, shown under the help. */
  readonly examples: readonly string[];
  /** Returns the exit code. */
  run(context: CommandContext): Promise<number>;
}

/** Options that more than one command takes. */
export const SHARED_OPTIONS = {
  master: { type: "string", value: "URL", default: "local[*]", about: "where work runs: local, local[N], local[*]" },
  partitions: { type: "string", value: "N", about: "how many tasks, and files written (default: by rows and cores)" },
  mode: {
    type: "string",
    value: "MODE",
    default: "errorifexists",
    choices: ["errorifexists", "overwrite", "append", "ignore"],
    about: "where DST holds data already",
  },
  json: { type: "boolean", about: "print one JSON object to standard output" },
  quiet: { type: "boolean", short: "q", about: "no progress" },
  help: { type: "boolean", short: "h", about: "show this help" },
} as const satisfies OptionSpecs;

/** Parses what follows the command's name. @throws UsageError */
export function parseCommandLine(command: Command, args: readonly string[]) {
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({
      args: joinPairs(command, args),
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
  if (!values.help && parsed.positionals.length !== command.positionals.length) {
    throw new UsageError(
      `${command.name} takes ${command.positionals.join(" and ") || "no arguments"}; ${parsed.positionals.length} given.`,
      { remedy: `See pomona ${command.name} --help.` },
    );
  }
  return { options: values, positionals: parsed.positionals };
}

/** The help of one command. */
export function helpText(command: Command): string {
  const usage = ["pomona", command.name, ...command.positionals, "[options]"].join(" ");
  const rows = Object.entries(command.options).map(([name, spec]) => {
    const flag = `${spec.short ? `-${spec.short}, ` : "    "}--${name}${spec.value ? ` ${spec.value}` : ""}`;
    const choices = spec.choices ? ` (${spec.choices.join(", ")})` : "";
    const standard = spec.default ? ` [${spec.default}]` : "";
    return [flag, `${spec.about}${choices}${standard}`] as const;
  });
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return [
    command.about,
    "",
    `Usage: ${usage}`,
    "",
    ...rows.map(([flag, about]) => `  ${flag.padEnd(width)}  ${about}`),
    ...(command.examples.length > 0 ? ["", "Examples:", ...command.examples.map((e) => `  ${e}`)] : []),
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

function joinPairs(command: Command, args: readonly string[]): string[] {
  const pairs = new Set(
    Object.entries(command.options).flatMap(([name, { pair, short }]) => (pair ? [`--${name}`, `-${short}`] : [])),
  );
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!pairs.has(arg)) {
      joined.push(arg);
      continue;
    }
    const [name, value] = [args[i + 1], args[i + 2]];
    if (name === undefined || value === undefined) throw new UsageError(`${arg} takes a name and a value.`);
    joined.push(arg, `${name}=${value}`);
    i += 2;
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
