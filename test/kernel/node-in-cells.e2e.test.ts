import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningKernel, startKernel } from "../support/kernel";

/** What is there for a script of Node's, in a cell and in a module that it imports. */

let kernel: RunningKernel;
let folder: string;
beforeAll(async () => {
  // A name that is no plain URL.
  folder = join(realpathSync(mkdtempSync(join(tmpdir(), "pomona-node-"))), "a %41 #b ü");
  mkdirSync(join(folder, "lib"), { recursive: true });
  writeFileSync(join(folder, "lib", "words.txt"), "two words");
  writeFileSync(
    join(folder, "lib", "place.ts"),
    [
      'import { readFileSync } from "node:fs";',
      "export const { url, filename, dirname } = import.meta as { url: string; filename?: string; dirname?: string };",
      'export const words = () => readFileSync(new URL("./words.txt", import.meta.url), "utf8");',
      'export const resolved = require.resolve("./words.txt");',
    ].join("\n"),
  );
  kernel = await startKernel({ cwd: folder });
});
afterAll(async () => {
  await kernel?.stop();
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

async function jsonOf(code: string): Promise<unknown> {
  const { reply } = await kernel.execute("", { user_expressions: { value: `JSON.stringify(${code})` } });
  const { status, data, ...rest } = reply.content.user_expressions.value;
  expect({ status, ...rest }).toMatchObject({ status: "ok" });
  return JSON.parse(String(data["text/plain"]).slice(1, -1).replaceAll("\\'", "'"));
}

describe("import.meta", () => {
  test("tells a local module where it is", async () => {
    await kernel.execute('import * as place from "./lib/place";');
    const file = join(folder, "lib", "place.ts");
    expect(await jsonOf("[place.url, place.filename, place.dirname]")).toEqual([
      pathToFileURL(file).href,
      file,
      join(folder, "lib"),
    ]);
    expect(await jsonOf("place.words()")).toBe("two words");
  });

  test("gives a cell the notebook's folder", async () => {
    await kernel.execute('import { fileURLToPath } from "node:url";');
    expect(await jsonOf('fileURLToPath(new URL("./lib/words.txt", import.meta.url))')).toBe(
      join(folder, "lib", "words.txt"),
    );
  });
});

test("require has what Node's has", async () => {
  expect(await jsonOf('[require.resolve("fs"), require.resolve("./lib/place"), typeof require.cache]')).toEqual([
    "fs",
    // Known to the kernel by the cell that imported it.
    join(folder, "lib", "place.ts"),
    "object",
  ]);
  expect(await jsonOf("place.resolved")).toBe(join(folder, "lib", "words.txt"));
  expect(await jsonOf('require.resolve("pomona")')).toMatch(/dist\/index\.js$/);
});

describe("%%bash", () => {
  test("takes the line ends of Windows", async () => {
    const { stdout } = await kernel.execute("%%bash\r\necho one\r\necho two\r\n");
    expect(stdout).toBe("one\ntwo\n");
  });

  test("says that the notebook's folder is gone", async () => {
    const gone = realpathSync(mkdtempSync(join(tmpdir(), "pomona-gone-")));
    const other = await startKernel({ cwd: gone });
    try {
      rmSync(gone, { recursive: true });
      expect((await other.execute("1 + 1")).result).toBe("2");
      const { reply } = await other.execute("%%bash\npwd");
      expect(reply.content.ename).toBe("FolderMissingError");
      expect(reply.content.evalue).toContain(gone);
    } finally {
      await other.stop();
    }
  });
});
