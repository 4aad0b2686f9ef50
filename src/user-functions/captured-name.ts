import type { ImportOrigin } from "../kernel";

/**
 * How the text names what it takes from outside:
 * - `variable`: `lut`, written `lut` or, for an exported variable of a module, `exports.lut`
 * - `member`: `mean` of an import that the compiler turned into `stats_1.mean`
 */
export interface Capture {
  readonly kind: "variable" | "member";
  /** The name in the notebook: `lut`, `mean`. */
  readonly name: string;
  /** The identifier in the text: `lut`, `exports`, `stats_1`. */
  readonly identifier: string;
  /** True for a name of a notebook's cells, which hides a global of the same name. */
  readonly isNotebooks?: boolean;
  /** Where a notebook's name was imported from. */
  readonly imported?: ImportOrigin | undefined;
  readonly uses: readonly CaptureUse[];
}

/** One place where a captured name stands. */
export interface CaptureUse {
  /** The text that the notebook's author wrote as `name` alone. */
  readonly start: number;
  readonly end: number;
  readonly called: boolean;
  readonly assigned: boolean;
  /** The property read from it, in `stats.mean`. */
  readonly property: string | undefined;
}
