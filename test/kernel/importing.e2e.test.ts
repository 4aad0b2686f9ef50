import { mkdirSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningKernel, startKernel } from "../support/kernel";

/** A cell's packages are loaded while it is compiled; each notes in `log.txt` that it was. */
let kernel: RunningKernel;
let folder: string;

const FILES: Record<string, string> = {
  "log.txt": "",
  "local.ts": `import { appendFileSync } from "node:fs"; appendFileSync("log.txt", "local "); export const here = 1;`,
};

function addPackage(name: string, code: string, { types = "export const value: number;", type = "commonjs" } = {}) {
  FILES[`node_modules/${name}/package.json`] = JSON.stringify({ name, type, main: "i.js", types: "i.d.ts" });
  FILES[`node_modules/${name}/i.d.ts`] = types;
  FILES[`node_modules/${name}/i.js`] = code;
}

const noted = (name: string) => `require("node:fs").appendFileSync("log.txt", "${name} ");`;
addPackage("plain", `${noted("plain")} console.log("plain says hello"); exports.value = 7;`);
addPackage("typed", `${noted("typed")} exports.value = 7;`, { types: "export interface Shape { area: number }" });
addPackage("mistaken", `${noted("mistaken")} exports.value = 7;`);
addPackage("broken", `${noted("broken")} throw new Error("no disk");`);
addPackage("awaits", `await new Promise((done) => setTimeout(done, 20)); export const value = 8;`, { type: "module" });
addPackage("quiet", `${noted("quiet")}`, { types: "export {};" });

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pomona-importing-")));
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  kernel = await startKernel({ cwd: folder });
});
afterAll(() => kernel?.stop());

const log = () => readFileSync(join(folder, "log.txt"), "utf8");

test("a package is loaded once, and what it prints is its cell's", async () => {
  const { stdout, result } = await kernel.execute(`import { value } from "plain";\nvalue`);
  expect([stdout, result]).toEqual(["plain says hello\n", "7"]);
  await kernel.execute(`import * as again from "plain"; again.value`);
  expect(log()).toBe("plain ");
});

test("one for types alone is not loaded, nor one of which nothing is imported before its turn", async () => {
  await kernel.execute(`import type { Shape } from "typed"; const square: Shape = { area: 1 };`);
  await kernel.execute(`import { type Shape as Round } from "typed"; const disk: Round = { area: 1 };`);
  const failed = await kernel.execute(`import "quiet"; import { here } from "./local"; const wrong: string = here;`);
  expect(failed.reply.content.status).toBe("error");
  expect(log()).toBe("plain ");
});

test("a cell that does not compile runs nothing of its own", async () => {
  const { reply } = await kernel.execute(
    `import { value as other } from "mistaken"; require("node:fs").appendFileSync("log.txt", "ran "); const text: string = other;`,
  );
  expect(reply.content.status).toBe("error");
  expect(log().replace("mistaken ", "")).toBe("plain ");
  expect((await kernel.execute("typeof other")).reply.content.status).toBe("error");
});

test("what a package throws is the error of its cell, also the next time", async () => {
  for (let i = 0; i < 2; i++) {
    const { reply } = await kernel.execute(`import { value as lost } from "broken"; lost`);
    expect(reply.content.evalue).toBe("no disk");
    expect(reply.content.traceback?.join("\\n")).toContain("In[");
  }
  expect((await kernel.execute(`import { x } from "nowhere-to-be-found";`)).reply.content.status).toBe("error");
});

test("a package that awaits at its top is waited for", async () => {
  const { result } = await kernel.execute(`import { value as later } from "awaits"; later`);
  expect(result).toBe("8");
});
