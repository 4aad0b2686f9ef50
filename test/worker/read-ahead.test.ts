import type { RecordBatch } from "apache-arrow";
import { describe, expect, it } from "vitest";
import type { BuiltinColumnFunction, ColumnFunction, FileReading, WorkerContext } from "../../src/data/batch-function";
import { batchFromColumns, valuesFromVector, vectorFromValues } from "../../src/data/vectors";
import { CancelledError } from "../../src/errors";
import { applySteps } from "../../src/worker/apply-steps";
import { fileContent } from "../../src/worker/file-content";
import type { Step } from "../../src/worker/task";

const CONTENT: Step = {
  kind: "column",
  fn: { kind: "builtin", name: "binaryFile.content", params: {} },
  args: ["path"],
  as: "content",
  type: "binary",
  rowName: "path",
};

/** Files that are read when the test says so. */
function files(sizeOf: (path: string) => number) {
  const asked: string[] = [];
  const answers = new Map<string, { resolve: (bytes: Uint8Array) => void; reject: (error: Error) => void }>();
  const abort = new AbortController();
  const context = {
    signal: abort.signal,
    log() {},
    readFile: (path: string, { signal }: FileReading) =>
      new Promise<Uint8Array>((resolve, reject) => {
        asked.push(path);
        answers.set(path, { resolve, reject });
        signal?.addEventListener("abort", () => reject(new Error("ended")));
      }),
  } as unknown as WorkerContext;
  return {
    asked,
    abort,
    context,
    give: (path: string) => answers.get(path)!.resolve(new Uint8Array(sizeOf(path)).fill(Number(path))),
    fail: (path: string) => answers.get(path)!.reject(new RangeError("no such file")),
  };
}

async function* paths(count: number): AsyncGenerator<RecordBatch> {
  for (let i = 0; i < count; i++) {
    yield batchFromColumns([{ name: "path", vector: vectorFromValues([String(i)], "string") }], 1);
  }
}

/** The registry loads it by `require`, which knows no TypeScript. */
async function create(context: WorkerContext): Promise<ColumnFunction> {
  return (fileContent as BuiltinColumnFunction).create({}, context);
}

async function started(count: number, store: ReturnType<typeof files>, steps: readonly Step[] = [CONTENT]) {
  let failedRows = 0;
  const batches = await applySteps(paths(count), steps, {
    worker: store.context,
    functions: new Map([[JSON.stringify([CONTENT.kind === "column" && CONTENT.fn, "binary"]), create(store.context)]]),
    partition: 0,
    firstRow: 0,
    onFailedRow: () => failedRows++,
  });
  return { batches: batches[Symbol.asyncIterator](), failed: () => failedRows };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("files' contents", () => {
  it("are read ahead of who computes with them, in order, two batches at most", async () => {
    const store = files(() => 10);
    const { batches } = await started(5, store);
    const first = batches.next();
    await settled();
    expect(store.asked).toEqual(["0"]);
    store.give("0");
    const { value } = await first;
    await settled();
    expect(store.asked).toEqual(["0", "1", "2"]);
    store.give("2");
    store.give("1");
    const seen = [value as RecordBatch];
    for (let i = 1; i < 5; i++) {
      const next = batches.next();
      await settled();
      if (i > 2) store.give(String(i));
      seen.push((await next).value as RecordBatch);
    }
    expect((await batches.next()).done).toBe(true);
    const contents = seen.map((batch) => (valuesFromVector(batch.getChild("content")!, "binary")[0] as Uint8Array)[0]);
    expect(contents).toEqual([0, 1, 2, 3, 4]);
  });

  it("are not read ahead where they are large", async () => {
    const store = files(() => 40 * 1024 * 1024);
    const { batches } = await started(3, store);
    const first = batches.next();
    await settled();
    store.give("0");
    await first;
    await settled();
    expect(store.asked).toEqual(["0"]);
    const second = batches.next();
    await settled();
    store.give("1");
    expect(((await second).value as RecordBatch).numRows).toBe(1);
    await batches.return?.();
  });

  it("fail where their row's turn comes, once those before are given", async () => {
    const store = files(() => 1);
    const { batches } = await started(3, store);
    const first = batches.next();
    await settled();
    store.give("0");
    await first;
    await settled();
    store.fail("2");
    store.give("1");
    expect(((await batches.next()).value as RecordBatch).numRows).toBe(1);
    await expect(batches.next()).rejects.toThrow(/binaryFile\.content.* on 2.*no such file/s);
  });

  it("keep failed rows as null where that is asked for, and are not read on after a cancel", async () => {
    const store = files(() => 1);
    const { batches, failed } = await started(4, store, [{ ...CONTENT, errorAs: "why" } as Step]);
    const first = batches.next();
    await settled();
    store.fail("0");
    const { value } = await first;
    expect(String((value as RecordBatch).getChild("why")!.get(0))).toContain("no such file");
    expect(failed()).toBe(1);
    await settled();
    store.abort.abort();
    await expect(batches.next()).rejects.toThrow(CancelledError);
    expect(failed()).toBe(1);
  });
});
