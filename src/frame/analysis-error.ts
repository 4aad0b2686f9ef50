import { nearest, PomonaError } from "../errors";

/** Thrown when a plan cannot be computed as written: an unknown column, a type that does not fit. No work has started. */
export class AnalysisError extends PomonaError {}

/** Thrown when a plan names a column that its input does not have. */
export class UnresolvedColumnError extends AnalysisError {
  /** The column as written. */
  readonly column: string;
  /** Up to three columns that look like it, the nearest first. */
  readonly suggestions: readonly string[];
  /** Every column there is. */
  readonly available: readonly string[];

  constructor(column: string, available: readonly string[], options: { cause?: unknown } = {}) {
    const suggestions = nearest(column, available);
    const meant = suggestions.length > 0 ? `Did you mean ${suggestions.map(quoted).join(", ")}? ` : "";
    const all = available.length > 0 ? `The columns are ${available.map(quoted).join(", ")}.` : "There are no columns.";
    super(`There is no column ${quoted(column)}.`, { remedy: meant + all, cause: options.cause });
    this.column = column;
    this.suggestions = suggestions;
    this.available = available;
  }
}

/** Thrown when a name fits several columns, such as after a join of two tables that share more than the join column. */
export class AmbiguousColumnError extends AnalysisError {
  readonly column: string;

  constructor(column: string, matches: readonly string[]) {
    super(`The name ${quoted(column)} fits ${matches.length} columns: ${matches.map(quoted).join(", ")}.`, {
      remedy: "Rename or drop one of them before the step that makes them meet, e.g. withColumnRenamed before join.",
    });
    this.column = column;
  }
}

function quoted(name: string): string {
  return `\`${name}\``;
}
