/**
 * Functions of columns, as in `pyspark.sql.functions`. Each stands beside its entry in the table of functions, which says
 * what its types are and how an engine computes it.
 */
import "./functions/operators";

export { fromModule } from "../user-functions";
export * from "./functions/aggregates";
export * from "./functions/arrays";
export type { ColumnOrName } from "./functions/call";
export {
  asc,
  CaseColumn,
  coalesce,
  col,
  desc,
  greatest,
  ifnull,
  isnan,
  isnotnull,
  isnull,
  least,
  lit,
  nanvl,
  nullif,
  nvl,
  type ValueType,
  when,
} from "./functions/conditions";
export * from "./functions/dates";
export { explode, explodeOuter, posexplode, posexplodeOuter } from "./functions/generators";
export * from "./functions/hashes";
export { expr } from "./functions/not-here";
export {
  abs,
  acos,
  asin,
  atan,
  atan2,
  cbrt,
  ceil,
  cos,
  degrees,
  exp,
  floor,
  log,
  log2,
  log10,
  monotonicallyIncreasingId,
  pow,
  radians,
  rand,
  rint,
  round,
  signum,
  sin,
  sqrt,
  tan,
  tanh,
} from "./functions/numbers";
export { regexpCount, regexpExtract, regexpExtractAll, regexpReplace, split } from "./functions/patterns";
export * from "./functions/text";
export { batchUdf, udf } from "./udf";
