import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { SYNTHETIC_CLASSES, syntheticFruit } from "../../src/image/synthetic";

const MAIN = join(__dirname, "..", "..", "dist", "cli", "main.js");

/** How a run of the command line ended. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A program that runs the command line, such as `prlimit --fsize=1`. */
  readonly under?: readonly string[];
  /** Run as a user that file permissions apply to, as they do not to root. */
  readonly unprivileged?: boolean;
  /** A module that the process loads first. */
  readonly preload?: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Outcome>;
}

/** A row of features, or of what a PCA made of them. */
export interface ShownRow {
  readonly path: string;
  readonly label: string;
  readonly features?: readonly number[] | null;
  readonly pca?: readonly number[];
  readonly error?: string | null;
}

/** A folder of one test's own, in which the command line runs as a process. */
export interface Workplace {
  /** A path in the folder. */
  path(...names: string[]): string;
  /** Writes a file, and the folders above it. Returns its path. */
  file(name: string, content: string | Uint8Array): string;
  start(args: readonly string[], options?: StartOptions): Running;
  /** Runs a command to its end. */
  pomona(args: readonly string[], options?: StartOptions): Promise<Outcome>;
  /** The rows of a data set, as `pomona show --json` has them. */
  rowsOf(folder: string): Promise<ShownRow[]>;
  /** Asserts what holds after a command that failed: nothing at its output, nothing in the folder for temporary files. */
  expectNothing(output?: string): void;
  /** Draws fruits: `<name>/<Class>/<n>_100.jpg`. */
  fruits(name: string, options?: { classes?: number; perClass?: number }): Promise<string>;
}

/** Gives each test of a file a folder of its own, with a folder `tmp` in it for temporary files. */
export function workplace(): Workplace {
  // Several processes a test, on a machine that may be busy.
  vi.setConfig({ testTimeout: 600_000 });
  let folder = "";
  const path = (...names: string[]) => join(folder, ...names);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pomona-cli-"));
    mkdirSync(path("tmp"));
    // A run as another user writes here too.
    for (const shared of [folder, path("tmp")]) chmodSync(shared, 0o777);
  });
  const children: ChildProcess[] = [];
  afterEach(() => {
    // What a test that failed has left running.
    for (const child of children.splice(0)) if (child.exitCode === null && child.signalCode === null) child.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  const file = (name: string, content: string | Uint8Array) => {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), content);
    return path(name);
  };
  const start = (args: readonly string[], options: StartOptions = {}): Running => {
    const { under = [], preload, env } = options;
    const [program = "", ...rest] = [
      ...under,
      process.execPath,
      ...(preload ? ["--require", preload] : []),
      MAIN,
      ...args,
    ];
    const isRoot = process.getuid?.() === 0;
    const child = spawn(program, rest, {
      cwd: folder,
      env: { ...process.env, TMPDIR: path("tmp"), HOME: folder, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.unprivileged && isRoot ? { uid: 65534, gid: 65534 } : {}),
    });
    children.push(child);
    return { process: child, ended: outcomeOf(child) };
  };
  return {
    path,
    file,
    start,
    pomona: (args, options) => start(args, options).ended,
    async rowsOf(name) {
      const outcome = await start(["show", name, "--json", "-n", "1000", "-q"]).ended;
      expect(outcome.code).toBe(0);
      const lines = outcome.stdout.split("\n").filter((line) => line !== "");
      return lines.map((line) => JSON.parse(line) as ShownRow);
    },
    expectNothing(output = "out") {
      expect(existsSync(path(output))).toBe(false);
      expect(readdirSync(path("tmp"))).toEqual([]);
    },
    async fruits(name, { classes = 3, perClass = 4 } = {}) {
      for (const fruit of SYNTHETIC_CLASSES.slice(0, classes)) {
        for (let n = 0; n < perClass; n++) file(join(name, fruit, `${n}_100.jpg`), await drawn(fruit, n));
      }
      return path(name);
    },
  };
}

const drawings = new Map<string, Promise<Uint8Array>>();

function drawn(fruit: string, n: number): Promise<Uint8Array> {
  const key = `${fruit}/${n}`;
  const drawing = drawings.get(key) ?? syntheticFruit(fruit, n);
  drawings.set(key, drawing);
  return drawing;
}

/** One image. */
export const anImage = () => drawn(SYNTHETIC_CLASSES[0] ?? "", 0);

/** Options that make `featurize` quick: no real weights, no progress. */
export const QUICK = ["--weights", "random", "--quiet"] as const;

/** The files below a folder, hidden ones too; undefined where there is no folder. */
export function filesIn(folder: string): string[] | undefined {
  if (!existsSync(folder)) return undefined;
  const entries = readdirSync(folder, { recursive: true, encoding: "utf8" });
  // A file may go while a process is at work there.
  const isFile = (name: string) => lstatSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory() === false;
  return entries.filter(isFile).sort();
}

/** What would tell a change: each file's name, inode, size and time. */
export function stateOf(folder: string): string[] {
  return (filesIn(folder) ?? []).map((name) => {
    const { ino, size, mtimeMs } = lstatSync(join(folder, name));
    return `${relative(".", name)} ${ino} ${size} ${mtimeMs}`;
  });
}

/** Asserts that a run failed with a named error, said these things, and printed no result. */
export function expectError(outcome: Outcome, name: string, says: readonly (string | RegExp)[], code = 1): void {
  expect(outcome.stderr).toMatch(new RegExp(`^(TaskFailedError: )?${name}: `, "m"));
  for (const text of says) expect(outcome.stderr).toMatch(text);
  expect(outcome.stdout).toBe("");
  expect(outcome.code).toBe(code);
}

/** Asserts that a run succeeded, and parses what it printed with `--json`. */
export function resultOf(outcome: Outcome): Record<string, unknown> {
  expect(outcome).toMatchObject({ code: 0, signal: null });
  return JSON.parse(outcome.stdout) as Record<string, unknown>;
}

/** Waits until something holds. @throws Error after a minute */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 300_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`Waited for five minutes: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let [stdout, stderr] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
