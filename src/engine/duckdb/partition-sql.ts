import type { StructField } from "../../data/types";
import type { FoundFile } from "../files";
import type { PartitionValue } from "../partition-values";
import { withPartitionColumns } from "../partitions";
import { duckdbType } from "./duckdb-types";
import { quotedIdentifier, quotedText } from "./sql-text";

/** Files whose folders say the same. */
export interface PartitionGroup {
  readonly files: readonly FoundFile[];
  readonly values: readonly PartitionValue[];
}

/** Files by what their folders say, in the order of the first of each. */
export function partitionGroups(files: readonly FoundFile[]): PartitionGroup[] {
  const groups = new Map<string, { files: FoundFile[]; values: readonly PartitionValue[] }>();
  for (const file of files) {
    const key = JSON.stringify(file.partition);
    const group = groups.get(key) ?? { files: [], values: file.partition };
    group.files.push(file);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/**
 * One query over several, each with the values of its folders beside its columns. The values stand there as constants, so
 * that a filter on them leaves out whole files.
 * @param data the columns of every query, in order
 */
export function partitionedSql(
  queries: readonly { readonly sql: string; readonly values: readonly PartitionValue[] }[],
  data: readonly StructField[],
  partition: readonly StructField[],
): string {
  const merged = withPartitionColumns(data, partition);
  const selects = queries.map(({ sql, values }) => {
    const columns = merged.map(({ field, partition: isPartition }) => {
      const name = quotedIdentifier(field.name);
      return isPartition ? `${literal(values[partition.indexOf(field)] ?? null, field)} AS ${name}` : name;
    });
    return `SELECT ${columns.join(", ")} FROM (${sql})`;
  });
  return selects.join("\nUNION ALL\n");
}

function literal(value: PartitionValue, { type }: StructField): string {
  if (value !== null && type === "binary") return `encode(${quotedText(value)})`;
  return `CAST(${value === null ? "NULL" : quotedText(value)} AS ${duckdbType(type)})`;
}
