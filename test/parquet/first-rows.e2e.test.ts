import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, expect, it } from "vitest";
import { chunkHead } from "../../src/parquet/chunk-head";
import { footerOfBytes } from "../../src/parquet/footer";
import { columnHeads } from "../../src/parquet/group-head";
import { type ChunkHead, sliceable, sliceBytes } from "../../src/parquet/slice";
import { runPython } from "../support/python";

/* The first rows of large row groups, of which only the first pages are fetched, or the starts of these. */

const folder = mkdtempSync(join(tmpdir(), "pomona-first-rows-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("has, as DuckDB reads it, the first rows of pages that were cut, for all codecs, encodings and nestings", async () => {
  runPython(readFileSync(join(__dirname, "large_groups.py"), "utf8"), [folder, "3000"]);
  const connection = await (
    await DuckDBInstance.create(":memory:", { threads: "1", enable_external_file_cache: "false" })
  ).connect();
  const rowsOf = async (path: string, count: number) => {
    const sql = `SELECT * FROM read_parquet('${path}') LIMIT ${count}`;
    return JSON.stringify((await connection.runAndReadAll(sql)).getRowsJson());
  };
  const part = join(folder, "part");
  /** Of chunks: how many were cut. */
  const [cut, all] = [new Map<string, number>(), new Map<string, number>()];
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const footer = footerOfBytes(bytes, name);
    const { groups, leaves, leafNodes, slice } = sliceable(footer, bytes.length)!;
    const { chunks, rows: inGroup } = groups[0]!;
    for (const [rows, first] of [
      [1, 1000],
      [5, 64],
      [503, 3000],
    ] as const) {
      const heads = new Map<number, ChunkHead>();
      for (const [from, to] of leaves) {
        const own = Array.from({ length: to - from }, (_, i) => from + i);
        const found = await columnHeads(own, leafNodes, async (leaf, isExact) => {
          const chunk = chunks[leaf]!;
          const more = async (end: number) => bytes.subarray(chunk.start, chunk.start + end);
          const start = await more(Math.min(first, chunk.length));
          return chunkHead(chunk, leafNodes[leaf]!, { rows, isExact }, start, more);
        });
        for (const [leaf, head] of found) heads.set(leaf, head);
      }
      const made = slice(
        footer.columns.map((_, i) => i),
        [0],
        new Map([[0, { rows, chunks: heads }]]),
      );
      const whole = sliceBytes(made);
      for (const { from, length, to } of made.pieces) whole.set(bytes.subarray(from, from + length), to);
      writeFileSync(part, whole);
      expect(await rowsOf(part, inGroup), `${rows} rows of ${name}`).toBe(await rowsOf(path, rows));
      const codec = name.split("-")[1]!;
      cut.set(codec, (cut.get(codec) ?? 0) + [...heads].filter(([i, h]) => h.bytes.length < chunks[i]!.length).length);
      all.set(codec, (all.get(codec) ?? 0) + chunks.length);
    }
  }
  connection.closeSync();
  for (const codec of ["none", "uncompressed", "snappy", "gzip", "brotli"]) {
    expect(cut.get(codec)! / all.get(codec)!, codec).toBeGreaterThan(0.3);
  }
});
