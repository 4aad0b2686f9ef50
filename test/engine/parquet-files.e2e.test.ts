import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DataType, simpleString } from "../../src/data/types";
import { Session } from "../../src/session/session";
import { golden } from "../support/golden";

type Answer = { readonly schema: string; readonly rows: unknown[][] | number } | { readonly error: string };

const answers = golden<Record<string, Answer>>("spark-parquet-files");
const files = JSON.parse(readFileSync(join(__dirname, "..", "fixtures", "parquet", "files.json"), "utf8")) as Record<
  string,
  string
>;

/** What Spark refuses and this package reads, or the other way round; docs/differences.md has each kind. */
const DOCUMENTED: readonly (readonly [RegExp, "read" | "refused"])[] = [
  [/float16$/i, "read"],
  [/^pyarrow timestamp ns|^pandas datetime( ns| tz)?$|^polars Datetime ns|^duckdb TIMESTAMP_NS$/, "read"],
  [/^fastparquet datetime( tz)?$/, "read"],
  [/^duckdb UUID$/, "read"],
  [/ codec brotli$/i, "read"],
  [/^fastparquet codec LZ4$/, "read"],
  // The last microsecond of 9999, which Python's own dates cannot round.
  [/^pyarrow timestamp us far$/, "read"],
  [/^duckdb DATE infinity$/, "read"],
  [/^patched (no UTF-8|nameless column)$/, "refused"],
  [/^polars no columns$|^spark day-time interval$|^spark variant$/, "refused"],
];

let folder: string;
let session: Session;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "parquet-files-"));
  session = await Session.builder().master("local[1]").config("pomona.progress", "off").getOrCreate();
});
afterAll(async () => {
  await session.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A value here and one in the golden file, in the same words; JavaScript's dates have milliseconds. */
function plain(value: unknown, type: DataType): unknown {
  if (value === null || value === undefined) return null;
  if (typeof type === "object") {
    if (type.type === "array") return Array.from(value as unknown[], (item) => plain(item, type.elementType));
    if (type.type === "struct") {
      const row = value as Record<string, unknown>;
      return Object.fromEntries(type.fields.map((f) => [f.name, plain(row[f.name], f.type)]));
    }
    const entries = [...(value as Map<unknown, unknown> | unknown[][])] as unknown[][];
    return entries.map(([k, v]) => [String(plain(k, type.keyType)), plain(v, type.valueType)]);
  }
  if (value instanceof Date || type === "date" || type.startsWith("timestamp")) {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid" : value.toISOString();
    const [day, time = "00:00:00"] = String(value).split("T");
    return new Date(`${day}T${time.slice(0, 12)}Z`).toISOString();
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (type.startsWith("decimal")) return String(value).replace(/(\.\d*?)0+$/, "$1");
  if (type === "long") return Number(value);
  if (type === "float" || type === "double")
    return Object.is(value, -0) ? "-0.0" : String(value).replace("Infinity", "inf").toLowerCase();
  return typeof value === "string" && value.length >= 200 ? `${value.length} characters` : value;
}

describe("Parquet of pyarrow, pandas, polars, DuckDB, fastparquet and Spark", () => {
  const counts = { identical: 0, refused: 0, documented: 0 };

  it(`is read as Spark reads it in ${Object.keys(files).length} files, refused by name, or on the page of differences`, async () => {
    const unlike: string[] = [];
    for (const [name, bytes] of Object.entries(files)) {
      const answer = answers[name];
      const path = join(folder, `${Object.keys(files).indexOf(name)}.parquet`);
      writeFileSync(path, Buffer.from(bytes, "base64"));
      const documented = DOCUMENTED.find(([pattern]) => pattern.test(name))?.[1];
      try {
        const df = session.read.parquet(path);
        const schema = await df.schema();
        const found = (await df.collect()).map((row) => Object.values(row as object));
        const rows = (list: unknown[][]) => list.map((row) => row.map((v, i) => plain(v, schema.fields[i]!.type)));
        if (documented === "read") counts.documented++;
        else if (!answer || "error" in answer) unlike.push(`${name}: read, and Spark refuses`);
        else {
          expect(simpleString(schema), name).toBe(answer.schema);
          if (typeof answer.rows === "number") expect(found.length, name).toBe(answer.rows);
          else expect(rows(found), name).toEqual(rows(answer.rows));
          counts.identical++;
        }
      } catch (error) {
        const message = `${(error as Error).name}: ${(error as Error).message}`;
        if (documented === "refused") counts.documented++;
        else if (!answer || !("error" in answer)) unlike.push(`${name}: ${message}`);
        else counts.refused++;
        if ((error as Error).name === "AssertionError") throw error;
        if (name !== "duckdb TIMESTAMP infinity")
          expect(message, name).toMatch(/^(Unsupported|Encrypted|Corrupt)ParquetError: |^AnalysisError: \[/);
      }
    }
    expect(unlike).toEqual([]);
    expect(counts).toEqual({ identical: 261, refused: 18, documented: 27 });
  });
});
