import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { arrayType, structType } from "../../src/data/types";
import { batchFromColumns, vectorFromValues } from "../../src/data/vectors";
import { IllegalArgumentError } from "../../src/errors";
import { AnalysisError, UnresolvedColumnError } from "../../src/frame/analysis-error";
import { CorruptParquetError, writeParquetFile } from "../../src/parquet";
import { Session } from "../../src/session/session";
import { validate } from "../../src/session/validate";
import { formatReport } from "../../src/session/validation-report";
import { PathNotFoundError } from "../../src/storage/errors";
import { localFile } from "../support/local-file";

let dir: string;
let session: Session;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "pomona-validate-"));
  await writeFixtures(dir);
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
}, 600_000);
afterAll(async () => {
  await session?.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe("validate", () => {
  it("finds nothing wrong with whole data, and says what is there", async () => {
    const report = await validate(session, join(dir, "good"), { rows: 40, dimension: 8 });
    expect(report).toMatchObject({
      ok: true,
      problems: [],
      files: 2,
      success: true,
      rows: 40,
      column: "features",
      type: "array<float>",
      vectors: { rows: 40, dimension: 8, nulls: { rows: 0 }, wrongDimension: { rows: 0 }, notFinite: { rows: 0 } },
      paths: { nulls: 0, duplicates: 0 },
      labels: { classes: ["a", "b", "c", "d"].map((label) => ({ label, rows: 10 })), nulls: 0, empty: 0 },
    });
    expect(formatReport(report)).toBe(
      [
        `${join(dir, "good")}: valid`,
        `  files       2 files, ${(report.bytes / 1e3).toFixed(1)} kB, _SUCCESS`,
        "  rows        40 (as expected)",
        "  features    array<float>, 8 values (as expected)",
        "  nulls       0 vectors, 0 paths, 0 labels",
        "  not finite  0 vectors",
        "  duplicates  0 paths",
        "  labels      4 classes, 10 rows each",
      ].join("\n"),
    );
  });

  it("names every fault, with paths", async () => {
    const report = await validate(session, join(dir, "bad"), { rows: 41, dimension: 8, column: "pca" });
    expect(report.ok).toBe(false);
    expect(report.problems).toEqual([
      "_SUCCESS is missing: the job that wrote the files may not have ended.",
      "_temporary holds 1 files of a job that did not end.",
      "There are 40 rows where 41 are expected.",
      "pca is null in 1 row, such as img/1.jpg.",
      "pca has not 8 values in 2 rows, such as img/2.jpg, img/3.jpg.",
      "pca holds NaN, infinity or null values in 3 rows, such as img/4.jpg, img/5.jpg, img/6.jpg.",
      "path is null in 2 rows.",
      "1 paths come more than once.",
      "label is null in 1 row.",
      "label is empty in 1 row.",
    ]);
    const text = formatReport(report);
    expect(text).toContain(": 10 problems\n");
    expect(text).toContain("  rows        40 (expected 41)\n");
    expect(text).toContain("  problem: label is null in 1 row.");
  });

  it("prefers the column pca to features, and checks against the first vector without a dimension", async () => {
    const report = await validate(session, join(dir, "bad"));
    expect(report.column).toBe("pca");
    expect(report.type).toBe("array<double>");
    expect(report.vectors.dimension).toBe(8);
    expect((await validate(session, join(dir, "bad"), { column: "features" })).vectors.notFinite.rows).toBe(0);
  });

  it("takes one file, which needs no _SUCCESS", async () => {
    const [part] = readdirSync(join(dir, "good")).filter((name) => name.endsWith(".parquet"));
    const report = await validate(session, join(dir, "good", part as string), { dimension: 4 });
    expect(report).toMatchObject({ files: 1, success: undefined, rows: 20 });
    expect(report.problems).toEqual(["features has not 4 values in 20 rows, such as img/0.jpg, img/1.jpg, img/2.jpg."]);
  });

  it("names a part that is cut short, and what is not Parquet", async () => {
    for (const [name, change] of [
      ["cut", (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
      ["empty", () => Buffer.alloc(0)],
      ["text", () => Buffer.from("not parquet at all")],
    ] as const) {
      const folder = join(dir, name);
      mkdirSync(folder);
      for (const file of readdirSync(join(dir, "good"))) copyFileSync(join(dir, "good", file), join(folder, file));
      const bad = join(folder, "part-00001.parquet");
      writeFileSync(bad, change(readFileSync(bad)));
      const error = await validate(session, folder).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(CorruptParquetError);
      expect((error as Error).message).toContain(bad);
    }
  });

  it("names a path where nothing is, an empty folder, and columns that do not fit", async () => {
    mkdirSync(join(dir, "nothing"), { recursive: true });
    await expect(validate(session, join(dir, "nothing"))).rejects.toThrow(/There is no Parquet file in .*nothing/);
    await expect(validate(session, join(dir, "nowhere"))).rejects.toThrow(PathNotFoundError);
    await expect(validate(session, join(dir, "good"), { column: "feature" })).rejects.toThrow(UnresolvedColumnError);
    await expect(validate(session, join(dir, "good"), { column: "label" })).rejects.toThrow(
      /Column label is string, not/,
    );
    await expect(validate(session, join(dir, "good"), { column: "label" })).rejects.toThrow(AnalysisError);
    await expect(validate(session, join(dir, "good"), { rows: -1 })).rejects.toThrow(IllegalArgumentError);
  });

  it("says so where there are no rows", async () => {
    const report = await validate(session, join(dir, "norows.parquet"));
    expect(report.problems).toEqual(["There are no rows."]);
    expect(formatReport(report)).toContain("array<float>, no vector");
  });
});

interface FixtureRow {
  path: string | null;
  label: string | null;
  features: number[];
  pca?: (number | null)[] | null;
}

async function writeFixtures(root: string): Promise<void> {
  const vector = (n: number, seed: number) => Array.from({ length: n }, (_, j) => Math.sin(seed * 31 + j));
  const good = Array.from(
    { length: 40 },
    (_, i): FixtureRow => ({
      path: `img/${i}.jpg`,
      label: "abcd"[i % 4] ?? "",
      features: vector(8, i),
    }),
  );
  await writeParts(join(root, "good"), good);
  writeFileSync(join(root, "good", "_SUCCESS"), "");

  const bad = good.map((row, i) => ({ ...row, pca: vector(8, i + 100) as (number | null)[] | null }));
  const change = (row: number, with_: Partial<FixtureRow>) => Object.assign(bad[row] as FixtureRow, with_);
  const changed = (row: number, place: number, value: number | null) =>
    change(row, { pca: (bad[row]?.pca ?? []).map((old, j) => (j === place ? value : old)) });
  change(1, { pca: null });
  change(2, { pca: vector(7, 2) });
  change(3, { pca: [] });
  changed(4, 3, Number.NaN);
  changed(5, 0, Number.NEGATIVE_INFINITY);
  changed(6, 7, null);
  change(20, { path: null });
  change(21, { path: null });
  change(30, { path: bad[29]?.path ?? null });
  change(31, { label: null });
  change(32, { label: "  " });
  await writeParts(join(root, "bad"), bad);
  mkdirSync(join(root, "bad", "_temporary", "job"), { recursive: true });
  writeFileSync(join(root, "bad", "_temporary", "job", "part-00000.parquet"), "");
  await writePart(join(root, "norows.parquet"), []);
}

async function writeParts(folder: string, rows: readonly FixtureRow[]): Promise<void> {
  for (const part of [0, 1]) {
    await writePart(join(folder, `part-0000${part}.parquet`), rows.slice(part * 20, (part + 1) * 20));
  }
}

async function writePart(path: string, rows: readonly FixtureRow[]): Promise<void> {
  const schema = structType({
    path: "string",
    label: "string",
    features: arrayType("float"),
    ...(rows[0]?.pca === undefined ? {} : { pca: arrayType("double") }),
  });
  const batches = async function* () {
    if (rows.length === 0) return;
    yield batchFromColumns(
      schema.fields.map(({ name, type }) => {
        const values = rows.map((row) => row[name as keyof FixtureRow]);
        return { name, vector: vectorFromValues(values, type) };
      }),
    );
  };
  await writeParquetFile(localFile(path), batches(), { schema });
}
