import { javaDouble, javaFloat } from "../../data/java-number";
import type { DataType, StructField } from "../../data/types";
import type { FolderRange } from "../output-partitions";
import { escapeFolder, NULL_FOLDER } from "../partition-values";
import type { DuckDb } from "./duckdb";
import { quotedIdentifier, quotedText } from "./sql-text";

/**
 * Which rows of a sorted file go to which folder.
 * @param columns as they are named in the file, with the names and types that they have in the output
 */
export async function folderRanges(
  path: string,
  columns: readonly { readonly from: string; readonly field: StructField }[],
  duckdb: DuckDb,
): Promise<FolderRange[]> {
  const values = columns.map(({ from, field }) => valueText(quotedIdentifier(from), field.type));
  const rows = await duckdb.texts(
    `SELECT ${values.map((sql, i) => `${sql} AS v${i}`).join(", ")}, min(file_row_number), count(*)
     FROM read_parquet(${quotedText(path)}, file_row_number = true, hive_partitioning = false)
     GROUP BY ${values.map((_, i) => i + 1).join(", ")} ORDER BY min(file_row_number)`,
  );
  return rows.map((row) => {
    const from = Number(row.at(-2));
    const folder = columns.map(({ field }, i) => folderName(field, row[i] ?? null)).join("/");
    return { folder, rows: [from, from + Number(row.at(-1))] };
  });
}

/** `k=v` with Hive's escapes; null and the empty text have a name of their own. */
function folderName({ name, type }: StructField, text: string | null): string {
  const shown =
    text !== null && type === "double"
      ? javaDouble(Number(text))
      : text !== null && type === "float"
        ? javaFloat(Number(text))
        : text;
  return `${escapeFolder(name)}=${shown === null || shown === "" ? NULL_FOLDER : escapeFolder(shown)}`;
}

/** SQL for a value as Spark casts it to text, but for floating-point numbers. */
function valueText(column: string, type: DataType): string {
  if (type === "binary") return `decode(${column})`;
  if (type === "timestamp") return `CAST(timezone('UTC', ${column}) AS VARCHAR)`;
  if (type === "double" || type === "float")
    return `replace(replace(CAST(${column} AS VARCHAR), 'inf', 'Infinity'), 'nan', 'NaN')`;
  return `CAST(${column} AS VARCHAR)`;
}
