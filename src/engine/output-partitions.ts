import { javaDouble, javaFloat } from "../data/java-number";
import { type DataType, type StructField, type StructType, simpleString } from "../data/types";
import { AnalysisError, UnresolvedColumnError } from "../frame/analysis-error";
import type { Plan } from "../frame/plan";
import type { Relational } from "./duckdb/duckdb";
import { escapeFolder, NULL_FOLDER } from "./partition-values";
import { sameName } from "./partitions";
import { quotedIdentifier, quotedText } from "./duckdb/sql-text";

/** How `partitionBy` divides an output: the columns that go into folders' names, and those that stay in the files. */
export interface OutputPartitioning {
  readonly columns: readonly StructField[];
  readonly data: StructType;
}

/** Rows of one folder `k=v`: from the first to before the second row of the sorted input. */
export interface FolderRange {
  readonly folder: string;
  readonly rows: readonly [from: number, to: number];
}

/** @throws AnalysisError for columns that are not there, twice, of no plain type, or all there are; as in Spark */
export function outputPartitioning(names: readonly string[], schema: StructType): OutputPartitioning {
  const columns = names.map((name, i) => {
    if (names.slice(0, i).some((earlier) => sameName(earlier, name))) {
      throw new AnalysisError(`[COLUMN_ALREADY_EXISTS] partitionBy names the column \`${name}\` twice.`);
    }
    const field = schema.fields.find((candidate) => sameName(candidate.name, name));
    if (!field) {
      throw new UnresolvedColumnError(
        name,
        schema.fields.map((candidate) => candidate.name),
      );
    }
    if (typeof field.type !== "string" || field.type === "void") {
      throw new AnalysisError(
        `[INVALID_PARTITION_COLUMN_DATA_TYPE] \`${name}\` is ${simpleString(field.type)}: no text for a folder's name.`,
        { remedy: "Partition by columns of text, numbers, dates." },
      );
    }
    return field;
  });
  const data = schema.fields.filter((field) => !columns.includes(field));
  if (data.length === 0) {
    throw new AnalysisError(
      "[ALL_PARTITION_COLUMNS_NOT_ALLOWED] partitionBy names every column; none is left for the files.",
      {
        remedy: "Partition by fewer columns.",
      },
    );
  }
  return { columns, data: { type: "struct", fields: data } };
}

/** The plan with the rows of each folder together. */
export function togetherByFolder(plan: Plan, { columns }: OutputPartitioning): Plan {
  return {
    op: "sort",
    input: plan,
    orders: columns.map(({ name }) => ({
      child: { kind: "column", name },
      direction: "asc",
      nulls: "first",
    })),
  };
}

/**
 * Which rows of a sorted file go to which folder.
 * @param columns as they are named in the file, with the names and types that they have in the output
 */
export async function folderRanges(
  path: string,
  columns: readonly { readonly from: string; readonly field: StructField }[],
  duckdb: Relational,
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
