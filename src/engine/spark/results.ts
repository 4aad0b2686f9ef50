import { type RecordBatch, RecordBatchReader } from "apache-arrow";
import { SparkConnectError } from "./errors";
import type { ExecutePlanResponse } from "./protos/spark/connect/base_pb";

/** The rows among the responses to a plan. @throws SparkConnectError where some are missing, or come twice */
export async function* batchesOf(responses: AsyncIterable<ExecutePlanResponse>): AsyncGenerator<RecordBatch> {
  let rows = 0;
  for await (const { responseType } of responses) {
    if (responseType.case !== "arrowBatch") continue;
    const { data, rowCount, startOffset } = responseType.value;
    // Optional by the protocol.
    const begin = startOffset === undefined ? rows : Number(startOffset);
    if (begin !== rows) throw lostRows(`a part of the result begins with row ${begin}, after ${rows} rows`);
    for (const batch of RecordBatchReader.from(data)) {
      rows += batch.numRows;
      yield batch;
    }
    if (rows - begin !== Number(rowCount)) throw lostRows(`a part of ${rowCount} rows has ${rows - begin}`);
  }
}

function lostRows(found: string): SparkConnectError {
  return new SparkConnectError(`Rows were lost, or came twice, on their way from Spark: ${found}.`, {
    remedy: "Run it again. This is a mistake in Pomona or Spark; please report it with the versions.",
  });
}

/** The one row of a result that has numbers alone; none where there is no row. */
export async function numbersOf(responses: AsyncIterable<ExecutePlanResponse>): Promise<readonly number[]> {
  let numbers: readonly number[] = [];
  for await (const batch of batchesOf(responses))
    numbers = batch.schema.fields.map((_, i) => Number(batch.getChildAt(i)?.get(0)));
  return numbers;
}

/** All responses to a plan that gives few. */
export async function gathered(responses: AsyncIterable<ExecutePlanResponse>): Promise<readonly ExecutePlanResponse[]> {
  const all: ExecutePlanResponse[] = [];
  for await (const response of responses) all.push(response);
  return all;
}
