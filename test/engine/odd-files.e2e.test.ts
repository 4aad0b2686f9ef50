import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "pomona";
import { afterAll, beforeAll, expect, it } from "vitest";

/* Files that are read without a column, or not to their end. */

const files = JSON.parse(readFileSync(join(__dirname, "../fixtures/parquet/files.json"), "utf8")) as Record<
  string,
  string
>;
const folder = mkdtempSync(join(tmpdir(), "pomona-odd-files-"));
const write = (name: string, content: string | Buffer) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
let session: Session;
beforeAll(async () => {
  session = await Session.builder().master("local[1]").config("pomona.progress", "off").getOrCreate();
});
afterAll(async () => {
  await session.stop();
  rmSync(folder, { recursive: true });
});

it("counts JSON records without a field as rows, as Spark does", async () => {
  const df = session.read.json(write("empty.json", "{}\n{}\n"));
  expect((await df.schema()).fields).toEqual([]);
  expect(await df.count()).toBe(2);
  expect(await df.collect()).toEqual([{}, {}]);
  expect(await df.unionByName(df).count()).toBe(4);
});

it("has no row of a folder without a file where its columns are told, as Spark, and refuses it where they are not", async () => {
  for (const name of ["only-hidden/_a", "only-hidden/._b", "only-hidden/.c"]) {
    mkdirSync(join(folder, "only-hidden"), { recursive: true });
    write(name, "a,b\n1,2\n");
  }
  const path = join(folder, "only-hidden");
  for (const format of ["csv", "json", "parquet"]) {
    const df = session.read.format(format).schema("a string, b int").load(path);
    expect(await df.dtypes()).toEqual([
      ["a", "string"],
      ["b", "int"],
    ]);
    expect(await df.count()).toBe(0);
    await expect(session.read.format(format).load(path).collect()).rejects.toThrow(/There is no (Parquet )?file in /);
  }
  expect(await session.read.text(path).collect()).toEqual([]);
  expect(await session.read.format("binaryFile").load(path).count()).toBe(0);
});

it("names the file, what is wrong and what to do where a string is no UTF-8", async () => {
  const path = write("text.parquet", Buffer.from(files["patched no UTF-8"]!, "base64"));
  await expect(session.read.parquet(path).collect()).rejects.toMatchObject({
    name: "UnsupportedParquetError",
    message: expect.stringMatching(
      /text\.parquet cannot be read: it has a string that is no UTF-8: "TREL\\xC3".*\n.*binary/s,
    ),
  });
});

it("names the file whose pages are damaged", async () => {
  const damaged = Buffer.from(files["pyarrow string"]!, "base64");
  damaged.fill(0xff, 4, 24);
  const path = write("pages.parquet", damaged);
  await expect(session.read.parquet(path).collect()).rejects.toMatchObject({
    name: "CorruptParquetError",
    url: expect.stringContaining("pages.parquet"),
  });
});

it("takes a schema of formats with columns of their own for a name or a folder's type, and refuses others, as Spark", async () => {
  mkdirSync(join(folder, "told/k=1"), { recursive: true });
  write("told/k=1/a.txt", "x\n");
  const read = (format: string, schema: string) =>
    session.read.format(format).schema(schema).load(join(folder, "told"));
  expect(await read("text", "line STRING, k STRING").collect()).toEqual([{ line: "x", k: "1" }]);
  const own = "path STRING, modificationTime TIMESTAMP, length LONG, content BINARY";
  expect(await read("binaryFile", `${own}, k STRING`).select("length", "k").collect()).toEqual([{ length: 2, k: "1" }]);
  await expect(read("text", "line INT").collect()).rejects.toThrow(/UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE.*`line`/);
  await expect(read("text", "a STRING, b STRING").collect()).rejects.toThrow(/only a single column.*2 columns/);
  await expect(read("binaryFile", "path STRING").collect()).rejects.toThrow(
    /modificationTime.*the schema has path string/,
  );
  expect(() => read("image", "image BINARY")).toThrow(/takes no schema/);
  expect(() => session.createDataFrame([["a\ud800"]], "s STRING")).toThrow(/half a character/);
});
