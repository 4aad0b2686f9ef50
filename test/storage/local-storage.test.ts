import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { IllegalArgumentError } from "../../src/errors";
import { listed, PathNotFoundError, rangeSource, storages, urlOf } from "../../src/storage";
import { localStorage } from "../../src/storage/local-storage";
import { localPath, splitRoot } from "../../src/storage/location";
import { localFile } from "../support/local-file";
import { memoryStorage } from "../support/memory-storage";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "local-storage-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a listing", () => {
  it("has each file once, of many in one folder and of few in many, and ends where it is left", async () => {
    const root = join(folder, "list");
    const expected: string[] = [];
    const put = (name: string) => {
      writeFileSync(join(root, name), "x");
      expected.push(`file:${join(root, name)}`);
    };
    mkdirSync(join(root, "many"), { recursive: true });
    for (let i = 0; i < 2500; i++) put(`many/${i}`);
    for (let i = 0; i < 40; i++) {
      mkdirSync(join(root, `k=${i}`, "deep"), { recursive: true });
      put(`k=${i}/a`);
      put(`k=${i}/deep/b`);
    }
    mkdirSync(join(root, "_hidden"));
    writeFileSync(join(root, "_hidden", "c"), "");
    symlinkSync(root, join(root, "k=0", "around"));
    const { storage, url } = localFile(root);
    expect((await listed(storage, url)).map((file) => file.url)).toEqual(expected.sort());
    expect(await listed(storage, url, { hidden: true })).toHaveLength(expected.length + 1);
    expect(await listed(storage, url, { recursive: false })).toEqual([]);
    let seen = 0;
    for await (const { size } of storage.list(url)) {
      expect(size).toBe(1);
      if (++seen === 10) break;
    }
    expect(seen).toBe(10);
    await expect(listed(storage, urlOf(join(folder, "nowhere")))).rejects.toThrow(PathNotFoundError);
  });
});

describe("a file", () => {
  it("is read by ranges and piece by piece", async () => {
    const file = localFile(join(folder, "bytes"));
    writeFileSync(join(folder, "bytes"), "0123456789");
    const source = rangeSource(file, 10);
    expect(source.byteLength).toBe(10);
    expect(Buffer.from(await source.slice(2, 5)).toString()).toBe("234");
    expect(Buffer.from(await source.slice(7)).toString()).toBe("789");
    const pieces: Uint8Array[] = [];
    for await (const piece of localStorage.readStream(file.url)) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe("0123456789");
    const none = localStorage.readStream(urlOf(join(folder, "none")))[Symbol.asyncIterator]();
    await expect(none.next()).rejects.toThrow(PathNotFoundError);
  });
});

describe("a table of storages", () => {
  it("serves the schemes that it was made with, and names them where another is asked for", () => {
    const memory = memoryStorage();
    const table = storages({ file: localStorage, memory });
    expect(table.at("memory://bucket/a/b/")).toEqual({ url: "memory://bucket/a/b", storage: memory });
    expect(table.at("FILE:///tmp//x/")).toEqual({ url: "file:/tmp/x", storage: localStorage });
    expect(table.for(urlOf("some/path"))).toBe(localStorage);
    expect(() => table.at("s3://bucket/a")).toThrow(IllegalArgumentError);
    expect(() => table.at("s3://bucket/a")).toThrow(/No storage serves "s3:" \(in "s3:\/\/bucket\/a"\).*memory:/s);
    expect(() => table.at(" ")).toThrow("A path is empty.");
    expect(splitRoot(urlOf("memory://bucket/a/b"))).toEqual({ root: "memory://bucket", path: "a/b" });
    expect(splitRoot(urlOf("/a/b"))).toEqual({ root: "file:/", path: "a/b" });
    expect(() => localPath(urlOf("memory://bucket/a"))).toThrow(/not on this machine/);
  });
});
