import { duckdbMacros } from "../../frame/function-entry";
import "../../frame/functions";
import { CAST_MACROS } from "./sql-cast";

/** What a new database has to be told once, in order: macros that casts and the table of functions build on. */
export const PRELUDE: readonly string[] = [
  // The session's time zone; DuckDB's own is the process's.
  "SET GLOBAL TimeZone = 'UTC'",
  ...CAST_MACROS,
  ...duckdbMacros(),
];
