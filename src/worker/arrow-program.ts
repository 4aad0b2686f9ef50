import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import {
  DataType as ArrowType,
  RecordBatch,
  RecordBatchReader,
  RecordBatchStreamWriter,
  type Schema,
} from "apache-arrow";
import { arrowSchema } from "../data/arrow";
import type { WorkerContext } from "../data/batch-function";
import { StreamChunks } from "../data/ipc";
import type { StructType } from "../data/types";
import { PomonaError } from "../errors";
import { prepareProcess } from "../networks/network-backend";
import { fileUrl } from "../storage/location";
import { VERSION } from "../version";
import { applySteps } from "./apply-steps";
import { closeFunctions, type FunctionCache, takeSurplus } from "./function-cache";
import { type Pieces, pieceHead, piecesOf } from "./pieces";
import type { RemoteError, Step } from "./task";
import { remoteError } from "./task-errors";
import { fetchedFrom } from "./worker-files";

/*
 * Tasks beside a process that has their rows: `node arrow-program.js` does one after the other, as they come on its standard
 * input, and ends with that. A task is a header, which is JSON, and an Arrow stream; back on the standard output come an Arrow
 * stream and a trailer, JSON again. All of it in pieces (`pieces.ts`), an empty one after each stream. Functions stay set up
 * between tasks; a task that failed is the last. Log lines, and what anybody prints, go to the standard error.
 */

/** What the program is told of a task. */
export interface ArrowTask {
  /** The package's that made it: another one's steps may mean something else. */
  readonly version: string;
  /** The task's number in its stage, for messages. */
  readonly partition: number;
  readonly steps: readonly Step[];
  /** The columns of the output, in the types that their Arrow stream has. */
  readonly schema: StructType;
  /** Most rows in one batch, however many come in. */
  readonly batchSize: number;
  /** The folder where shipped files lie, named by their sha256. */
  readonly shipped: string;
}

/** What the program says of a task when it is over. `rowsIn` and `rows` are those that it got and gave. */
export type ArrowTaskEnd =
  | { readonly rowsIn: number; readonly rows: number; readonly failedRows: number }
  | { readonly error: RemoteError };

/** Another version's program was asked. */
export class ProgramVersionError extends PomonaError {}

// Before anybody prints: the standard output is the protocol's.
Object.defineProperty(process, "stdout", { value: process.stderr });
prepareProcess();
const stdout = createWriteStream("", { fd: 1 });
const functions: FunctionCache = new Map();
let shipped = "";

/** One for all tasks, since functions are kept between them. Who is no longer interested ends the process. */
const context: WorkerContext = {
  signal: new AbortController().signal,
  ...fetchedFrom(async ({ sha256 }) => fileUrl(join(shipped, sha256))),
  readFile: (url) => Promise.reject(new PomonaError(`${url} can't be read here: rows come with what they need.`)),
  log: (level, message) => process.stderr.write(`${level} ${message}\n`),
};

async function main(): Promise<void> {
  const input = piecesOf(process.stdin);
  for (let header = await input.next(); header; header = await input.next()) {
    const end = await run(JSON.parse(Buffer.from(header).toString("utf8")) as ArrowTask, input).catch(
      (error: unknown): ArrowTaskEnd => ({ error: remoteError(error) }),
    );
    await send([]);
    await send([Buffer.from(JSON.stringify(end))]);
    if ("error" in end) break;
  }
  stdout.end();
  await finished(stdout);
}

async function run(task: ArrowTask, input: Pieces): Promise<ArrowTaskEnd> {
  if (task.version !== VERSION) {
    throw new ProgramVersionError(
      `The program beside the executor is of version ${VERSION}, the session of ${task.version}.`,
      {
        remedy: "Install the session's version on the executors, or take theirs away: it is sent to them then.",
      },
    );
  }
  shipped = task.shipped;
  const counts = { rowsIn: 0, rows: 0, failedRows: 0 };
  const counted = (rows: number) => {
    counts.rowsIn += rows;
  };
  const onFailedRow = () => {
    counts.failedRows++;
  };
  const stream = input.stream();
  const output = await applySteps(batchesOf(stream, task.batchSize, counted), task.steps, {
    worker: context,
    functions,
    partition: task.partition,
    onFailedRow,
  });
  const schema = arrowSchema(task.schema);
  const chunks = new StreamChunks();
  const writer = new RecordBatchStreamWriter({ autoDestroy: false });
  writer.reset(chunks, schema);
  for await (const batch of output) {
    if (counts.rows === 0) checkLayout(batch.schema, schema);
    writer.write(new RecordBatch(schema, batch.data));
    counts.rows += batch.numRows;
    await send(chunks.take());
  }
  writer.finish();
  await send(chunks.take());
  // What Arrow's reader has no use for: at least the stream's end.
  for await (const _ of stream);
  await closeFunctions(takeSurplus(functions, task.steps.length));
  return counts;
}

async function* batchesOf(
  stream: AsyncIterator<Uint8Array>,
  batchSize: number,
  counted: (rows: number) => void,
): AsyncGenerator<RecordBatch> {
  // Arrow's reader would close the stream where its own format ends.
  const open = { [Symbol.asyncIterator]: () => ({ next: () => stream.next() }) };
  for await (const batch of await RecordBatchReader.from(open)) {
    for (let from = 0; from < batch.numRows; from += batchSize) {
      const slice = batch.slice(from, Math.min(from + batchSize, batch.numRows));
      counted(slice.numRows);
      yield slice;
    }
  }
}

/** One piece, in as many chunks as it comes: memory holds one batch, however slow the reader is. */
async function send(chunks: readonly Uint8Array[]): Promise<void> {
  stdout.cork();
  stdout.write(pieceHead(chunks.reduce((bytes, chunk) => bytes + chunk.byteLength, 0)));
  const isRoom = chunks.map((chunk) => stdout.write(chunk)).at(-1) ?? true;
  stdout.uncork();
  if (!isRoom) await once(stdout, "drain");
}

/** The declared schema is written, nullable or not to the depth, over the vectors as they are. */
function checkLayout(found: Schema, declared: Schema): void {
  declared.fields.forEach((field, i) => {
    const type = found.fields[i]?.type;
    if (!type || !isLaidOutAs(type, field.type))
      throw new PomonaError(
        `The steps made ${type ?? "nothing"} for the column ${field.name}, which is ${field.type}.`,
      );
  });
}

function isLaidOutAs(a: ArrowType, b: ArrowType): boolean {
  if (a.typeId !== b.typeId || a.children?.length !== b.children?.length) return false;
  if (ArrowType.isInt(a) && ArrowType.isInt(b) && a.bitWidth !== b.bitWidth) return false;
  if (ArrowType.isFloat(a) && ArrowType.isFloat(b) && a.precision !== b.precision) return false;
  if (ArrowType.isDecimal(a) && ArrowType.isDecimal(b) && a.scale !== b.scale) return false;
  if (ArrowType.isTimestamp(a) && ArrowType.isTimestamp(b) && a.unit !== b.unit) return false;
  return a.children?.every((child, i) => isLaidOutAs(child.type, b.children[i]!.type)) ?? true;
}

main().then(
  // A module's timers and sockets must not keep the process.
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`, () => process.exit(1));
  },
);
