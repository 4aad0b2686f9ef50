import { Column } from "../../src/frame/column";
import type { DataFrame } from "../../src/frame/dataframe";

/** The frames of `frames.json`, by name. */
export type Frames = Readonly<Record<string, DataFrame>>;

/** How the answer stands to Spark's. Absent: the same values, types, nullability and names, or the same error. */
export interface Disposition {
  /** Refused by an error with this in its message, where Spark gives a result. */
  readonly refused?: string;
  /** Different, and said so in docs/differences.md, which has this text. */
  readonly differs?: string;
  /** Columns may be null where Spark knows that they are not, which docs/differences.md says in these words. */
  readonly nullable?: string;
  /** Numbers are the same to so much, relatively: sums in another order, another mathematical library. */
  readonly within?: number;
  /** The error that Spark has in its answer's place, by how it cuts the rows. */
  readonly orError?: string;
}

/** A column over one of the frames, in PySpark and here. */
export interface ColumnCase extends Disposition {
  readonly frame: string;
  /** With `F` for `pyspark.sql.functions`. */
  readonly spark: string;
  readonly ours: () => Column;
}

/** A frame made of the frames. */
export interface FrameCase extends Disposition {
  readonly frame?: undefined;
  readonly spark: string;
  readonly ours: (frames: Frames) => DataFrame;
  /** Rows are compared in order. */
  readonly ordered?: boolean;
}

export type ConformanceCase = ColumnCase | FrameCase;

/** Cases over one frame: PySpark's text, and the column here. */
export function over(
  frame: string,
  cases: Readonly<Record<string, () => Column>>,
  disposition: Disposition = {},
): ColumnCase[] {
  return Object.entries(cases).map(([spark, ours]) => ({ frame, spark, ours, ...disposition }));
}

/** Functions of one column, each over each of the columns. */
export function unary(
  frame: string,
  columns: readonly string[],
  functions: Readonly<Record<string, (column: string) => Column>>,
  disposition: Disposition = {},
): ColumnCase[] {
  return Object.entries(functions).flatMap(([name, fn]) =>
    columns.map((column) => ({ frame, spark: `F.${name}("${column}")`, ours: () => fn(column), ...disposition })),
  );
}

/** A double of no fraction, which JavaScript has no literal for. */
export function double(value: number): Column<string, number> {
  return new Column({ kind: "literal", value, type: "double" });
}
