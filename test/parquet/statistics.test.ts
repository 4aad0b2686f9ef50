import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { arrayType, structField, structType } from "../../src/data/types";
import { batchFromColumns, vectorFromValues } from "../../src/data/vectors";
import { writeParquetFile } from "../../src/parquet";
import { readThriftStruct, type ThriftStruct, type ThriftValue } from "../../src/parquet/thrift";
import { localFile } from "../support/local-file";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "statistics-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("leaves minima and maxima of floating-point columns out, which would hide NaN, and has those of the others", async () => {
  const path = join(folder, "nan.parquet");
  const inner = { type: "struct", fields: [structField("d", "double")] } as const;
  const schema = structType({ n: "long", s: "string", f: "float", d: "double", v: arrayType("float"), t: inner });
  const values: Readonly<Record<string, unknown[]>> = {
    n: [1n, 2n, 3n],
    s: ["a", "b", null],
    f: [1, Number.NaN, -0],
    d: [1, Number.NaN, 2],
    v: [[1], [Number.NaN], null],
    t: [{ d: 1 }, { d: Number.NaN }, null],
  };
  const batches = async function* () {
    yield batchFromColumns(
      schema.fields.map((f) => ({ name: f.name, vector: vectorFromValues(values[f.name] ?? [], f.type) })),
    );
  };
  await writeParquetFile(localFile(path), batches(), { schema });

  const bytes = readFileSync(path);
  const length = bytes.readUInt32LE(bytes.length - 8);
  const file = readThriftStruct(bytes.subarray(bytes.length - 8 - length, bytes.length - 8));
  const [group] = file.get(4) as readonly ThriftStruct[];
  const chunks = group?.get(1) as readonly ThriftStruct[];
  const statistics = Object.fromEntries(
    chunks.map((chunk) => {
      const meta = chunk.get(3) as ThriftStruct;
      const path_ = (meta.get(3) as readonly ThriftValue[]).map((part) => Buffer.from(part as Uint8Array).toString());
      return [path_.join("."), meta.has(12)];
    }),
  );
  expect(statistics).toEqual({ n: true, s: true, f: false, d: false, "v.list.element": false, "t.d": false });
});
