#!/usr/bin/env node
import { CancelledError, nearest, PomonaError } from "../errors";
import { VERSION } from "../version";
import { clean } from "./clean";
import { type Command, type CommandGroup, groupHelpText, helpText, parseCommandLine, UsageError } from "./command";
import { doctor } from "./doctor";
import { featurize } from "./featurize";
import { kernel } from "./kernel";
import { lab } from "./lab";
import { pca } from "./pca";
import { run } from "./run";
import { sample } from "./sample";
import { show } from "./show";
import { validate } from "./validate";

/*
 * Exit codes: 0 done, 1 failed (also a validation that found problems), 2 wrong usage, 130 stopped by Ctrl-C, 143 by
 * SIGTERM.
 */

const COMMANDS: readonly (Command | CommandGroup)[] = [
  sample,
  featurize,
  pca,
  validate,
  show,
  clean,
  run,
  lab,
  kernel,
  doctor,
];

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
  try {
    process.exitCode = await runCommand(name, rest, abort.signal);
  } catch (error) {
    process.exitCode = report(error, abort.signal);
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

async function runCommand(name: string, args: readonly string[], signal: AbortSignal): Promise<number> {
  const command = find(COMMANDS, name, "pomona");
  if (!("commands" in command)) return execute(command, args, signal);
  const [word, ...rest] = args;
  if (word === undefined || word === "help" || word === "--help" || word === "-h") {
    process.stdout.write(groupHelpText(command));
    return word === undefined ? 2 : 0;
  }
  return execute(find(command.commands, `${command.name} ${word}`, `pomona ${command.name}`), rest, signal);
}

function find<T extends Command | CommandGroup>(commands: readonly T[], name: string, group: string): T {
  const found = commands.find((c) => c.name === name);
  if (found) return found;
  const near = nearest(
    name,
    commands.map((c) => c.name),
  );
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
    process.stderr.write("Stopped; nothing half-written was left behind.\n");
    return signal.reason === "SIGTERM" ? 143 : 130;
  }
  // A named error explains itself; any other is a defect of ours, and its stack is what a report needs.
  if (error instanceof PomonaError) process.stderr.write(`${error.name}: ${error.message}\n`);
  else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  return error instanceof UsageError ? 2 : 1;
}

function overview(): string {
  const width = Math.max(...COMMANDS.map((c) => c.name.length));
  return [
    `pomona ${VERSION}: from a folder of images to a validated Parquet file of PCA vectors.`,
    "",
    "Usage: pomona COMMAND [arguments] [options]",
    "",
    ...COMMANDS.map((c) => `  ${c.name.padEnd(width)}  ${c.about}`),
    "",
    "pomona COMMAND --help explains one; pomona --version tells which this is.",
    "",
  ].join("\n");
}
