import type { ReadFormat } from "../frame/plan";

/** Files that a query names in a table's place. */
export interface FileTable {
  readonly format: ReadFormat | "image";
  readonly path: string;
}

const FORMATS = [
  "parquet",
  "csv",
  "json",
  "text",
  "binaryFile",
  "image",
] as const satisfies readonly FileTable["format"][];

/** Comments and strings, which are passed over; else a format and a quoted path where a table stands. */
const PLACES = new RegExp(
  [
    /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"/.source,
    `\\b(?<before>(?:from|join|table)\\s+)(?<format>${FORMATS.join("|")})\\s*\\.\\s*\`(?<path>(?:[^\`]|\`\`)+)\``,
  ].join("|"),
  "gi",
);

/**
 * A query in which files stand as Spark's SQL has them, `FROM parquet.`path``, as one over views of those names.
 * @see https://spark.apache.org/docs/latest/sql-data-sources-load-save-functions.html#run-sql-on-files-directly
 */
export function fileTables(query: string): { readonly query: string; readonly tables: ReadonlyMap<string, FileTable> } {
  const tables = new Map<string, FileTable>();
  const text = query.replace(PLACES, (token, ...rest) => {
    const { before, format: written, path: quoted } = rest.at(-1) as Record<string, string | undefined>;
    if (before === undefined || written === undefined || quoted === undefined) return token;
    const format = FORMATS.find((known) => known.toLowerCase() === written.toLowerCase()) ?? "parquet";
    const name = `${format}.${quoted}`;
    tables.set(name.replaceAll("``", "`"), { format, path: quoted.replaceAll("``", "`") });
    return `${before}\`${name}\``;
  });
  return { query: text, tables };
}
