import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { simpleString } from "../../src/data/types";
import { batchFromColumns, vectorFromValues } from "../../src/data/vectors";
import { parseSchema } from "../../src/frame/ddl";
import { writeParquetFile } from "../../src/parquet";
import { Session } from "../../src/session/session";
import { golden } from "../support/golden";
import { localFile } from "../support/local-file";

interface Case {
  readonly name: string;
  readonly files: readonly (readonly [name: string, type: string][])[];
  readonly schema: string | null;
  readonly merge: boolean;
  readonly found?: string;
  readonly rows?: unknown[][];
  readonly error?: string;
}

const { cases } = golden<{ cases: Case[] }>("spark-parquet-merge");

/** Spark takes these for one another by their bits, or cuts off high ones; this package refuses them by name. */
const REFUSED_HERE = new Set([
  "short and int",
  "short of int",
  "byte of int",
  "date and int",
  "int and date",
  "long and timestamp",
]);

const AT = "2024-02-29T01:02:03Z";
const VALUES: Readonly<Record<string, unknown>> = {
  byte: 1,
  short: 2,
  int: 3,
  long: 4n,
  float: 0.5,
  double: 0.25,
  string: "s",
  binary: Uint8Array.of(98),
  boolean: true,
  date: Date.parse("2024-02-29"),
  timestamp: Date.parse(AT),
  timestamp_ntz: Date.parse(AT),
  "decimal(5,2)": Uint32Array.of(150, 0, 0, 0),
  "decimal(9,2)": Uint32Array.of(123456750, 0, 0, 0),
  "decimal(9,4)": Uint32Array.of(12345, 0, 0, 0),
  "array<int>": [1, null],
  "array<long>": [2n, null],
  "struct<a:int>": { a: 1 },
  "struct<a:int,b:string>": { a: 2, b: "x" },
  "struct<b:string,a:int>": { b: "y", a: 3 },
  "struct<A:int>": { A: 4 },
  "struct<a:long>": { a: 5n },
  "map<string,int>": new Map([["k", 1]]),
  "array<struct<a:int>>": [{ a: 1 }],
  "array<struct<a:int,b:string>>": [{ a: 2, b: "x" }],
};

let folder: string;
let session: Session;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "parquet-merge-"));
  session = await Session.builder().master("local[1]").config("pomona.progress", "off").getOrCreate();
});
afterAll(async () => {
  await session.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function layOut(root: string, files: Case["files"]): Promise<void> {
  mkdirSync(root);
  for (const [number, columns] of files.entries()) {
    const schema = parseSchema(
      columns.map(([name, type]) => `${name} ${type.replaceAll("long", "bigint")}`).join(", "),
    );
    const vectors = schema.fields.map((f, i) => ({
      name: f.name,
      vector: vectorFromValues([VALUES[columns[i]?.[1] ?? ""]], f.type),
    }));
    const batches = async function* () {
      yield batchFromColumns(vectors);
    };
    await writeParquetFile(localFile(join(root, `${number}.parquet`)), batches(), { schema });
  }
}

function plain(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString().replace(/(T00:00:00)?\.000Z$/, "");
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return [...value];
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
  }
  return value;
}

describe("Parquet files of other columns and types", () => {
  it(`are put together as Spark does, in ${cases.length} cases`, async () => {
    const counts = { identical: 0, refused: 0, refusedHere: 0 };
    for (const [number, { name, files, schema, merge, found, rows, error }] of cases.entries()) {
      const root = join(folder, String(number));
      await layOut(root, files);
      const reader = session.read.option("mergeSchema", merge);
      const df = (schema ? reader.schema(schema) : reader).parquet(root);
      if (error !== undefined || REFUSED_HERE.has(name)) {
        const code =
          error === "CANNOT_MERGE_SCHEMAS"
            ? /\[CANNOT_MERGE_SCHEMAS\] Column/
            : /\[PARQUET_COLUMN_DATA_TYPE_MISMATCH\] Column/;
        await expect(df.collect(), name).rejects.toThrow(code);
        counts[error === undefined ? "refusedHere" : "refused"]++;
        continue;
      }
      expect(
        `struct<${(await df.schema()).fields.map((f) => `${f.name}:${simpleString(f.type)}`).join(",")}>`,
        name,
      ).toBe(found);
      const texts = (list: unknown[][]) => list.map((row) => JSON.stringify(row).replaceAll("T00:00:00", "")).sort();
      const collected = (await df.collect()).map((row) => Object.values(row as object).map(plain));
      expect(texts(collected), name).toEqual(texts(rows ?? []));
      counts.identical++;
    }
    expect(counts).toEqual({ identical: 44, refused: 59, refusedHere: REFUSED_HERE.size });
  });
});
