/** A line of a function's text without guards, and its number in the text with them, from 0. */
export interface UnguardedLine {
  readonly text: string;
  readonly line: number;
}

/** A guard that stands as a statement, such as `__stop__(5);` and `const __try1__ = __stop__.here(5);`. */
const STATEMENT = /(?:const __[a-z]+\d+__ = )?__stop__(?:\.[a-z]+)?\(\d+(?:, \w+)?\); ?/g;

/** The beginning of a guard around an expression: `__stop__.wait(5, __frame1__, 0, `. */
const OPENING = /__stop__\.[a-z]+\(\d+, (?:__stop__\.frame\(\d+\)|\w+), \w+, |\(__stop__\(\d+\), /g;

/** Its end. */
const CLOSING = /, __stop__\)| ?\/\*__stop__\*\/\)/g;

/**
 * A function's text without the guards that a kernel puts into cells, so that it can interrupt them: they are no use on a worker,
 * which has other means.
 */
export function withoutGuards(text: string): readonly UnguardedLine[] {
  return text.split("\n").flatMap((guarded, line) => {
    if (!guarded.includes("__stop__")) return [{ text: guarded, line }];
    const unguarded = guarded.replace(STATEMENT, "").replace(OPENING, "").replace(CLOSING, "");
    return unguarded.trim() === "" ? [] : [{ text: unguarded, line }];
  });
}
