import { AnalysisError } from "../analysis-error";
import type { Column } from "../column";

/**
 * PySpark's columns of SQL text, which there are none of here.
 * @throws AnalysisError with the way to the same column
 */
export function expr(_text: string): Column {
  throw new AnalysisError("There are no columns of SQL text here, so no F.expr.", {
    remedy:
      'Write the functions, col("b").plus(1).alias("c"), or let a frame read the text: df.selectExpr("*", "b + 1 AS c").',
  });
}
