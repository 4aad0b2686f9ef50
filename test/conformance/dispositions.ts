import type { Disposition } from "./case";

/** Cases that do not give what Spark gives, and what docs/differences.md says of each. */
export const DISPOSITIONS: Readonly<Record<string, Disposition>> = {
  "doubles: F.lit(None)": { differs: "`lit(null)`" },
  "arrays: F.array()": { differs: "`lit(null)`" },
  'nested: F.struct(F.col("id").alias("x"), (F.col("id") + 1), F.lit(None).alias("n"))': { differs: "`lit(null)`" },
  'doubles: F.col("a").cast("string")': { differs: "4.9E-324" },
  'doubles: F.col("f").cast("string")': { differs: "4.9E-324" },
  'doubles: F.trim("a")': { differs: "4.9E-324" },
  'doubles: F.concat("a")': { differs: "4.9E-324" },
  'texts: F.initcap("s")': { differs: "`initcap` of `İ`" },
  'texts: F.split("s", "|")': { differs: "cut them in halves" },
  'texts: F.regexp_replace("s", "", "-")': { differs: "cut them in halves" },
  'decimals: F.col("w").cast("timestamp")': { differs: "another time, by overflow" },
  'times: F.col("day") + 1': { differs: "`date_add(day, 1)`" },
  'times: F.col("day") - 1': { differs: "`date_add(day, 1)`" },
  'numerals: F.col("s").cast("decimal(10,2)")': { differs: "digits of other scripts" },
  'numerals: F.col("s").cast("decimal(3,0)")': { differs: "digits of other scripts" },
  'decimals.where("id = 5 or id = 3").agg(F.sum("w"))': { orError: "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION" },
  'bytes: F.col("b").cast("string")': { refused: "INVALID_UTF8_STRING" },
  'bytes: F.lower("b")': { refused: "INVALID_UTF8_STRING" },
};
