import type { Json } from "../data/batch-function";
import type { DataFrame } from "../frame/dataframe";
import type { With } from "../frame/row-types";
import { VECTOR_TYPE } from "../ml";

/** The DataFrame with one more column of vectors, computed on the workers by a built-in function of another. Lazy. */
export function withVectorColumn<R, O extends string>(
  df: DataFrame<R>,
  columns: { readonly inputCol: string; readonly outputCol: O },
  fn: { readonly name: string; readonly params: Json },
): DataFrame<With<R, O, Float64Array>> {
  const value = {
    kind: "batch",
    fn: { kind: "builtin", ...fn },
    args: [{ kind: "column", name: columns.inputCol }],
    returns: VECTOR_TYPE,
    onError: { kind: "fail" },
  } as const;
  return df.withPlan({ op: "withColumns", input: df.plan, columns: [{ name: columns.outputCol, value }] });
}
