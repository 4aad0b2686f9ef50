import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { tableFromIPC } from "apache-arrow";
import { afterAll, describe, expect, it } from "vitest";
import { readParquetBatches, readParquetFooter, writeParquetFile } from "../../src/parquet";
import { fetchPieces } from "../../src/parquet/fetch-pieces";
import { footerOfBytes } from "../../src/parquet/footer";
import { sliceable, sliceBytes } from "../../src/parquet/slice";
import { slicedReader } from "../../src/parquet/sliced-reader";
import { FileChangedError, urlOf } from "../../src/storage";
import { localFile } from "../support/local-file";
import { memoryStorage } from "../support/memory-storage";
import { batches, SCHEMA } from "./sample-batches";

const folder = mkdtempSync(join(tmpdir(), "pomona-slice-"));
afterAll(() => rmSync(folder, { recursive: true }));
const fixtures = JSON.parse(readFileSync(join(__dirname, "../fixtures/parquet/files.json"), "utf8")) as Record<
  string,
  string
>;

/** Which columns are looked at: each alone where they are few, else the first and the last together. */
function choices(count: number): number[][] {
  return count <= 4
    ? [...Array.from({ length: count }, (_, i) => [i]), Array.from({ length: count }, (_, i) => i)]
    : [[0], [0, count - 1]];
}

describe("a slice of a Parquet file", () => {
  it("has, as DuckDB reads it, what the whole has, for files of ten writers", async () => {
    const connection = await (
      await DuckDBInstance.create(":memory:", { threads: "1", enable_external_file_cache: "false" })
    ).connect();
    await connection.run("SET enable_geoparquet_conversion = false");
    const rowsOf = async (path: string, names: readonly string[]) => {
      const list = names.map((name) => `"${name.replaceAll('"', '""')}"`).join(", ");
      const sql = `SELECT ${list} FROM read_parquet('${path}', hive_partitioning = false)`;
      return JSON.stringify((await connection.runAndReadAll(sql)).getRowsJson());
    };
    let compared = 0;
    const [whole, part] = [join(folder, "whole.parquet"), join(folder, "part.parquet")];
    for (const [name, base64] of Object.entries(fixtures)) {
      const bytes = Buffer.from(base64, "base64");
      const footer = await (async () => footerOfBytes(bytes, name))().catch(() => undefined);
      const parts = footer && sliceable(footer, bytes.length);
      if (!footer || !parts) continue;
      // Refused by name before anything is read.
      if (new Set(footer.columns.map((c) => c.name.toLowerCase())).size < footer.columns.length) continue;
      writeFileSync(whole, bytes);
      for (const columns of choices(footer.columns.length)) {
        const names = columns.map((i) => footer.columns[i]!.name);
        const expected = await rowsOf(whole, names).catch((error: Error) => `error: ${error.message.slice(0, 20)}`);
        const slice = parts.slice(
          columns,
          footer.rowGroups.map((_, i) => i),
        );
        const made = sliceBytes(slice);
        for (const { from, length, to } of slice.pieces) made.set(bytes.subarray(from, from + length), to);
        writeFileSync(part, made);
        const found = await rowsOf(part, names).catch((error: Error) => `error: ${error.message.slice(0, 20)}`);
        expect(found, `${name} ${names.join()}`).toBe(expected);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(300);
  });

  it("gives workers the rows asked for, and fetches no more than their chunks", async () => {
    const store = memoryStorage();
    const url = urlOf("memory://bucket/a.parquet");
    const path = join(folder, "groups.parquet");
    await writeParquetFile(localFile(path), batches(3000, 3000, 3000), { schema: SCHEMA });
    const bytes = readFileSync(path);
    await store.writeFile(url, bytes);
    const footer = await readParquetFooter(localFile(path));
    const size = bytes.length;
    for (const rows of [
      [0, 10],
      [4500, 4501],
      [2990, 6010],
      [0, 9000],
    ] as const) {
      for (const columns of [["i"], [...SCHEMA.fields.map((f) => f.name)]]) {
        const text = async (place: Parameters<typeof readParquetBatches>[0]) => {
          const rowsRead: string[] = [];
          for await (const batch of readParquetBatches(place, { rows, columns, size })) {
            for (const row of batch) rowsRead.push(String(row));
          }
          return rowsRead;
        };
        store.reads.length = 0;
        expect(await text({ url, storage: store })).toEqual(await text(localFile(path)));
      }
    }
    store.reads.length = 0;
    for await (const _ of readParquetBatches({ url, storage: store }, { rows: [0, 10], columns: ["i"], size }));
    const chunk = sliceable(footer, size)!.slice([footer.columns.findIndex((c) => c.name === "i")], [0]).pieces[0]!;
    // The footer's request, and one for the chunk.
    expect(store.reads.map((read) => read.bytes)).toEqual([64 * 1024, chunk.length]);
  });

  it("is decoded by the library in WebAssembly as the whole is", async () => {
    const store = memoryStorage();
    let compared = 0;
    for (const [name, base64] of Object.entries(fixtures)) {
      const bytes = Buffer.from(base64, "base64");
      const url = urlOf(`memory://bucket/${encodeURIComponent(name)}.parquet`);
      await store.writeFile(url, bytes);
      const footer = await (async () => footerOfBytes(bytes, name))().catch(() => undefined);
      // Arrow's schema in a footer asks for other types; DuckDB reads such files.
      if (!footer || footer.metadata.has("ARROW:schema") || footer.codecs.has("LZ4")) continue;
      const names = footer.columns.map((c) => c.name);
      if (new Set(names).size < names.length) continue;
      const place = { url, storage: store };
      const whole = await textOf(async () => {
        const parts = [];
        for await (const batch of readParquetBatches(place)) parts.push(batch);
        return parts.flatMap((batch) => [...batch].map(String));
      });
      const reader = await slicedReader(place, bytes.length, {});
      if (!reader || whole.startsWith("error")) continue;
      const groups = footer.rowGroups.map((_, i) => i);
      const found = await textOf(async () => [...tableFromIPC(await reader.groups(groups, undefined))].map(String));
      expect(found, name).toBe(whole);
      compared++;
    }
    expect(compared).toBeGreaterThan(100);
  });

  it("comes in few requests, none of which goes on after a failure", async () => {
    const store = memoryStorage();
    const url = urlOf("memory://bucket/b");
    const size = 40 * 1024 * 1024;
    const bytes = Buffer.alloc(size);
    for (let i = 0; i < size; i += 4096) bytes.writeUInt32LE(i, i);
    await store.writeFile(url, bytes);
    const far = 20 * 1024 * 1024;
    const pieces = [
      { from: 10, length: 100, to: 0 },
      { from: 5000, length: 100, to: 100 },
      { from: far, length: 17 * 1024 * 1024, to: 200 },
    ];
    const made = Buffer.alloc(200 + pieces[2]!.length);
    await fetchPieces({ url, storage: store }, pieces, (part, to) => made.set(part, to));
    for (const { from, length, to } of pieces) {
      expect(made.subarray(to, to + length).equals(bytes.subarray(from, from + length))).toBe(true);
    }
    const mega = 1024 * 1024;
    expect(store.reads.map((read) => [read.start, read.bytes])).toEqual([
      [10, 5090],
      [far, 8 * mega],
      [far + 8 * mega, 8 * mega],
      [far + 16 * mega, mega],
    ]);
    const changed = fetchPieces({ url, storage: store }, pieces, () => {}, { version: "another" });
    await expect(changed).rejects.toThrow(FileChangedError);
    await expect(
      fetchPieces({ url, storage: store }, pieces, () => {}, { signal: AbortSignal.abort() }),
    ).rejects.toThrow("Cancelled");
  });
});

async function textOf(rows: () => Promise<readonly string[]>): Promise<string> {
  return rows().then(
    (found) => found.join("\n"),
    (error: Error) => `error: ${error.name}`,
  );
}
