import { READ_OPTIONS } from "../frame/options";
import { COMMENT_OR_STRING } from "../frame/sql-tokens";

/** Files that a query names in a table's place. */
export interface FileTable {
  readonly format: string;
  readonly path: string;
}

const FORMATS = Object.keys(READ_OPTIONS);

/** What is passed over; else a format and a quoted path where a table stands. */
const PLACES = new RegExp(
  `${COMMENT_OR_STRING}|\\b((?:from|join|table)\\s+)(${FORMATS.join("|")})\\s*\\.\\s*\`((?:[^\`]|\`\`)+)\``,
  "gi",
);

/**
 * A query in which files stand as Spark's SQL has them, `FROM parquet.`path``, as one over views of those names.
 * @see https://spark.apache.org/docs/latest/sql-data-sources-load-save-functions.html#run-sql-on-files-directly
 */
export function fileTables(query: string): { readonly query: string; readonly tables: ReadonlyMap<string, FileTable> } {
  const tables = new Map<string, FileTable>();
  const text = query.replace(PLACES, (token, before?: string, written?: string, quoted?: string) => {
    if (written === undefined || quoted === undefined) return token;
    const format = FORMATS.find((known) => known.toLowerCase() === written.toLowerCase()) ?? written;
    const path = quoted.replaceAll("``", "`");
    tables.set(`${format}.${path}`, { format, path });
    return `${before}\`${format}.${quoted}\``;
  });
  return { query: text, tables };
}
