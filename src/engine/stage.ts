import { type ParquetCompression, readParquetFooter } from "../parquet";
import type { Storages } from "../storage";
import { localPath } from "../storage/location";
import { VERSION } from "../version";
import type { InputFile, Step, Task, TaskOutput } from "../worker/task";
import type { EventListener } from "./events";
import type { FolderRange, OutputPartitioning } from "./output-partitions";
import { type Pipeline, requestedPartitions, sourceColumns } from "./pipeline";
import type { PreparedSteps } from "./prepared-steps";
import { columnsOf, type Relation } from "./relation";
import type { Analysis, CountedFile, DirectFiles, Relational } from "./relational";
import { slowQuery } from "./slow-query";
import type { Spool } from "./spool";

/** Rows with a file's whole content in them: a worker holds this many images at a time. */
const CONTENT_BATCH_ROWS = 16;

/** Rows in a partition where nobody says how many: small enough that a retry costs seconds. */
const PARTITION_ROWS = 1000;

/** Tasks per worker where there are few rows: one slow worker does not hold up the end for long. */
const TASKS_PER_WORKER = 4;

/** More files than this for each worker are read several by one task. */
const MOST_FILE_TASKS = 32;

/** Spark's `spark.sql.files.maxPartitionBytes` and `spark.sql.files.openCostInBytes`. */
const TASK_BYTES = 128 * 1024 * 1024;
const OPEN_COST_BYTES = 4 * 1024 * 1024;

/** Rows in one file of a folder `k=v` where no function runs on them. */
const FOLDER_ROWS = 1_000_000;

/** Where a stage's parts go. */
export interface StageOutput {
  readonly placeFor: (partition: number, attempt: number, folder?: string) => Pick<TaskOutput, "url" | "publishedAt">;
  readonly compression: ParquetCompression;
}

export interface StageRequest {
  readonly analysis: Analysis;
  readonly pipeline: Pipeline;
  readonly prepared: PreparedSteps;
  readonly output: StageOutput;
  /** The columns that go into folders' names; the source has the rows of a folder together. */
  readonly partitioning?: OutputPartitioning;
  readonly relational: Relational;
  readonly scratch: Spool;
  readonly storages: Storages;
  readonly emit: EventListener;
  readonly jobId: string;
  readonly stageId: number;
  readonly parallelism: number;
  /** Most rows in a batch without file content. */
  readonly batchRows: number;
  readonly signal: AbortSignal;
}

export interface StageTasks {
  readonly partitions: readonly number[];
  /** Rows that go in. */
  readonly rows: number;
  readonly taskFor: (partition: number, attempt: number) => Task;
}

/** Cuts a stage's input into tasks: Parquet files as they are, or the source's rows written to one file first. */
export async function planTasks(request: StageRequest): Promise<StageTasks> {
  const { analysis, pipeline, prepared, output } = request;
  const { partitioning } = request;
  const schema = partitioning?.data ?? (await analysis.schemaOf(pipeline));
  const inFolders = (partitioning?.columns ?? []).map(({ name, field }) => ({
    field: { ...field, name },
    column: field.name,
    from: pipeline.columns.find((c) => c.as === field.name)?.from ?? field.name,
  }));
  const written = pipeline.columns.filter((c) => !inFolders.some(({ column }) => column === c.as));
  const steps: Step[] = [...prepared.steps, { kind: "select", columns: written.map(({ from, as }) => ({ from, as })) }];
  const needed = sourceColumns(steps);
  const direct = partitioning ? undefined : analysis.filesOf(pipeline.source);
  const spooled = [...new Set([...needed, ...inFolders.map(({ from }) => from)])];
  const files = direct?.files ?? [await spoolSource(request, spooled)];
  const read = fileColumns(pipeline.source, direct, needed);
  const columns = read.map((c) => c.from);
  // Files that others wrote have names of their own for the columns.
  const renaming: Step[] = read.some(({ from, as }) => from !== as) ? [{ kind: "select", columns: read }] : [];
  const rows = files.reduce((total, f) => total + f.rows, 0);
  const folders = partitioning
    ? partsOfFolders(await request.relational.folderRanges(localPath(files[0]!.url), inFolders), request, rows)
    : undefined;
  const ranges = folders?.map((part) => part.rows) ?? partitionRanges(request, files, direct !== undefined);
  const readsContent = steps.some((s) => s.kind === "column" && s.fn.name === "binaryFile.content");
  const batchSize = readsContent ? Math.min(CONTENT_BATCH_ROWS, request.batchRows) : request.batchRows;
  const metadata = { "pomona.version": VERSION, ...prepared.metadata };
  return {
    partitions: ranges.map((_, i) => i),
    rows,
    taskFor: (partition, attempt) => ({
      jobId: request.jobId,
      stageId: request.stageId,
      partition,
      attempt,
      input: { files: sliceFiles(files, ranges[partition]!), columns, firstRow: ranges[partition]![0] },
      steps: [...renaming, ...steps],
      output: {
        ...output.placeFor(partition, attempt, folders?.[partition]?.folder),
        schema,
        compression: output.compression,
        metadata,
      },
      batchSize,
    }),
  };
}

type Range = readonly [from: number, to: number];

async function spoolSource(request: StageRequest, columns: readonly string[]): Promise<CountedFile> {
  const path = request.scratch.fresh("input.parquet");
  const wanted = columns.map((name) => ({ from: name, as: name }));
  const { analysis, emit, jobId, stageId, signal } = request;
  // A stage of its own before the one that it is for.
  const stage = { jobId, stageId: -1 - stageId, signal };
  await slowQuery(emit, stage, (fetched) => analysis.copy(request.pipeline.source, wanted, path, signal, fetched));
  const file = request.storages.at(path);
  return { url: file.url, rows: (await readParquetFooter(file)).rows };
}

/** The columns to read of a stage's files, each with the name that steps know it by. */
function fileColumns(source: Relation, direct: DirectFiles | undefined, needed: readonly string[]) {
  if (!direct) return needed.map((id) => ({ from: id, as: id }));
  const ids = columnsOf(source);
  return needed.map((id) => ({ from: direct.names[ids.indexOf(id)] ?? id, as: id }));
}

function partitionRanges(request: StageRequest, files: readonly CountedFile[], direct: boolean): Range[] {
  const rows = files.reduce((total, f) => total + f.rows, 0);
  const requested = requestedPartitions(request.pipeline.source);
  if (requested && (requested.shuffle || !direct)) return evenRanges(rows, requested.partitions);
  // Files that are there already are partitions of their own, if there are enough of them; very many go together.
  if (direct && files.length > request.parallelism * MOST_FILE_TASKS) return packedRanges(files, request.parallelism);
  if (direct && files.length >= request.parallelism) return fileRanges(files);
  if (request.pipeline.steps.length === 0) return direct ? fileRanges(files) : [[0, rows]];
  const wanted = Math.max(request.parallelism * TASKS_PER_WORKER, Math.ceil(rows / PARTITION_ROWS));
  return evenRanges(rows, Math.max(1, Math.min(wanted, rows)));
}

function evenRanges(rows: number, partitions: number): Range[] {
  const edge = (i: number) => Math.floor((i * rows) / partitions);
  return Array.from({ length: partitions }, (_, i) => [edge(i), edge(i + 1)] as const);
}

function fileRanges(files: readonly CountedFile[]): Range[] {
  let start = 0;
  return files.map((file) => {
    const from = start;
    start += file.rows;
    return [from, start] as const;
  });
}

/** Small files in one task, as Spark puts them together: opening a file counts as reading so many bytes. */
function packedRanges(files: readonly CountedFile[], parallelism: number): Range[] {
  const cost = ({ bytes = 0 }: CountedFile) => bytes + OPEN_COST_BYTES;
  const total = files.reduce((sum, file) => sum + cost(file), 0);
  const most = Math.min(TASK_BYTES, Math.max(OPEN_COST_BYTES, total / (parallelism * TASKS_PER_WORKER)));
  const ranges: Range[] = [];
  let [from, to, size] = [0, 0, 0];
  for (const file of files) {
    if (size > 0 && size + cost(file) > most) {
      ranges.push([from, to]);
      [from, size] = [to, 0];
    }
    to += file.rows;
    size += cost(file);
  }
  return [...ranges, [from, to]];
}

/** A folder with many rows is several parts, so that the workers share it. */
function partsOfFolders(folders: readonly FolderRange[], request: StageRequest, rows: number): FolderRange[] {
  const tasks = Math.max(request.parallelism * TASKS_PER_WORKER, Math.ceil(rows / PARTITION_ROWS));
  const most = request.pipeline.steps.length === 0 ? FOLDER_ROWS : Math.max(1, Math.ceil(rows / tasks));
  return folders.flatMap(({ folder, rows: [from, to] }) =>
    evenRanges(to - from, Math.ceil((to - from) / most)).map(([a, b]) => ({
      folder,
      rows: [from + a, from + b] as const,
    })),
  );
}

function sliceFiles(files: readonly CountedFile[], [from, to]: Range): InputFile[] {
  const slices: InputFile[] = [];
  let start = 0;
  for (const { url, rows, bytes, version } of files) {
    const first = Math.max(from - start, 0);
    const last = Math.min(to - start, rows);
    const file = {
      url,
      ...(bytes === undefined ? {} : { size: bytes }),
      ...(version === undefined ? {} : { version }),
    };
    if (first < last) slices.push(first === 0 && last === rows ? file : { ...file, rows: [first, last] });
    start += rows;
  }
  return slices;
}
