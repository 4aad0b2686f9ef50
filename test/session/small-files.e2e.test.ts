import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { arrayType, structType } from "../../src/data/types";
import { batchFromColumns, vectorFromValues } from "../../src/data/vectors";
import { openDuckDb } from "../../src/engine/duckdb/duckdb";
import { bindParquet } from "../../src/engine/duckdb/parquet-source";
import { findFiles } from "../../src/engine/files";
import { footerCache, readParquetFooter, writeParquetFile } from "../../src/parquet";
import type { Session } from "../../src/session/session";
import { listed, storages, urlOf } from "../../src/storage";
import { ml, pomona } from "../ml/built";
import { localFile } from "../support/local-file";

/** The storage of the package as users get it, whose reads are counted. */
const { localStorage } = createRequire(__filename)(
  "../../dist/storage/local-storage",
) as typeof import("../../src/storage/local-storage");

const FILES = 200;

let dir: string;
let session: Session;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "pomona-small-files-"));
  mkdirSync(join(dir, "many"));
  for (let i = 0; i < FILES; i++) await writeSmall(join(dir, "many", `f${String(i).padStart(4, "0")}.parquet`), i);
  session = await pomona.Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
}, 600_000);
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(async () => {
  await session?.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe("many small files", () => {
  it("are read once by validate, and their footers once by a session", async () => {
    // Later than the files' times by enough to trust them.
    const now = Date.now();
    vi.spyOn(Date, "now").mockReturnValue(now + 60_000);
    const footers = footerReads("many");
    const runs = vi.spyOn(session.runtime, "execute");
    const report = await pomona.validate(session, join(dir, "many"), { rows: 2 * FILES, dimension: 4 });
    expect(report.problems).toEqual(["_SUCCESS is missing: the job that wrote the files may not have ended."]);
    expect(report.paths).toEqual({ nulls: 0, duplicates: 0 });
    expect(report.labels?.classes).toEqual(["l0", "l1", "l2"].map((label) => ({ label, rows: expect.any(Number) })));
    expect(runs).toHaveBeenCalledTimes(1);
    expect(footers()).toBe(FILES);
    const data = session.read.parquet(join(dir, "many"));
    await new ml.StandardScaler({ inputCol: "features", outputCol: "scaled" }).fit(data);
    expect(await data.count()).toBe(2 * FILES);
    expect(footers()).toBe(FILES);
    expect(
      session
        .history()
        .flatMap((job) => job.stages)
        .every((stage) => stage.tasks <= 16),
    ).toBe(true);
  });

  it("keep their order, in row groups of many files", async () => {
    const data = session.read.parquet(join(dir, "many"));
    const rows = (await data.select("path").collect()) as { path: string }[];
    expect(rows.map((row) => row.path)).toEqual(
      Array.from({ length: 2 * FILES }, (_, i) => `file:/x/${Math.floor(i / 2)}-${i % 2}.jpg`),
    );
    const duckdb = await openDuckDb({ memoryLimit: "512MB", threads: 2, temporaryFolder: join(dir, "duckdb") });
    try {
      const settings = { partitionInference: true };
      const local = storages({ file: localStorage });
      const leaf = { op: "read", format: "parquet", paths: [join(dir, "many")], options: {} } as const;
      const spool = { folder: dir, fresh: (name: string) => join(dir, name), scratch: () => spool, close() {} };
      const context = { relational: duckdb, spool, settings, storages: local, footers: footerCache(local) };
      const source = await bindParquet(leaf, await findFiles(leaf, context), context);
      await duckdb.copyToParquet(source.sql, join(dir, "copy.parquet"));
      expect((await readParquetFooter(localFile(join(dir, "copy.parquet")))).rowGroups).toEqual([2 * FILES]);
    } finally {
      await duckdb.close();
    }
  });

  it("are read again when they changed, of the same size and within the same instant, too", async () => {
    const file = join(dir, "changing", "f.parquet");
    mkdirSync(join(dir, "changing"));
    copyFileSync(join(dir, "many", "f0001.parquet"), file);
    const first = () => session.read.parquet(join(dir, "changing")).select("path").first();
    expect(await first()).toEqual({ path: "file:/x/1-0.jpg" });
    writeFileSync(file, readFileSync(join(dir, "many", "f0002.parquet")));
    expect(await first()).toEqual({ path: "file:/x/2-0.jpg" });
    const [{ version } = {}] = await listed(localStorage, urlOf(file));
    expect(version).toBeUndefined();
    vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_000);
    const footers = footerReads("changing");
    await first();
    await first();
    expect(footers()).toBe(1);
    writeFileSync(file, readFileSync(join(dir, "many", "f0003.parquet")));
    expect(await first()).toEqual({ path: "file:/x/3-0.jpg" });
    expect(footers()).toBe(2);
  });
});

/** How many reads of parts of files in a folder there were since. */
function footerReads(folder: string): () => number {
  const reads = vi.spyOn(localStorage, "readRange");
  return () => reads.mock.calls.filter(([url]) => url.includes(`/${folder}/`)).length;
}

async function writeSmall(path: string, i: number): Promise<void> {
  const schema = structType({ path: "string", label: "string", features: arrayType("float") });
  const columns = [
    {
      name: "path",
      vector: vectorFromValues(
        [0, 1].map((j) => `file:/x/${i}-${j}.jpg`),
        "string",
      ),
    },
    { name: "label", vector: vectorFromValues([`l${i % 3}`, `l${i % 3}`], "string") },
    {
      name: "features",
      vector: vectorFromValues(
        [0, 1].map((j) => [i, j, i * j, 1]),
        arrayType("float"),
      ),
    },
  ];
  async function* batches() {
    yield batchFromColumns(columns, 2);
  }
  await writeParquetFile(localFile(path), batches(), { schema });
}
