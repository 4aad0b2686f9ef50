import { nearest, PomonaError } from "pomona/kernel";
import { MAGICS, type Magic } from "./catalog";

/** Thrown for a magic that does not exist. */
export class UnknownMagicError extends PomonaError {
  /** The name as written, without `%%`. */
  readonly magic: string;

  constructor(magic: string) {
    const names = MAGICS.map(({ name }) => name);
    const near = nearest(magic, names)[0];
    const known = Object.hasOwn(IPYTHON, magic) ? IPYTHON[magic] : undefined;
    super(magic === "" ? "%% is not followed by a name." : `There is no magic %%${magic}.`, {
      remedy:
        known ??
        `${near === undefined ? "" : `Did you mean %%${near}? `}There are ${names.map((name) => `%%${name}`).join(", ")}.`,
    });
    this.magic = magic;
  }
}

/** What does the work of IPython's magics here. */
const IPYTHON: Readonly<Record<string, string>> = {
  matplotlib: "Plots need none: a cell that ends with a figure shows it.",
  pylab: "Plots need none: a cell that ends with a figure shows it.",
  config: "Settings of the session are %%configure's, or session.conf.set(name, value).",
  load_ext: "Extensions are npm packages: import them.",
  autoreload: "None is needed: files that cells import are read anew after a change.",
  reload_ext: "None is needed: files that cells import are read anew after a change.",
  timeit: "%%time runs a cell once and tells how long it took.",
  prun: "%%time tells how long a cell took.",
  pip: "Packages come from npm: %%bash, and below it npm install …",
  conda: "Packages come from npm: %%bash, and below it npm install …",
  sh: "%%bash runs shell commands.",
  system: "%%bash runs shell commands.",
  script: "%%bash runs shell commands.",
  ls: "%%bash runs shell commands, and below it ls",
  pwd: "process.cwd() gives the folder, and %%bash runs shell commands.",
  cd: "process.chdir(folder) changes the folder.",
  env: 'process.env holds the environment: process.env.NAME = "value".',
  set_env: 'process.env holds the environment: process.env.NAME = "value".',
  run: 'import "./file" runs a file; pomona run runs a notebook.',
  load: 'import from "./file" takes what a file exports.',
  writefile: "writeFileSync(path, text) of node:fs writes a file; %%bash with cat does, too.",
  who: "Tab completes the names that are there; %%info shows the session.",
  whos: "Tab completes the names that are there; %%info shows the session.",
  reset: "The Kernel menu restarts the kernel; %%cleanup ends the session.",
  debug: "An error shows its lines; %%logs shows what the session and its workers said.",
  javascript: "A cell is TypeScript, of which JavaScript is a part; %%html runs a script in the page.",
  js: "A cell is TypeScript, of which JavaScript is a part; %%html runs a script in the page.",
  python: "This kernel runs TypeScript; %%bash with python3 runs Python.",
  latex: "%%markdown shows formulas between $.",
  spark: "The session is there: session, or spark; %%configure has its settings, %%info shows it.",
  svg: "svg(text) shows a picture.",
  capture: "An Output of pomona/widgets takes what code prints.",
};

/** Thrown when a magic is not used as it has to be; the message shows how. */
export class MagicUsageError extends PomonaError {
  constructor({ name, usage }: Magic, problem: string) {
    super(`%%${name}: ${problem}`, { remedy: `Usage:\n${usage}` });
  }
}

/** Thrown when a shell command of `%%bash` ends with another exit code than 0. */
export class BashError extends PomonaError {
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined;

  constructor(exitCode: number | null, signal: NodeJS.Signals | null) {
    super(exitCode === null ? `bash was ended by ${signal}.` : `bash ended with exit code ${exitCode}.`);
    this.exitCode = exitCode ?? undefined;
  }
}

/** Thrown when the session can't be changed or ended now. */
export class SessionBusyError extends PomonaError {}

/** Thrown for settings of `%%configure` that can't be taken; nothing was stopped. */
export class ConfigureError extends PomonaError {}
