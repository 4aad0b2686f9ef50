import { PomonaError } from "../errors";

/** What a memo's function uses can't be compared with what it was, so that a kept value might be stale. */
export class MemoKeyError extends PomonaError {
  /** The way to what can't be told, such as `helper → table.socket`. */
  readonly path: string;

  constructor(name: string, path: string, problem: string, remedy?: string) {
    super(`memo ${JSON.stringify(name)}: ${path} ${problem}, so that nobody can tell when its value changes.`, {
      remedy:
        remedy ?? `Say yourself what the value depends on: memo(${JSON.stringify(name)}, …, { key: [file, version] }).`,
    });
    this.path = path;
  }
}

/** A memo's function gave what can't be kept. */
export class MemoValueError extends PomonaError {
  /** The way to it, such as `result.rows[3]`. */
  readonly path: string;

  constructor(name: string, path: string, problem: string, remedy?: string) {
    super(`memo ${JSON.stringify(name)} can't keep its value: ${path} ${problem}.`, {
      remedy:
        remedy ??
        "Keep plain data (numbers, text, arrays, objects, Map, Set, Date, typed arrays), DataFrames, vectors and fitted models.",
    });
    this.path = path;
  }
}
