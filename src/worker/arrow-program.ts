import { once } from "node:events";
import { readFileSync } from "node:fs";
import {
  RecordBatch as Batch,
  Field,
  type RecordBatch,
  RecordBatchReader,
  RecordBatchStreamWriter,
  Schema,
} from "apache-arrow";
import { arrowSchema } from "../data/arrow";
import type { WorkerContext } from "../data/batch-function";
import { StreamChunks } from "../data/ipc";
import type { StructType } from "../data/types";
import { throwIfAborted } from "../errors";
import { type StorageSettings, storagesFrom } from "../storage";
import { applySteps } from "./apply-steps";
import type { FromWorker, Step } from "./task";
import { remoteError } from "./task-errors";
import { workerFiles } from "./worker-files";

/*
 * A task beside a process that has its rows: `node arrow-program.js TASK.json` reads an Arrow stream from its standard input,
 * applies the steps, and writes an Arrow stream to its standard output. What a worker tells a driver (progress, log lines,
 * the end) is a line of JSON each on its standard error. It exits with 0 where all rows are written, else with 1.
 * The settings that storages are made from come in the environment, as JSON in POMONA_STORAGE: a task holds no credentials.
 */

/** What the program is told by its file. */
export interface ArrowTask {
  readonly partition: number;
  /** The number, from 0, that the first row has in the stage's whole input. */
  readonly firstRow: number;
  readonly steps: readonly Step[];
  /** The columns of the output. */
  readonly schema: StructType;
  /** Most rows in one batch, however many come in. */
  readonly batchSize: number;
}

const send = (message: FromWorker) => process.stderr.write(`${JSON.stringify(message)}\n`);
const stopped = new AbortController();
process.on("SIGTERM", () => stopped.abort());

const context: WorkerContext = {
  signal: stopped.signal,
  ...workerFiles(storagesFrom(takeStorageSettings())),
  log: (level, message) => send({ type: "log", level, message }),
};

/** User functions, and processes that they start, don't see them. */
function takeStorageSettings(): StorageSettings {
  const text = process.env.POMONA_STORAGE ?? "{}";
  delete process.env.POMONA_STORAGE;
  return JSON.parse(text) as StorageSettings;
}

async function main(file: string): Promise<void> {
  const task = JSON.parse(readFileSync(file, "utf8")) as ArrowTask;
  let failedRows = 0;
  const output = await applySteps(inputOf(task), task.steps, {
    worker: context,
    functions: new Map(),
    partition: task.partition,
    firstRow: task.firstRow,
    onFailedRow: () => {
      failedRows++;
    },
  });
  const sent = new SentBytes();
  const writer = new RecordBatchStreamWriter({ autoDestroy: false });
  let rows = 0;
  let schema: Schema | undefined;
  for await (const batch of output) {
    schema ??= schemaOf(batch, task.schema);
    if (rows === 0) writer.reset(sent, schema);
    writer.write(new Batch(schema, batch.data));
    rows += batch.numRows;
    await sent.flush();
  }
  if (rows === 0) writer.reset(sent, arrowSchema(task.schema));
  writer.finish();
  await sent.flush();
  send({ type: "done", result: { rows, bytes: sent.bytes, failedRows } });
}

/** The declared names and nullability; the vectors' own types. */
function schemaOf(batch: RecordBatch, { fields }: StructType): Schema {
  return new Schema(batch.schema.fields.map((f, i) => new Field(fields[i]!.name, f.type, fields[i]!.nullable)));
}

/** What a writer makes, on its way to the standard output: memory holds one batch, however slow the reader is. */
class SentBytes extends StreamChunks {
  bytes = 0;

  async flush(): Promise<void> {
    for (const chunk of this.take()) {
      this.bytes += chunk.byteLength;
      if (!process.stdout.write(chunk)) await once(process.stdout, "drain");
    }
  }
}

async function* inputOf({ batchSize }: ArrowTask): AsyncGenerator<RecordBatch> {
  let rows = 0;
  for await (const batch of await RecordBatchReader.from(process.stdin)) {
    for (let from = 0; from < batch.numRows; from += batchSize) {
      throwIfAborted(context.signal);
      const slice = batch.slice(from, Math.min(from + batchSize, batch.numRows));
      yield slice;
      rows += slice.numRows;
      send({ type: "progress", rows });
    }
  }
}

/** What was written is on its way; a module's timers and sockets must not keep the process. */
const end = (code: number) => process.stdout.end(() => process.stderr.write("", () => process.exit(code)));

main(process.argv[2] ?? "").then(
  () => end(0),
  (error: unknown) => {
    send({ type: "failed", error: remoteError(error) });
    end(1);
  },
);
