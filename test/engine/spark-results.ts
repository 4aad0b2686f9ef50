import { runPython } from "../support/python";
import type { PlanResult } from "./duckdb-plans";

/** What Spark makes of an expression: a result, or the name of its error. */
export type SparkResult = PlanResult | { readonly error: string };

/**
 * Evaluates PySpark expressions in one session, each with `df`, `other` and `F` (pyspark.sql.functions) at hand.
 * @param expressions by a name to find the result by
 */
export function sparkResults(
  paths: { readonly df: string; readonly other: string },
  expressions: Readonly<Record<string, string>>,
): Record<string, SparkResult> {
  const out = runPython(SCRIPT, [JSON.stringify(paths), JSON.stringify(expressions)]);
  return JSON.parse(out.slice(out.indexOf(MARK) + MARK.length)) as Record<string, SparkResult>;
}

const MARK = "=====results=====";

const SCRIPT = `
import sys, json, math, datetime, decimal
from pyspark.sql import SparkSession, functions as F, Row
paths, expressions = json.loads(sys.argv[1]), json.loads(sys.argv[2])
spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1")
         .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1").getOrCreate())
spark.sparkContext.setLogLevel("OFF")
df, other = spark.read.parquet(paths["df"]), spark.read.parquet(paths["other"])
df.createOrReplaceTempView("fruits")

def plain(v):
    if isinstance(v, float):
        return v if math.isfinite(v) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(v, "NaN")
    if isinstance(v, decimal.Decimal): return str(v)
    if isinstance(v, (bytes, bytearray)): return bytes(v).hex()
    if isinstance(v, datetime.datetime): return v.isoformat(sep=" ")
    if isinstance(v, datetime.date): return v.isoformat()
    if isinstance(v, dict): return sorted([plain(k), plain(x)] for k, x in v.items())
    if isinstance(v, (list, tuple)): return [plain(x) for x in v]
    return v

results = {}
for name, text in expressions.items():
    try:
        frame = eval(text, {"df": df, "other": other, "F": F, "spark": spark})
        results[name] = {"columns": [[f.name, f.dataType.simpleString()] for f in frame.schema.fields],
                         "rows": [plain(list(r)) for r in frame.collect()]}
    except Exception as e:
        results[name] = {"error": str(e)[:400]}
print("${MARK}" + json.dumps(results))
`;
