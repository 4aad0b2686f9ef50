import { rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { originalPosition } from "../../kernel-ext/src/language/source-positions";
import { type Code, type Notebook, openNotebook } from "./language-notebook";

let notebook: Notebook;
beforeAll(() => {
  notebook = openNotebook();
});

function paths({ modules }: Code): string[] {
  return modules.map(({ path }) => path.slice(notebook.folder.length + 1)).sort();
}

test("local modules come with the first cell that needs them, and again when they change", () => {
  notebook.write("lib/b.ts", "export const b = 1;");
  notebook.write("lib/a.ts", 'import { b } from "./b"; export const a = b;');
  const cell = 'import { a } from "./lib/a"; a';
  expect(paths(notebook.code(cell))).toEqual(["lib/a.ts", "lib/b.ts"]);
  expect(paths(notebook.code(cell))).toEqual([]);
  notebook.write("lib/b.ts", "export const b = 22;");
  const again = notebook.code(cell);
  expect(paths(again)).toEqual(["lib/b.ts"]);
  expect(again.modules[0]?.code).toContain("22");
  notebook.write("lib/b.ts", "export const b = 'text';");
  expect(paths(notebook.code(cell))).toEqual(["lib/b.ts"]);
  expect(notebook.errors(`${cell}.toFixed()`)[0]).toMatchObject({ code: 2551, line: 1 });
});

test("what changes while a cell has an error is not lost", () => {
  notebook.write("kept.ts", "export const m = 1;");
  expect(notebook.errors('import { n } from "./kept";')[0]?.code).toBe(2305);
  expect(paths(notebook.code('import { m } from "./kept";'))).toEqual(["kept.ts"]);
});

test.each([
  ["a file", "late.ts", "./late"],
  ["a file in a new folder", "new/late.ts", "./new/late"],
  ["a file in new folders", "deep/er/late.ts", "./deep/er/late"],
  ["an index", "indexed/index.ts", "./indexed"],
  ["a file above the notebook", "../above/late.ts", "../above/late"],
  ["a file next to the notebook's folder", "../late.ts", "../late"],
])("%s that was not there at first is found when it is", (_, path, specifier) => {
  const cell = `import { late } from "${specifier}"; late`;
  expect(notebook.errors(cell)[0]).toMatchObject({ code: 2307, line: 1, column: 22 });
  expect(notebook.errors(cell)).toHaveLength(1);
  notebook.write(path, "export const late = 1;");
  expect(notebook.code(cell).modules).toHaveLength(1);
});

test("a file that goes is missed, and found when it comes back", () => {
  notebook.write("gone.ts", "export const m = 1;");
  const cell = 'import { m } from "./gone"; m';
  notebook.code(cell);
  rmSync(join(notebook.folder, "gone.ts"));
  expect(notebook.errors(cell)[0]?.code).toBe(2307);
  notebook.write("gone.ts", "export const m = 'new';");
  expect(notebook.code(cell).modules[0]?.code).toContain("new");
});

test("a package that is installed while the kernel runs is found", () => {
  const cell = 'import { pack } from "packed"; const n: number = pack;';
  expect(notebook.errors(cell)[0]?.code).toBe(2307);
  notebook.write("node_modules/packed/package.json", '{"name":"packed","types":"i.d.ts","main":"i.js"}');
  notebook.write("node_modules/packed/i.d.ts", "export const pack: number;");
  expect(notebook.code(cell).packages).toEqual(["packed"]);
});

test("types that a package has in its exports alone are found", () => {
  const exports = { ".": { import: { types: "./t/i.d.mts", default: "./i.mjs" } }, "./sub": { types: "./t/s.d.ts" } };
  notebook.write("node_modules/modern/package.json", JSON.stringify({ name: "modern", type: "module", exports }));
  notebook.write("node_modules/modern/t/i.d.mts", "export const a: number;");
  notebook.write("node_modules/modern/t/s.d.ts", "export const s: string;");
  const { packages } = notebook.code(
    'import { a } from "modern"; import { s } from "modern/sub"; const n: number = a; s.at(0)',
  );
  expect(packages).toEqual(["modern", "modern/sub"]);
});

test("packages are those that are really imported, also by local modules", () => {
  for (const name of ["one", "two", "three", "@scope/four"]) {
    notebook.write(`node_modules/${name}/package.json`, JSON.stringify({ name, types: "i.d.ts" }));
    notebook.write(`node_modules/${name}/i.d.ts`, "export const v: number; export type T = string;");
  }
  notebook.write("uses.ts", 'import { v } from "@scope/four"; export * from "two"; export const w = v;');
  const cell =
    'import { v } from "one"; import type { T } from "three"; import { T as U } from "three"; import "node:fs"; import { w } from "./uses"; v + w';
  expect([...notebook.code(cell).packages].sort()).toEqual(["@scope/four", "one", "two"]);
  expect([...notebook.code(cell).packages].sort()).toEqual(["@scope/four", "one", "two"]);
});

test("all kinds of files can be imported", () => {
  notebook.write("a.tsx", "export const a = 1;");
  notebook.write("b.mts", "export const b = 1;");
  notebook.write("c.js", "export const c = (x) => x.whatever + 1;");
  notebook.write("d.cjs", "module.exports = { d: 1 };");
  notebook.write("e.ts", "export const e = 1;");
  notebook.write("f.ts", "export const f = 1;");
  notebook.write("data.json", '{ "n": 1 }');
  const cell = [
    'import { a } from "./a";',
    'import { b } from "./b.mjs";',
    'import { c } from "./c";',
    'import { d } from "./d.cjs";',
    'import { e } from "./e.js";',
    'import { f } from "./f.ts";',
    'import data from "./data.json";',
    "const n: number = a + b + d + e + f + data.n; c",
  ].join("\n");
  expect(paths(notebook.code(cell))).toEqual(["a.tsx", "b.mts", "c.js", "d.cjs", "e.ts", "f.ts"]);
});

test("a local module is CommonJS with guards, its own import() and a map to its lines", () => {
  notebook.write(
    "guarded.ts",
    'interface T { a: number }\n\nexport function f(t: T) {\n  while (t) import("./x" as string);\n  throw t;\n}',
  );
  const [module] = notebook.code('import { f } from "./guarded"; f').modules;
  expect(module?.code).toContain("__stop__(0);");
  expect(module?.code).toContain(`__import__("./x", ${JSON.stringify(join(notebook.folder, "guarded.ts"))})`);
  expect(module?.code).not.toContain("tsLastExpr");
  const lines = module?.code.split("\n") ?? [];
  const line = lines.findIndex((text) => text.includes("throw t")) + 1;
  const column = (lines[line - 1] as string).indexOf("throw") + 1;
  expect(module && originalPosition(module.maps, line, column)).toEqual({ line: 5, column: 3 });
});

test("errors of local modules are told, above the notebook's folder too", () => {
  notebook.write("../lib/bad.ts", "export const a: number = 'x';\nexport const b = ;");
  const [syntax, type] = notebook.errors('import { a } from "../lib/bad"; a');
  expect(syntax).toMatchObject({ file: "../lib/bad.ts", line: 2, column: 18, code: 1109 });
  expect(type).toMatchObject({ file: "../lib/bad.ts", line: 1, column: 14, length: 1, code: 2322 });
  notebook.write("../lib/bad.ts", "export const a = 1;");
  expect(notebook.code('import { a } from "../lib/bad"; a').modules).toHaveLength(1);
});

test("a cell can be a module", () => {
  expect(notebook.errors('import { area } from "./shapes";')[0]?.code).toBe(2307);
  const made = notebook.compile("/** @module shapes */\nexport const area = (r: number) => 3 * r;");
  expect(made).toMatchObject({ kind: "module", modules: [{ path: join(notebook.folder, "shapes.ts") }] });
  expect(notebook.code('import { area } from "./shapes"; area(1)').modules).toEqual([]);
  const bad = notebook.errors("/** @module shapes */\nexport const area: string = 3;");
  expect(bad).toMatchObject([{ file: undefined, line: 2, column: 14, code: 2322 }]);
  const anew = notebook.compile("/** @module shapes */\nexport const area = (r: number) => 4 * r;");
  expect(anew).toMatchObject({ kind: "module" });
  expect(anew.kind === "module" && anew.modules[0]?.code).toContain("4 * r");
});

test("the package is the kernel's own, whatever lies beside the notebook", () => {
  notebook.write("node_modules/pomona/package.json", '{"name":"pomona","types":"i.d.ts"}');
  notebook.write("node_modules/pomona/i.d.ts", "export const fake: number;");
  notebook.code('import { Session } from "pomona"; import { col } from "pomona/functions"; col("a"); Session');
});

test("Node's types are there without any set-up, and those beside the notebook win", () => {
  notebook.code("console.log(process.pid, Buffer.from('a'), await fetch('http://localhost'), structuredClone(1))");
  const other = openNotebook({
    files: {
      "../node_modules/@types/node/package.json": '{ "name": "@types/node", "types": "index.d.ts" }',
      "../node_modules/@types/node/index.d.ts": "declare const fromBeside: number;",
    },
  });
  other.code("fromBeside.toFixed()");
});
