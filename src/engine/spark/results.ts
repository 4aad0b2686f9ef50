import { type RecordBatch, RecordBatchReader } from "apache-arrow";
import type { ExecutePlanResponse } from "./protos/spark/connect/base_pb";

/** The rows among the responses to a plan. */
export async function* batchesOf(responses: AsyncIterable<ExecutePlanResponse>): AsyncGenerator<RecordBatch> {
  for await (const { responseType } of responses)
    if (responseType.case === "arrowBatch") yield* RecordBatchReader.from(responseType.value.data);
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
