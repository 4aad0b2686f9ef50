import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { structField, structType } from "../../src/data/types";
import { batchFromColumns, valuesFromVector } from "../../src/data/vectors";
import { CorruptParquetError, readParquetBatches, readParquetFooter, writeParquetFile } from "../../src/parquet";
import { localFile } from "../support/local-file";
import { batch, batches, SCHEMA } from "./sample-batches";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "parquet-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("a file reads back in slices, only the columns asked for", async () => {
  const path = join(folder, "slices.parquet");
  await writeParquetFile(localFile(path), batches(1500, 1500), { schema: SCHEMA });
  const seen: unknown[] = [];
  for await (const part of readParquetBatches(localFile(path), {
    rows: [1000, 2100],
    columns: ["i"],
    batchSize: 256,
  })) {
    expect(part.schema.names).toEqual(["i"]);
    expect(part.numRows).toBeLessThanOrEqual(256);
    seen.push(...valuesFromVector(part.getChild("i")!, "integer"));
  }
  const expected = Array.from({ length: 1100 }, (_, j) => ((1000 + j) % 5 === 2 ? null : -(1000 + j)));
  expect(seen).toEqual(expected);
  expect((await readParquetFooter(localFile(path))).rows).toBe(3000);
});

it.each([1, 2, 8, 64, 333])("a file of %i rows has a column again and again, in any place", async (rows) => {
  const whole = batch(0, rows);
  const columns = SCHEMA.fields.flatMap((field) => {
    const vector = whole.getChild(field.name)!;
    return ["first", "second"].map((name) => ({ field, name: `${field.name} ${name}`, vector }));
  });
  const again = SCHEMA.fields.map((field) => ({
    field,
    name: `${field.name} last`,
    vector: whole.getChild(field.name)!,
  }));
  const all = [...columns, ...again];
  const path = join(folder, `again-${rows}.parquet`);
  const schema = structType(all.map(({ field, name }) => structField(name, field.type)));
  const given = async function* () {
    yield batchFromColumns(all);
  };
  await writeParquetFile(localFile(path), given(), { schema });
  for await (const part of readParquetBatches(localFile(path), { batchSize: 1000 })) {
    for (const { field, name, vector } of all) {
      const read = valuesFromVector(part.getChild(name)!, field.type);
      expect([name, read]).toEqual([name, valuesFromVector(vector, field.type)]);
    }
  }
});

it("the same rows and metadata are the same bytes, whatever was written before", async () => {
  const path = join(folder, "same.parquet");
  const metadata = Object.fromEntries(["é", "b", "pomona.model", "B", "ab"].map((key) => [key, `of ${key}`]));
  const files = new Set<string>();
  for (const rows of [3000, 3000, 3000, 3000, 0, 0, 0, 0]) {
    const given = rows > 0 ? batches(rows) : batches();
    await writeParquetFile(localFile(path), given, { schema: SCHEMA, metadata });
    files.add(readFileSync(path).toString("latin1"));
  }
  expect(files.size).toBe(2);
  const read = (await readParquetFooter(localFile(path))).metadata;
  expect(Object.fromEntries([...read].filter(([key]) => key in metadata))).toEqual(metadata);
});

describe("what is not a whole file", () => {
  it("is a CorruptParquetError that names it", async () => {
    const path = join(folder, "cut.parquet");
    await writeParquetFile(localFile(path), batches(500), { schema: SCHEMA });
    truncateSync(path, 2000);
    const read = async () => {
      for await (const _ of readParquetBatches(localFile(path)));
    };
    await expect(read()).rejects.toThrow(CorruptParquetError);
    await expect(read()).rejects.toThrow(/cut\.parquet/);
    writeFileSync(path, "not parquet at all");
    await expect(read()).rejects.toThrow(CorruptParquetError);
  });

  it("is not left behind by a write that fails", async () => {
    const path = join(folder, "failed.parquet");
    const failing = async function* () {
      yield batch(0, 10);
      throw new RangeError("the source broke");
    };
    await expect(writeParquetFile(localFile(path), failing(), { schema: SCHEMA })).rejects.toThrow(RangeError);
    expect(readdirSync(folder)).not.toContain("failed.parquet");
  });
});

it("a damaged page is an error, not wrong values", async () => {
  const path = join(folder, "damaged.parquet");
  await writeParquetFile(localFile(path), batches(500), { schema: SCHEMA });
  const bytes = readFileSync(path);
  bytes.fill(0xff, 8, 200);
  writeFileSync(path, bytes);
  const read = async () => {
    for await (const _ of readParquetBatches(localFile(path)));
  };
  await expect(read()).rejects.toThrow(CorruptParquetError);
});

it("reads rows of many tiny row groups in their order, from any to any", async () => {
  const path = join(folder, "tiny-groups.parquet");
  const files = JSON.parse(readFileSync(join(__dirname, "..", "fixtures", "parquet", "files.json"), "utf8")) as Record<
    string,
    string
  >;
  writeFileSync(path, Buffer.from(files["pyarrow row groups"] ?? "", "base64"));
  expect((await readParquetFooter(localFile(path))).rowGroups).toEqual([3, 3, 3, 1]);
  for (const rows of [
    [0, 10],
    [2, 7],
    [3, 4],
    [9, 10],
  ] as const) {
    const seen: unknown[] = [];
    for await (const part of readParquetBatches(localFile(path), { rows }))
      seen.push(...valuesFromVector(part.getChild("v")!, "long"));
    expect(seen).toEqual(Array.from({ length: rows[1] - rows[0] }, (_, i) => rows[0] + i));
  }
});
