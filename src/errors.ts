/** The error every named Pomona error extends. `name` is the class name; `remedy` says what to do about it. */
export class PomonaError extends Error {
  /** What the user can do, in one sentence; also part of `message`. */
  declare readonly remedy: string | undefined;
  /** False where trying the same task again cannot help, such as a corrupt image. */
  declare readonly retryable: boolean;

  constructor(message: string, options: { remedy?: string; cause?: unknown; retryable?: boolean } = {}) {
    super(
      options.remedy ? `${message}\n${options.remedy}` : message,
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.name = new.target.name;
    // Not enumerable: the message says the remedy, so the printed error need not say it again.
    Object.defineProperties(this, {
      remedy: { value: options.remedy },
      retryable: { value: options.retryable ?? false },
    });
  }
}

/** Stands on the errors of every copy of the package: a symbol of a name is the same one for all of them. */
const BRAND = Symbol.for("pomona.error");
Object.defineProperty(PomonaError.prototype, BRAND, { value: true });

/*
 * `instanceof` holds for errors of another copy of the package too, which a notebook's packages and a bundle may bring: by the
 * names of their classes. Not declared in the class, so that TypeScript narrows as it does for any class.
 */
Object.defineProperty(PomonaError, Symbol.hasInstance, {
  value(this: { readonly name: string }, thrown: unknown): boolean {
    if (isOf(PomonaError, thrown)) return isOf(this, thrown);
    return hasBrand(thrown) && classNames(thrown).includes(this.name);
  },
});

/** What `instanceof` says of a class that does not say it itself. */
function isOf(type: object, thrown: unknown): boolean {
  return Function.prototype[Symbol.hasInstance].call(type, thrown);
}

function hasBrand(thrown: unknown): thrown is object {
  return typeof thrown === "object" && thrown !== null && BRAND in thrown;
}

function classNames(thrown: object): string[] {
  const names: string[] = [];
  for (let at = Object.getPrototypeOf(thrown); at !== null; at = Object.getPrototypeOf(at))
    names.push(at.constructor?.name ?? "");
  return names;
}

/** Thrown when an option, a parameter or a configuration value is not acceptable; the message names it. */
export class IllegalArgumentError extends PomonaError {}

/** Thrown when work was stopped by an `AbortSignal`, `session.stop()` or Ctrl-C. */
export class CancelledError extends PomonaError {}

/** Thrown where something needs an optional package that is not installed, or that does not load. */
export class OptionalPackageError extends PomonaError {
  constructor(
    /** Its name and version, as `npm install` takes them. */
    readonly packageName: string,
    neededBy: string,
    options: { command?: string; cause: unknown },
  ) {
    const name = packageName.replace(/(.)@.*/, "$1");
    const { command = `npm install ${packageName}`, cause } = options;
    super(
      isNotFound(cause, name)
        ? `${neededBy} needs the package ${name}, which is not installed.`
        : `${neededBy} needs the package ${name}, which does not load: ${firstLine(cause)}`,
      { remedy: `Install it: ${command}`, cause },
    );
  }
}

function isNotFound(error: unknown, name: string): boolean {
  return error instanceof Error && error.message.startsWith(`Cannot find module '${name}'`);
}

/** The first line of an error or of its message: what is wrong, without the remedy. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}

/** Throws {@link CancelledError} if `signal` is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError("Cancelled.", { cause: signal.reason });
}

/** Up to three of `candidates` that look like `name`, the nearest first; for "did you mean". */
export function nearest(name: string, candidates: readonly string[]): string[] {
  const wanted = name.toLowerCase();
  return candidates
    .map((candidate) => ({ candidate, distance: editDistance(wanted, candidate.toLowerCase()) }))
    .filter(({ distance, candidate }) => distance <= Math.max(2, Math.floor(candidate.length / 2)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** `candidates` by their distance from `name`, the nearest first; those as near as each other stay in order. */
export function closest(name: string, candidates: readonly string[]): string[] {
  return candidates
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance)
    .map(({ candidate }) => candidate);
}

/** The one of `candidates` that `name` differs from by a slip of the keyboard: a letter too few, too many or wrong, or two swapped. */
export function misspelt(name: string, candidates: readonly string[]): string | undefined {
  return candidates.find(
    (candidate) => Math.abs(candidate.length - name.length) <= 2 && editDistance(name, candidate) <= 2,
  );
}

/** Levenshtein distance (single-character insertions, deletions and substitutions). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(previous[j]! + 1, row[j - 1]! + 1, substitution));
    }
    previous = row;
  }
  return previous[b.length]!;
}

/** An error in one line: its first, with the list below it where that is only the list's heading. */
export function summaryOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [first = "", ...rest] = text.split("\n");
  if (!first.endsWith(":")) return first;
  const end = rest.findIndex((line) => !/^\s/.test(line));
  const list = (end < 0 ? rest : rest.slice(0, end)).map((line) => line.trim().replace(/^- /, ""));
  return [first, list.join("; ")].join(" ").trimEnd();
}
