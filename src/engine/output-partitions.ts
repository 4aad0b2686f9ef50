import { type StructField, type StructType, simpleString } from "../data/types";
import { AnalysisError, UnresolvedColumnError } from "../frame/analysis-error";
import type { Plan } from "../frame/plan";
import { sameName } from "../frame/resolve";

/** How `partitionBy` divides an output: the columns that go into folders' names, and those that stay in the files. */
export interface OutputPartitioning {
  readonly columns: readonly FolderColumn[];
  readonly data: StructType;
}

/** A column that goes into folders' names, which have it as it was written for `partitionBy`: `k` for a column `K`. */
export interface FolderColumn {
  readonly name: string;
  readonly field: StructField;
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
    return { name, field };
  });
  const data = schema.fields.filter((field) => !columns.some((column) => column.field === field));
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
    orders: columns.map(({ field }) => ({
      child: { kind: "column", name: field.name },
      direction: "asc",
      nulls: "first",
    })),
  };
}
