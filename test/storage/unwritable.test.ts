import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PathNotFoundError, storagesFrom } from "../../src/storage";
import { openOutput } from "../../src/storage/commit";
import { makeFolder, makeFolderSync } from "../../src/storage/folders";
import { expandPath } from "../../src/storage/glob-paths";

const storages = storagesFrom();
const { at } = storages;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "unwritable-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a place where nothing can be written", () => {
  const options = { mode: "overwrite", fingerprint: "f", extension: ".parquet" } as const;

  it.runIf(process.platform === "linux")(
    "is a named error at once where the system says that nothing is there",
    async () => {
      for (const path of ["/proc/x", "/proc/x/y/z", "/proc/1/x"]) {
        await expect(openOutput(storages, path, options), path).rejects.toThrow(
          /^Cannot write \/proc\/.*permission denied/,
        );
        await expect(at(path).storage.writeFile(at(path).url, "x"), path).rejects.toThrow(/^Cannot write \/proc\//);
      }
      expect(() => makeFolderSync("/proc/x/y")).toThrow(/nothing can be made in \/proc/);
    },
  );

  it("is a named error where a part of the path is a file", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    await expect(openOutput(storages, file, options)).rejects.toThrow(/is a file/);
    await expect(openOutput(storages, join(file, "x"), options)).rejects.toThrow(/a part of the path is a file/);
    await expect(makeFolder(file)).rejects.toThrow(/is a file/);
    expect(() => makeFolderSync(file)).toThrow(/is a file/);
  });

  it("does not stand in the way of deep folders, made by several at once", async () => {
    const deep = join(folder, "a", "b", "c", "d");
    await Promise.all(Array.from({ length: 8 }, () => makeFolder(deep)));
    makeFolderSync(join(deep, "e", "f"));
    expect((await at(deep).storage.children(at(deep).url)).map((c) => c.name)).toEqual(["e"]);
  });
});

describe("paths with patterns", () => {
  it("fit names as Hadoop's patterns do", async () => {
    const names = [
      "2023/01/a.csv",
      "2023/02/b.csv",
      "2024/01/c.csv",
      "x[1]/d.csv",
      "with space/é%.csv",
      "_hidden/e.csv",
      "a{b/f.csv",
    ];
    for (const name of names) await at(folder).storage.writeFile(at(join(folder, "g", name)).url, "");
    const found = async (pattern: string) =>
      (await expandPath(storages, join(folder, "g", pattern))).map((url) => url.split("/g/")[1]);
    expect(await found("*/01")).toEqual(["2023/01", "2024/01"]);
    expect(await found("202[3-4]/0?/*.csv")).toEqual(["2023/01/a.csv", "2023/02/b.csv", "2024/01/c.csv"]);
    expect(await found("{2023,2024/01}")).toEqual(["2023", "2024/01"]);
    expect(await found("{2023/{01,02},2024}/*.csv")).toEqual(["2023/01/a.csv", "2023/02/b.csv"]);
    expect(await found("2023/[!1]2")).toEqual(["2023/02"]);
    expect(await found("x[1]/d.csv")).toEqual(["x[1]/d.csv"]);
    expect(await found("x\\[1\\]")).toEqual(["x[1]"]);
    // Two stars are as one, and hidden folders fit as others do.
    const oneFolderDeep = ["_hidden/e.csv", "a{b/f.csv", "with space/é%.csv", "x[1]/d.csv"];
    expect(await found("**/*.csv")).toEqual(oneFolderDeep);
    expect(await found("with space/é%.csv")).toEqual(["with space/é%.csv"]);
    expect(await found("_*")).toEqual(["_hidden"]);
    expect(await found("a{b")).toEqual(["a{b"]);
    await expect(found("z*")).rejects.toThrow(PathNotFoundError);
    await expect(found("[z")).rejects.toThrow(/a \[ is not closed/);
  });
});
