import type { Relational } from "../relational";
import { analyze } from "./analysis";
import { type DuckDbOptions, openDuckDb } from "./duckdb";
import { folderRanges } from "./folder-ranges";

/** Relational work by DuckDB, in this process. */
export async function duckdbRelational(options: DuckDbOptions): Promise<Relational> {
  const duckdb = await openDuckDb(options);
  return {
    analyze: (plan, context) => analyze(plan, duckdb, context),
    folderRanges: (path, columns) => folderRanges(path, columns, duckdb),
    close: () => duckdb.close(),
  };
}
