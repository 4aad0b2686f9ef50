import { closest, nearest, PomonaError } from "../errors";

/** Thrown when a plan cannot be computed as written: an unknown column, a type that does not fit. No work has started. */
export class AnalysisError extends PomonaError {}

interface UnresolvedOptions {
  readonly cause?: unknown;
  /** The name as an expression has it, in parts. */
  readonly parts?: readonly string[];
  /** The side of a join that lacks it. */
  readonly joinSide?: "left" | "right";
  /** Where a column is looked for by its whole name alone. */
  readonly among?: boolean;
  readonly remedy?: string;
}

/** As many as Spark proposes. */
const PROPOSED = 5;

/** Thrown when a plan names a column that its input does not have: Spark's `UNRESOLVED_COLUMN`. */
export class UnresolvedColumnError extends AnalysisError {
  /** The column as written. */
  readonly column: string;
  /** Up to three columns that look like it, the nearest first. */
  readonly suggestions: readonly string[];
  /** Every column there is. */
  readonly available: readonly string[];

  constructor(column: string, available: readonly string[], options: UnresolvedOptions = {}) {
    const more =
      available.length === 0 ? "There are no columns." : `The columns are ${available.map(quoted).join(", ")}.`;
    const saysAll = options.joinSide !== undefined || options.among;
    const isMore = !saysAll && (available.length === 0 || available.length > PROPOSED);
    super(unresolvedText(column, available, options), {
      ...(options.remedy ? { remedy: options.remedy } : isMore ? { remedy: more } : {}),
      cause: options.cause,
    });
    this.column = column;
    this.suggestions = nearest(column, available);
    this.available = available;
  }
}

function unresolvedText(column: string, available: readonly string[], options: UnresolvedOptions): string {
  const { parts = [column], joinSide, among } = options;
  const name = parts.map(quoted).join(".");
  if (joinSide) {
    const all = available.map(quoted).join(", ");
    return `[UNRESOLVED_USING_COLUMN_FOR_JOIN] USING column ${name} cannot be resolved on the ${joinSide} side of the join. The ${joinSide}-side columns: [${all}].`;
  }
  if (among) {
    return `[UNRESOLVED_COLUMN_AMONG_FIELD_NAMES] Cannot resolve column name "${column}" among (${available.join(", ")}).`;
  }
  const proposed = closest(column, available).slice(0, PROPOSED).map(quoted).join(", ");
  const kind = proposed === "" ? "WITHOUT_SUGGESTION" : "WITH_SUGGESTION";
  const meant = proposed === "" ? "" : ` Did you mean one of the following? [${proposed}].`;
  return `[UNRESOLVED_COLUMN.${kind}] A column, variable, or function parameter with name ${name} cannot be resolved.${meant}`;
}

/** Thrown when a name fits several columns, such as after a join of two frames that share it: Spark's `AMBIGUOUS_REFERENCE`. */
export class AmbiguousColumnError extends AnalysisError {
  /** The column as written. */
  readonly column: string;

  /** @param matches the columns it fits, each with the alias of its frame where it has one */
  constructor(column: string, matches: readonly (readonly string[])[]) {
    const could = matches.map((parts) => parts.map(quoted).join(".")).join(", ");
    super(`[AMBIGUOUS_REFERENCE] Reference ${quoted(column)} is ambiguous, could be: [${could}].`, {
      remedy: `Say whose it is: df.col(${JSON.stringify(column)}) of the frame it comes from, or alias("a") on the frames and col("a.${column}"); drop(df.col(${JSON.stringify(column)})) takes one of them away.`,
    });
    this.column = column;
  }
}

/** Thrown where columns have to have different names, and two have not: Spark's `COLUMN_ALREADY_EXISTS`. */
export class DuplicateColumnError extends AnalysisError {
  /** The name that comes twice. */
  readonly column: string;

  /** @param why what needs the names to differ, as a sentence */
  constructor(column: string, why: string) {
    super(
      `[COLUMN_ALREADY_EXISTS] The column ${quoted(column.toLowerCase())} already exists. Choose another name or rename the existing column. ${why}`,
      {
        remedy: `Give one of them another name with alias(), or leave it out: drop(df.col(${JSON.stringify(column)})).`,
      },
    );
    this.column = column;
  }
}

/** Thrown for a column of a frame that is not part of the input, or no more: Spark's `CANNOT_RESOLVE_DATAFRAME_COLUMN`. */
export class ForeignColumnError extends AnalysisError {
  /** The column as written. */
  readonly column: string;

  constructor(column: string, available: readonly string[]) {
    super(
      `[CANNOT_RESOLVE_DATAFRAME_COLUMN] Cannot resolve dataframe column ${quoted(column)}. It's probably because of illegal references like \`df1.select(df2.col("a"))\`.`,
      {
        remedy: `The frame it was taken from is not part of this one, or the column was replaced, renamed or dropped since. By name: col(${JSON.stringify(column)}). The columns are ${available.map(quoted).join(", ")}.`,
      },
    );
    this.column = column;
  }
}

/** @throws DuplicateColumnError for names that are equal or differ only by case. */
export function refuseDuplicates(names: readonly string[], why: string): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name.toLowerCase())) throw new DuplicateColumnError(name, why);
    seen.add(name.toLowerCase());
  }
}

function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
