import { create } from "@bufbuild/protobuf";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { expect, it } from "vitest";
import { ExecutePlanResponseSchema } from "../../../src/engine/spark/protos/spark/connect/base_pb";
import { batchesOf } from "../../../src/engine/spark/results";

/** A part of a result as Spark Connect's protocol has it: base.proto, ArrowBatch. */
function part(values: readonly number[], about: { rowCount?: number; startOffset?: number } = {}) {
  const data = tableToIPC(tableFromArrays({ id: Int32Array.from(values) }), "stream");
  const { rowCount = values.length, startOffset } = about;
  const value = {
    data,
    rowCount: BigInt(rowCount),
    ...(startOffset !== undefined && { startOffset: BigInt(startOffset) }),
  };
  return create(ExecutePlanResponseSchema, { responseType: { case: "arrowBatch", value } });
}

async function read(...parts: ReturnType<typeof part>[]): Promise<number[]> {
  async function* responses() {
    yield* parts;
  }
  const rows: number[] = [];
  for await (const batch of batchesOf(responses())) rows.push(...(batch.getChildAt(0) ?? []));
  return rows;
}

it("has the rows of all parts, with places and without", async () => {
  expect(
    await read(part([1, 2], { startOffset: 0 }), part([], { startOffset: 2 }), part([3], { startOffset: 2 })),
  ).toEqual([1, 2, 3]);
  expect(await read(part([1, 2]), part([3]))).toEqual([1, 2, 3]);
});

it("refuses a result in which a part is missing, comes twice or is short", async () => {
  const first = part([1, 2], { startOffset: 0 });
  await expect(read(first, part([5], { startOffset: 4 }))).rejects.toThrow("begins with row 4, after 2 rows");
  await expect(read(first, first)).rejects.toThrow("begins with row 0, after 2 rows");
  await expect(read(part([1], { rowCount: 2, startOffset: 0 }))).rejects.toThrow("a part of 2 rows has 1");
});
