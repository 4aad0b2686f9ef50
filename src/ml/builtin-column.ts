import type { Json } from "../data/batch-function";
import type { DataType } from "../data/types";
import type { DataFrame } from "../frame/dataframe";
import type { With } from "../frame/row-types";
import { VECTOR_TYPE } from "../numerics";

interface Columns<O extends string> {
  readonly inputCol: string | readonly string[];
  readonly outputCol: O;
}

interface Builtin {
  readonly name: string;
  readonly params: Json;
}

/** The DataFrame with one more column of vectors, computed on the workers by a built-in function of another. Lazy. */
export function withVectorColumn<R, O extends string>(
  df: DataFrame<R>,
  columns: Columns<O>,
  fn: Builtin,
): DataFrame<With<R, O, Float64Array>> {
  return withBuiltinColumn<R, O, Float64Array>(df, columns, fn, VECTOR_TYPE);
}

/** The DataFrame with one more column, computed on the workers by a built-in function of others. Lazy. */
export function withBuiltinColumn<R, O extends string, T>(
  df: DataFrame<R>,
  { inputCol, outputCol }: Columns<O>,
  fn: Builtin,
  returns: DataType,
): DataFrame<With<R, O, T>> {
  const names = typeof inputCol === "string" ? [inputCol] : inputCol;
  const value = {
    kind: "batch",
    fn: { kind: "builtin", ...fn },
    args: names.map((name) => ({ kind: "column", name }) as const),
    returns,
    onError: { kind: "fail" },
  } as const;
  return df.withPlan({ op: "withColumns", input: df.plan, columns: [{ name: outputCol, value }] });
}
