#!/usr/bin/env node
import { CancelledError, nearest, PomonaError } from "../errors";
import { VERSION } from "../version";
import { ABOUT } from "./abouts";
import {
  type Command,
  type CommandGroup,
  groupHelpText,
  helpText,
  NotebookNotSavedError,
  parseCommandLine,
  UsageError,
} from "./command";
import { watchNpm } from "./npm-watch";

/*
 * Exit codes: 0 done, 1 failed (also a validation that found problems), 2 wrong usage, 130 stopped by Ctrl-C, 143 by
 * SIGTERM.
 */

/** Loaded when it is used: what works with a session takes a third of a second. */
const COMMANDS: Readonly<Record<keyof typeof ABOUT, () => Promise<Command | CommandGroup>>> = {
  sample: async () => (await import("./sample")).sample,
  featurize: async () => (await import("./featurize")).featurize,
  pca: async () => (await import("./pca")).pca,
  validate: async () => (await import("./validate")).validate,
  show: async () => (await import("./show")).show,
  clean: async () => (await import("./clean")).clean,
  run: async () => (await import("./run")).run,
  lab: async () => (await import("./lab")).lab,
  worker: async () => (await import("./worker")).worker,
  endpoints: async () => (await import("./endpoints")).endpoints,
  spark: async () => (await import("./spark")).spark,
  history: async () => (await import("./history")).history,
  kernel: async () => (await import("./kernel")).kernel,
  doctor: async () => (await import("./doctor")).doctor,
};

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});
void main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  const [name, ...rest] = args;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    process.stdout.write(overview());
    process.exitCode = name === undefined ? 2 : 0;
    return;
  }
  if (name === "--version" || name === "-V") {
    process.stdout.write(`${VERSION}\n`);
    return;
  }
  const abort = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    // A second Ctrl-C does not wait for anything.
    if (abort.signal.aborted) process.exit(130);
    abort.abort(signal);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  // After a Ctrl-C, which reaches npm too, its end is no second one.
  const unwatch = watchNpm(() => abort.abort("SIGTERM"));
  try {
    process.exitCode = await runCommand(name, rest, abort.signal);
  } catch (error) {
    process.exitCode = report(error, abort.signal);
  } finally {
    unwatch();
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

async function runCommand(name: string, args: readonly string[], signal: AbortSignal): Promise<number> {
  const command = await COMMANDS[known(name, Object.keys(COMMANDS) as (keyof typeof ABOUT)[], "pomona")]();
  if (!("commands" in command)) return execute(command, args, signal);
  const [word, ...rest] = args;
  if (word === "help" || word === "--help" || word === "-h" || (word === undefined && !command.usual)) {
    process.stdout.write(groupHelpText(command));
    return word === undefined ? 2 : 0;
  }
  if (command.usual && (word === undefined || word.startsWith("-"))) return execute(command.usual, args, signal);
  const names = command.commands.map((c) => c.name);
  const full = known(`${command.name} ${word}`, names, `pomona ${command.name}`);
  return execute(command.commands[names.indexOf(full)]!, rest, signal);
}

/** A name that is one of those. @throws UsageError that names the nearest */
function known<Name extends string>(name: string, names: readonly Name[], group: string): Name {
  const found = names.find((each) => each === name);
  if (found !== undefined) return found;
  const near = nearest(name, names);
  throw new UsageError(`There is no command ${JSON.stringify(name)}.`, {
    remedy: `${near.length > 0 ? `Did you mean ${near.join(" or ")}? ` : ""}See ${group} --help.`,
  });
}

async function execute(command: Command, args: readonly string[], signal: AbortSignal): Promise<number> {
  const parsed = parseCommandLine(command, args);
  if (parsed.options.help) {
    process.stdout.write(helpText(command));
    return 0;
  }
  return command.run({
    ...parsed,
    signal,
    print: (text) => process.stdout.write(`${text}\n`),
    note: (text) => {
      if (!parsed.options.quiet) process.stderr.write(`${text}\n`);
    },
  });
}

function report(error: unknown, signal: AbortSignal): number {
  if (signal.aborted || error instanceof CancelledError) {
    if (error instanceof NotebookNotSavedError) process.stderr.write(`${error.name}: ${error.message}\n`);
    process.stderr.write("Stopped; nothing half-written was left behind.\n");
    return signal.reason === "SIGTERM" ? 143 : 130;
  }
  // A named error explains itself; any other is a defect of ours, and its stack is what a report needs.
  if (error instanceof PomonaError) process.stderr.write(`${error.name}: ${error.message}\n`);
  else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return error instanceof UsageError ? 2 : 1;
}

function overview(): string {
  const width = Math.max(...Object.keys(ABOUT).map((name) => name.length));
  return [
    `pomona ${VERSION}: from a folder of images to a validated Parquet file of PCA vectors.`,
    "",
    "Usage: pomona COMMAND [arguments] [options]",
    "",
    ...Object.entries(ABOUT).map(([name, about]) => `  ${name.padEnd(width)}  ${about}`),
    "",
    "pomona COMMAND --help explains one; pomona --version tells which this is.",
    "",
  ].join("\n");
}
