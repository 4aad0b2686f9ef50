import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Session } from "pomona";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { simpleString, structType } from "../../src/data/types";
import { batchFromColumns, vectorFromValues } from "../../src/data/vectors";
import { writeParquetFile } from "../../src/parquet";
import { golden } from "../support/golden";
import { localFile } from "../support/local-file";

interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, { columns: [name: string, type: string][]; rows: unknown[][] }>>;
  readonly paths: readonly string[];
  readonly format: string;
  readonly schema: string | null;
  readonly options: Readonly<Record<string, string>>;
  readonly found?: [name: string, type: string][];
  readonly error?: string;
  readonly rows?: unknown[][];
}

const { cases, withoutInference } = golden<Record<"cases" | "withoutInference", Case[]>>("spark-partitions");

/** What Spark says in words of its own, or does not say. */
const ERRORS: Readonly<Record<string, RegExp>> = {
  PATH_NOT_FOUND: /Path does not exist/,
  UNABLE_TO_INFER_SCHEMA: /There is no (Parquet )?file/,
  "Option 'basePath' must be a directory": /basePath must be a folder/,
  "Option 'basePath' not found": /basePath must be a folder/,
};

const TYPES = { INT: "integer", BIGINT: "long", STRING: "string", DOUBLE: "double" } as const;

let folder: string;
let session: Session;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "partitions-"));
  session = await Session.builder().master("local[1]").config("pomona.progress", "off").getOrCreate();
});
afterAll(async () => {
  await session.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function layOut(root: string, files: Case["files"]): Promise<void> {
  for (const [name, { columns, rows }] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    const types = columns.map(([, type]) => TYPES[type as keyof typeof TYPES]);
    const batch = batchFromColumns(
      columns.map(([column], i) => {
        const values = rows.map((row) => row[i]);
        return { name: column, vector: vectorFromValues(values, types[i] ?? "string") };
      }),
    );
    const schema = structType(Object.fromEntries(columns.map(([column], i) => [column, types[i] ?? "string"])));
    const batches = async function* () {
      yield batch;
    };
    await writeParquetFile(localFile(join(root, name)), batches(), { schema });
  }
}

function text(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "number" && !Number.isInteger(value)) return String(value);
  return value;
}

/** Spark's answer in the words of {@link text}, by the column's type. */
function expected(value: unknown, type: string): unknown {
  if (typeof value !== "string") return value;
  if (type === "double") return text(Number({ inf: "Infinity", "-inf": "-Infinity" }[value] ?? value));
  if (type === "date" || type === "timestamp")
    return new Date(`${value}${value.includes("T") ? "Z" : ""}`).toISOString();
  return value;
}

async function check(found: Case, number: number | string) {
  const root = join(folder, String(number));
  await layOut(root, found.files);
  const at = (path: string) => (path === "." ? root : join(root, path));
  let reader = session.read.format(found.format);
  if (found.schema) reader = reader.schema(found.schema);
  for (const [key, value] of Object.entries(found.options)) {
    reader = reader.option(key, key === "basePath" ? at(value) : value);
  }
  let df = reader.load(found.paths.map(at));
  if (found.error) {
    const message = ERRORS[found.error] ?? new RegExp(`\\[${found.error}\\]`);
    await expect(df.schema(), found.name).rejects.toThrow(message);
    return;
  }
  const schema = await df.schema();
  if (found.format === "binaryFile") {
    const names = schema.fields.filter((f) => !["path", "modificationTime", "content"].includes(f.name));
    const kept = names.filter((f) => f.name !== "length" || f.type === "integer").map((f) => f.name);
    if (kept.length === 0) return expect(await df.count(), found.name).toBe(found.rows?.length);
    df = df.select(...kept);
  }
  const columns = (await df.schema()).fields.map((f) => [f.name, simpleString(f.type)]);
  expect(columns, found.name).toEqual(found.found);
  const rows = (await df.collect()).map((row) => Object.values(row as object).map(text));
  const wanted = (found.rows ?? []).map((row) => row.map((v, i) => expected(v, found.found?.[i]?.[1] ?? "")));
  const sorted = (list: unknown[][]) => list.map((row) => JSON.stringify(row)).sort();
  expect(sorted(rows), found.name).toEqual(sorted(wanted));
}

describe("folders k=v", () => {
  /** Rows that Spark leaves out and this package refuses; a time of day, which is text here; nothing but nulls, int here. */
  const differing = new Set(["a file beside folders", "value '01%3A02%3A03'", "value '__HIVE_DEFAULT_PARTITION__'"]);

  it(`are read as Spark reads them, in ${cases.length - differing.size} layouts`, async () => {
    for (const [number, found] of cases.entries()) if (!differing.has(found.name)) await check(found, number);
  });

  it("are an error where files lie beside them, which Spark would leave out", async () => {
    const root = join(folder, "beside");
    await layOut(root, cases.find(({ name }) => name === "a file beside folders")?.files ?? {});
    await expect(session.read.parquet(root).count()).rejects.toThrow(
      /\[CONFLICTING_DIRECTORY_STRUCTURES\].*files beside/,
    );
  });

  it("are an error where nothing but a hidden file is asked for, of whose rows Spark has none or is sorry", async () => {
    const root = join(folder, "only-hidden");
    await layOut(root, cases.find(({ name }) => name === "hidden names and *")?.files ?? {});
    const refusal =
      /There is no file in .*_h\.parquet but _h\.parquet, which is passed over by its name[\s\S]*Rename it/;
    const asked = [join(root, "_h.parquet")];
    await expect(session.read.format("binaryFile").load(asked).count()).rejects.toThrow(refusal);
    await expect(session.read.schema("id INT").parquet(asked).count()).rejects.toThrow(refusal);
    await expect(session.read.text(asked).count()).rejects.toThrow(refusal);
  });

  it("give text where inference is switched off", async () => {
    const key = "spark.sql.sources.partitionColumnTypeInference.enabled";
    session.conf.set(key, false);
    for (const found of withoutInference) await check(found, "plain");
    session.conf.unset(key);
  });
});
