import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session, TaskFailedError } from "pomona";
import { batchUdf, col, udf } from "pomona/functions";
import { StandardScaler } from "pomona/ml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let folder: string;
let session: Session;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "user-function-errors-"));
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
});
afterAll(async () => {
  await session.stop();
  rmSync(folder, { recursive: true, force: true });
});

// Several tasks: 5,000 rows on two workers are eight, so that row 3333 is row 208 of its task.
const rows = Array.from({ length: 5000 }, (_, i) => ({ path: `a/${i}.jpg`, name: i === 3333 ? null : `n${i}` }));
const data = () => session.createDataFrame(rows);
const part = udf((name: string) => name.split("n")[1], { returns: "string", name: "part" });

async function failure(action: Promise<unknown>): Promise<TaskFailedError> {
  const error = await action.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof TaskFailedError)) throw new Error(`No failed task but ${error}`);
  return error;
}

/** How often a text stands in what a user sees of an error. */
const times = (error: Error, text: string) => `${error.stack}`.split(text).length - 1;

describe("what a function throws is told once, with its row's number in the data", () => {
  it("of a row, with its path though the function does not read that", async () => {
    const error = await failure(data().select("path", part("name").alias("part")).collect());
    const message =
      "UserFunctionError: part failed on row 3333 of its input (the first is row 0), path a/3333.jpg: " +
      "TypeError: Cannot read properties of null (reading 'split')\n\n";
    expect(error.message.startsWith(message)).toBe(true);
    expect(error.message).toMatch(
      /\n {2}1 \| .*\.split\("n"\)\[1\]\n.*\^\n\nin stage 0 \(part\), task 5, worker-\d, attempt 1\n/,
    );
    expect(error.message.split("remote stack:\n")[1]).toMatch(/^ {4}at udf:part:1:\d+$/);
    for (const once of ["a/3333.jpg", "Cannot read properties", "part failed", "udf:part:1"])
      expect(times(error, once), once).toBe(1);
    expect(error.path).toBe("a/3333.jpg");
  });

  it("counted over what a filter left, and over files", async () => {
    const filtered = data().filter(col("path").notEqual("a/0.jpg"));
    expect((await failure(filtered.select(part("name")).collect())).message).toContain("on row 3332 of its input");
    await data().repartition(3).write.parquet(join(folder, "three"));
    const files = session.read.parquet(join(folder, "three"));
    const at = (await files.collect()).findIndex((row) => row.name === null);
    expect((await failure(files.select(part("name")).collect())).message).toContain(`on row ${at} of its input`);
  });

  it("without a path column the number alone", async () => {
    const error = await failure(data().select("name").select(part("name")).collect());
    expect(error.message).toContain("part failed on row 3333 of its input (the first is row 0): TypeError");
  });

  it("of whole batches, their range", async () => {
    const lengths = batchUdf((names: string[]) => names.map((name) => name.length), {
      returns: "int",
      name: "lengths",
    });
    const range =
      "failed on rows 3125 to 3749 of its input (the first is row 0): TypeError: Cannot read properties of null";
    expect((await failure(data().select(lengths("name")).collect())).message).toContain(`lengths ${range}`);
    const mapped = data().mapBatches(
      (batch: { name: string[] }) => ({ length: batch.name.map((name) => name.length) }),
      { schema: { length: "int" }, name: "extract" },
    );
    const error = await failure(mapped.collect());
    expect(error.message).toContain(`extract ${range}`);
    expect(times(error, "Cannot read properties")).toBe(1);
  });

  it("after a function that changes the number of rows, of the task", async () => {
    const same = (batch: { name: string[] }) => ({ name: batch.name });
    const mapped = data().mapBatches(same, { schema: { name: "string" }, name: "same" });
    expect((await failure(mapped.select(part("name")).collect())).message).toContain(
      "part failed on row 208 of what same made in task 5 (the first is row 0): TypeError",
    );
  });

  it("a wrong result, without stack lines that are not its author's", async () => {
    const wrong = udf((name: string) => (name === "n7" ? 7 : name), { returns: "string", name: "wrong" });
    const error = await failure(data().select(wrong("name")).collect());
    expect(error.message).toMatch(
      /^UserFunctionResultError: wrong returned 7 for row 7 of its input \(the first is row 0\), path a\/7\.jpg, where its type is string\.\nReturn String\(value\), or declare "double"\.\nin stage 0 \(wrong\), task 0, worker-\d, attempt 1$/,
    );
  });

  it("a row that is kept as null, in its reason", async () => {
    const kept = udf((name: string) => name.length, { returns: "int", name: "kept", onError: "null" });
    const failed = await data().select("path", kept("name").alias("n")).filter(col("error").isNotNull()).collect();
    expect(failed).toHaveLength(1);
    expect((failed[0] as unknown as { error: string }).error).toContain(
      "UserFunctionError: kept failed on row 3333 of its input (the first is row 0), path a/3333.jpg: TypeError",
    );
  });

  it("what a cause of its own adds", async () => {
    const why = udf(
      () => {
        throw new TypeError("outer", { cause: new RangeError("inner") });
      },
      { returns: "int", name: "why" },
    );
    const error = await failure(session.range(1).select(why("id")).collect());
    expect(times(error, "TypeError: outer")).toBe(1);
    expect(times(error, "RangeError: inner")).toBe(1);
  });

  it("a scaler's row", async () => {
    const vectors = Array.from({ length: 3000 }, (_, i) => ({ features: [i, 1] }));
    const scaler = new StandardScaler({ inputCol: "features", outputCol: "scaled" });
    const model = await scaler.fit(session.createDataFrame(vectors));
    const broken = session.createDataFrame(
      vectors.map((row, i) => (i === 2222 ? { features: null } : row)),
      "features array<double>",
    );
    expect((await failure(model.transform(broken).collect())).message).toMatch(
      /features holds null, in row 2222 of its input \(the first is row 0\)\./,
    );
  });
});
