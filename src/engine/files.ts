import { createHash } from "node:crypto";
import type { StructField } from "../data/types";
import { IllegalArgumentError } from "../errors";
import type { Plan } from "../frame/plan";
import { type FileStatus, listed, PathNotFoundError, type Storages, type Url } from "../storage";
import { globPattern } from "../storage/glob";
import { expandPath } from "../storage/glob-paths";
import { baseName, isHidden, isInside, parentOf } from "../storage/location";
import { observed } from "../storage/observed-reads";
import type { PartitionValue } from "./partition-values";
import { discoverPartitions } from "./partitions";

export type ReadLeaf = Extract<Plan, { op: "read" }>;

/** The files that a read means, in order, with what their folders say. */
export interface FoundFiles {
  readonly files: readonly FoundFile[];
  /** The columns that folders `k=v` below the path give. */
  readonly partitionColumns: readonly StructField[];
  /** The files and folders that the paths mean. */
  readonly roots: readonly Url[];
}

export interface FoundFile extends FileStatus {
  /** The values of the partition columns, in their order. */
  readonly partition: readonly PartitionValue[];
}

/** How a session reads: by the one setting with which the same files have other rows. */
export interface ReadSettings {
  /** {@link PARTITION_INFERENCE} */
  readonly partitionInference: boolean;
}

export const PARTITION_INFERENCE = "spark.sql.sources.partitionColumnTypeInference.enabled";

/** @param conf a session's settings by their names */
export function readSettings(conf: (name: string) => string | undefined): ReadSettings {
  return { partitionInference: conf(PARTITION_INFERENCE)?.toLowerCase() !== "false" };
}

/** What finding files needs. */
export interface FindContext {
  readonly settings: ReadSettings;
  readonly storages: Storages;
}

/**
 * Lists a read's files as Spark does: patterns in the paths, what lies below folders `k=v` or, recursively, below any;
 * then the options that choose among them. Hidden files are passed over, also where a path leads to one itself; a folder that a path
 * leads to is read whatever its name.
 * @throws PathNotFoundError, AnalysisError, IllegalArgumentError
 */
export async function findFiles(leaf: ReadLeaf, context: FindContext, signal?: AbortSignal): Promise<FoundFiles> {
  const found = await foundFiles(leaf, context, signal);
  const { paths, options } = leaf;
  const what = [...paths, ...(options.pathGlobFilter === undefined ? [] : [options.pathGlobFilter])].join(" ");
  observed({ kind: "files", what, how: { kind: "read", leaf, settings: context.settings }, files: found.files });
  return found;
}

async function foundFiles(
  leaf: ReadLeaf,
  { settings, storages }: FindContext,
  signal: AbortSignal | undefined,
): Promise<FoundFiles> {
  refuseIgnoring(leaf.options);
  const roots = (await Promise.all(leaf.paths.map((path) => expandPath(storages, path)))).flat();
  const all = await Promise.all(roots.map((root) => listed(storages.for(root), root, { signal })));
  const found = all.map((files, i) => files.filter(({ url }) => url !== roots[i] || !isHidden(baseName(url))));
  const chosen = fileFilter(leaf.options);
  const unique = [...new Map(found.flat().map((file) => [file.url, file])).values()];
  if (unique.length === 0 && all.flat().length > 0) throw nothingButHidden(leaf.paths, all.flat());
  if (leaf.options.recursiveFileLookup?.toLowerCase() === "true") {
    return { files: unique.filter(chosen).map(unpartitioned), partitionColumns: [], roots };
  }
  const { columns, values } = discoverPartitions([...new Set(unique.map((file) => folderOf(file.url)))].sort(), {
    basePaths: await basePaths(leaf.options.basePath, roots, unique, storages),
    inference: settings.partitionInference,
    ...(leaf.schema ? { schema: leaf.schema } : {}),
  });
  if (columns.length === 0) {
    // Without partitions, only what lies right in a path; one given twice is read twice.
    const direct = roots.flatMap((root, i) =>
      (found[i] ?? []).filter(({ url }) => url === root || folderOf(url) === root),
    );
    return { files: direct.filter(chosen).map(unpartitioned), partitionColumns: [], roots };
  }
  const files = unique.filter(chosen).map((file) => ({ ...file, partition: values.get(folderOf(file.url)) ?? [] }));
  return { files, partitionColumns: columns, roots };
}

/** Spark has an error of no use, or no rows and a line in its log. */
function nothingButHidden(paths: readonly string[], files: readonly FileStatus[]): PathNotFoundError {
  const [first] = files as [FileStatus];
  return new PathNotFoundError(
    `There is no file in ${paths.join(", ")} but ${baseName(first.url)}, which is passed over by its name, as in Spark.`,
    first.url,
    { remedy: "Rename it: what begins with _ or . or ends in ._COPYING_ is no data." },
  );
}

/** Changes whenever the files do: names, sizes, times. */
export function filesFingerprint(files: readonly FileStatus[]): string {
  const hash = createHash("sha256");
  for (const f of files) hash.update(`${f.url}\0${f.size}\0${f.modifiedAt}\n`);
  return hash.digest("hex");
}

function unpartitioned(file: FileStatus): FoundFile {
  return { ...file, partition: [] };
}

/** @throws IllegalArgumentError */
async function basePaths(
  given: string | undefined,
  roots: readonly Url[],
  files: readonly FileStatus[],
  storages: Storages,
): Promise<ReadonlySet<string>> {
  if (given === undefined) {
    const fileUrls = new Set(files.map((file) => file.url));
    return new Set(roots.map((root) => (fileUrls.has(root) ? folderOf(root) : root)));
  }
  const { storage, url: base } = storages.at(given);
  if ((await storage.stat(base)) !== "folder") {
    throw new IllegalArgumentError(`Option basePath must be a folder, and ${given} is none.`);
  }
  const outside = roots.find((root) => !isInside(root, base));
  if (outside !== undefined) {
    throw new IllegalArgumentError(`Option basePath ${given} does not lead to the path ${outside}.`, {
      remedy: "It must be the path itself or a folder above it.",
    });
  }
  return new Set([base]);
}

function folderOf(url: Url): string {
  const folder: string = parentOf(url);
  return folder.includes("/") ? folder : `${folder}/`;
}

function fileFilter(options: ReadLeaf["options"]): (file: FileStatus) => boolean {
  const { pathGlobFilter } = options;
  const pattern = pathGlobFilter === undefined ? undefined : globPattern(pathGlobFilter);
  const before = instant("modifiedBefore", options.modifiedBefore) ?? Number.POSITIVE_INFINITY;
  const after = instant("modifiedAfter", options.modifiedAfter) ?? Number.NEGATIVE_INFINITY;
  return ({ url, modifiedAt }) =>
    (!pattern || pattern.test(baseName(url))) && modifiedAt < before && modifiedAt > after;
}

/** Spark leaves out files that can't be read when asked to; rows that are lost so are not told. @throws IllegalArgumentError */
function refuseIgnoring(options: ReadLeaf["options"]): void {
  for (const option of ["ignoreCorruptFiles", "ignoreMissingFiles"] as const) {
    if ((options[option] ?? "false").toLowerCase() === "false") continue;
    throw new IllegalArgumentError(`Option ${option} is not offered: every file is read, or the error names it.`, {
      remedy: "Leave the named file out, by pathGlobFilter or by the list of paths.",
    });
  }
}

/** A time as Spark's options have it: `2024-02-29T01:02:03`, in UTC. */
function instant(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?)?Z?$/.test(text)
    ? Date.parse(text.replace(/Z?$/, "Z"))
    : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new IllegalArgumentError(
    `Option ${option} must be a time such as 2024-02-29T01:02:03, not ${JSON.stringify(text)}.`,
  );
}
