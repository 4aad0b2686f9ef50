import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DataFrame, Session } from "pomona";
import { col, udf } from "pomona/functions";
import { afterAll, beforeAll, expect, it } from "vitest";
import { structType } from "../../src/data/types";
import { batchFromColumns, vectorFromValues } from "../../src/data/vectors";
import { writeParquetFile } from "../../src/parquet";
import { localFile } from "../support/local-file";

const NAMES = ["a.b", "a b", "Ünï", "`q`", '"dq"', "a,b;c", "果物", "x\ny", "%s", "#1"];
const ROW = NAMES.map((_, i) => i + 1);

let session: Session;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-odd-"));
  session = await Session.builder().master("local[1]").config("pomona.progress", "off").getOrCreate();
});

afterAll(async () => {
  await session?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function ticked(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

it("the empty name, which Spark has and DuckDB has not, is refused by name, and can be left out", async () => {
  const path = join(folder, "empty.parquet");
  const schema = structType({ "": "integer", a: "integer" });
  const columns = ["", "a"].map((name, i) => ({ name, vector: vectorFromValues([i], "integer") }));
  async function* batches() {
    yield batchFromColumns(columns, 1);
  }
  await writeParquetFile(localFile(path), batches(), { schema });
  const refused = { name: "AnalysisError", message: expect.stringContaining("has the empty name") };
  await expect(session.read.parquet(path).collect()).rejects.toMatchObject({ name: "UnsupportedParquetError" });
  await expect(session.range(1).select(col("id").alias("")).collect()).rejects.toMatchObject(refused);
  expect(await session.read.schema("a INT").parquet(path).collect()).toEqual([{ a: 1 }]);
});

it("names with dots, spaces, quotes and line breaks are selected, written and read again", async () => {
  const one: DataFrame = session.createDataFrame([ROW], NAMES.map((name) => `${ticked(name)} int`).join(", "));
  const path = join(folder, "odd");
  await one.write.parquet(path);
  const plusOne = udf((n: number) => n + 1, { returns: "int", name: "plusOne" });
  const back: DataFrame = session.read.parquet(path);
  for (const df of [one, back]) {
    expect(await df.columns()).toEqual(NAMES);
    expect(await df.collect()).toEqual([Object.fromEntries(NAMES.map((name, i) => [name, i + 1]))]);
    for (const [i, name] of NAMES.entries()) {
      const column = col(ticked(name));
      const made = df.filter(column.eq(i + 1)).select(column, plusOne(column).alias("n"));
      expect(await made.collect()).toEqual([{ [name]: i + 1, n: i + 2 }]);
      expect(await df.drop(name).columns()).toEqual(NAMES.filter((other) => other !== name));
    }
  }
  expect(await back.showString()).toContain("|a.b|");
});
