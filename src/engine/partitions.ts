import { type PrimitiveType, type StructField, type StructType, structField } from "../data/types";
import { AnalysisError } from "../frame/analysis-error";
import { sameName } from "../frame/resolve";
import { baseName } from "../storage/location";
import {
  type PartitionValue,
  partitionValue,
  partitionValueType,
  unescapeFolder,
  widerPartitionType,
} from "./partition-values";

/** What the folders `k=v` on the way to files say. */
export interface PartitionSpec {
  readonly columns: readonly StructField[];
  /** By folder: its values, in the columns' order. A folder without an entry has none. */
  readonly values: ReadonlyMap<string, readonly PartitionValue[]>;
}

const NONE: PartitionSpec = { columns: [], values: new Map() };

export interface PartitionOptions {
  /** Where looking for `k=v` ends, going up: the paths that were read, or `basePath`. */
  readonly basePaths: ReadonlySet<string>;
  /** Whether values are looked at for their type; else all are text. */
  readonly inference: boolean;
  /** The schema that the user gave: its types go before what values look like. */
  readonly schema?: StructType;
}

/**
 * Spark's partition discovery over the folders that hold files.
 * @throws AnalysisError where folders disagree on the columns, or one has an empty name or value
 * @see https://github.com/apache/spark/blob/master/sql/core/src/main/scala/org/apache/spark/sql/execution/datasources/PartitioningUtils.scala
 */
export function discoverPartitions(folders: readonly string[], options: PartitionOptions): PartitionSpec {
  const parsed = folders.map((folder) => ({ folder, ...parseFolder(folder, options.basePaths) }));
  const partitioned = parsed.filter(({ columns }) => columns.length > 0);
  const last = partitioned.at(-1);
  if (last === undefined) return NONE;
  refuseConflicts(parsed, partitioned);

  const columns = last.columns.map(({ name }, i) => {
    const declared = options.schema?.fields.find((field) => sameName(field.name, name));
    const types = partitioned.map((p) => partitionValueType(p.columns[i]?.raw ?? "", options.inference));
    return structField(
      declared?.name ?? name,
      declared?.type ?? types.reduce<PrimitiveType>(widerPartitionType, "void"),
    );
  });
  const values = new Map(
    partitioned.map((p) => [p.folder, columns.map((c, i) => partitionValue(p.columns[i]?.raw ?? "", c.type, c.name))]),
  );
  return { columns, values };
}

/** The data's columns and the folders' together: a folder's takes the place of one with its name, others come last. */
export function withPartitionColumns(
  data: readonly StructField[],
  partition: readonly StructField[],
): { readonly field: StructField; readonly partition: boolean }[] {
  const merged = data.map((field) => {
    const over = partition.find((p) => sameName(p.name, field.name));
    return { field: over ?? field, partition: over !== undefined };
  });
  const added = partition.filter((p) => !data.some((field) => sameName(p.name, field.name)));
  return [...merged, ...added.map((field) => ({ field, partition: true }))];
}

interface ParsedFolder {
  readonly columns: readonly { readonly name: string; readonly raw: string }[];
  /** Where the search going up ended. */
  readonly base: string;
}

function parseFolder(folder: string, basePaths: ReadonlySet<string>): ParsedFolder {
  const columns: { name: string; raw: string }[] = [];
  let current = folder;
  while (!basePaths.has(current)) {
    const column = parseName(baseName(current), folder);
    if (column) columns.unshift(column);
    else if (columns.length > 0) break;
    const parent = current.slice(0, current.lastIndexOf("/"));
    if (!parent.includes("/")) break;
    current = parent;
  }
  return { columns, base: current };
}

function parseName(name: string, folder: string): { name: string; raw: string } | undefined {
  const equals = name.indexOf("=");
  if (equals < 0) return undefined;
  const column = unescapeFolder(name.slice(0, equals));
  const raw = name.slice(equals + 1);
  if (column === "" || raw === "") {
    const what = column === "" ? "NAME" : "VALUE";
    throw new AnalysisError(
      `[EMPTY_PARTITION_COLUMN_${what}] The folder ${folder} has an empty ${what.toLowerCase()}.`,
      {
        remedy: "Rename the folder, or read with recursiveFileLookup, which takes no columns from folders.",
      },
    );
  }
  return { name: column, raw };
}

function refuseConflicts(
  all: readonly (ParsedFolder & { readonly folder: string })[],
  partitioned: readonly (ParsedFolder & { readonly folder: string })[],
): void {
  const bases = [...new Set(all.map(({ base, columns, folder }) => (columns.length > 0 ? base : folder)))];
  // Spark passes over files that lie beside the folders; here no row is left out in silence.
  const beside = all.find(({ columns, folder, base }) => columns.length === 0 && folder === base);
  if (bases.length > 1 || beside) {
    const where = beside
      ? [`${beside.folder} (files beside folders k=v)`, ...bases.filter((b) => b !== beside.folder)]
      : bases;
    throw new AnalysisError(
      `[CONFLICTING_DIRECTORY_STRUCTURES] Files lie in folders of different structure: ${some(where)}.`,
      {
        remedy:
          'Give the root as option("basePath", ...), read recursively, or read the places one by one and union them.',
      },
    );
  }
  const names = [...new Set(partitioned.map((p) => p.columns.map((c) => c.name.toLowerCase()).join(", ")))];
  if (names.length > 1) {
    throw new AnalysisError(
      `[CONFLICTING_PARTITION_COLUMN_NAMES] The folders name different columns: ${names.map((n) => `(${n})`).join(" and ")}; such as ${some(partitioned.map((p) => p.folder))}.`,
      { remedy: "Every file must lie below the same columns, in the same order; read the others apart." },
    );
  }
}

function some(texts: readonly string[]): string {
  return `${texts.slice(0, 4).join(", ")}${texts.length > 4 ? ", ..." : ""}`;
}
