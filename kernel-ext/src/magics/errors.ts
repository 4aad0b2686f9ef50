import { nearest, PomonaError } from "pomona/kernel";
import { MAGICS, type Magic } from "./catalog";

/** Thrown for a magic that does not exist. */
export class UnknownMagicError extends PomonaError {
  /** The name as written, without `%%`. */
  readonly magic: string;

  constructor(magic: string) {
    const names = MAGICS.map(({ name }) => name);
    const near = nearest(magic, names)[0];
    super(magic === "" ? "%% is not followed by a name." : `There is no magic %%${magic}.`, {
      remedy: `${near === undefined ? "" : `Did you mean %%${near}? `}There are ${names.map((name) => `%%${name}`).join(", ")}.`,
    });
    this.magic = magic;
  }
}

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
