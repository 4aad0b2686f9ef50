import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { compiler } from "../../kernel-ext/src/language/compiler";
import { transpile } from "../../kernel-ext/src/language/transpile";
import { codeMetadata, printQuickInfo, SOURCE_PREFIX } from "../../kernel-ext/src/language/tslab-converter";
import { openNotebook } from "./language-notebook";

// What tslab-converter.ts relies on, each by itself, so that a new version says at once what it changed.
const load = createRequire(__filename);
const loadForTslab = createRequire(load.resolve("tslab/package.json"));

test("the versions are those that are pinned", () => {
  expect((load("tslab/package.json") as { version: string }).version).toBe("1.0.22");
  expect(compiler.version).toBe("5.9.3");
  const { dependencies } = load("../../package.json") as { dependencies: Record<string, string> };
  expect(dependencies.tslab).toBe("1.0.22");
});

test("tslab loads the very exports that are replaced", () => {
  expect(loadForTslab("@tslab/typescript-for-tslab")).toBe(compiler);
});

test("tslab's converter calls what is wrapped", () => {
  const { createConverter } = load("tslab/dist/converter") as { createConverter: () => object };
  const text = String(createConverter);
  for (const call of [
    "ts.createWatchCompilerHost(",
    "ts.getPreEmitDiagnostics(",
    "ts.sys.getCurrentDirectory()",
    "host.afterProgramCreate = ",
  ]) {
    expect(text).toContain(call);
  }
  const { esModuleToCommonJSModule } = load("tslab/dist/converter") as { esModuleToCommonJSModule: () => string };
  expect(String(esModuleToCommonJSModule)).toContain("ts.transpileModule(");
});

test("a cell's file begins with tslab's prefix and is named as expected", () => {
  const { cells } = openNotebook();
  cells.convert(1, "const x = 1;");
  expect(cells.earlierNames()).toBeInstanceOf(Set);
  const file = cells.file();
  expect(file.fileName.endsWith("/__tslab__.ts")).toBe(true);
  expect(file.text.startsWith(SOURCE_PREFIX)).toBe(true);
  expect([...(compiler.localsOf(file)?.keys() ?? [])]).toEqual(["x"]);
});

test("TypeScript schedules its update of a program under the name that is let through", () => {
  const text = String(compiler.createWatchProgram);
  expect(text).toMatch(/timerToUpdateProgram = host\.setTimeout\(\s*updateProgramWithWatchStatus,/);
  expect(text).toMatch(/host\.setTimeout\(\s*invalidateResolutionsOfFailedLookup,/);
  expect(text.match(/host\.setTimeout\(/g)).toHaveLength(2);
});

test("TypeScript has the internals that are used", () => {
  const file = compiler.createSourceFile("a.ts", "f(x); const = ;", compiler.ScriptTarget.Latest, true);
  expect(compiler.parseErrorsOf(file).length).toBeGreaterThan(0);
  const found: string[] = [];
  const visit = (node: import("typescript").Node): void => {
    if (compiler.isIdentifier(node) && compiler.isExpressionNode(node)) found.push(node.text);
    compiler.forEachChild(node, visit);
  };
  visit(file);
  expect(found).toEqual(["f", "x"]);
  expect(
    typeof (compiler as unknown as { Completions: { getCompletionsAtPosition: unknown } }).Completions
      .getCompletionsAtPosition,
  ).toBe("function");
});

describe("the second step gives what TypeScript's own transpileModule gives", () => {
  const options = {
    module: compiler.ModuleKind.CommonJS,
    esModuleInterop: true,
    target: compiler.ScriptTarget.ES2021,
    newLine: compiler.NewLineKind.LineFeed,
  };
  const { transpileModule } = pristine();
  test.each([
    ["an expression", "export {};\nexport let tsLastExpr;\ntsLastExpr = 1 + 1;"],
    ["nothing", ""],
    ["a script", "var a = 1;\nfunction f() { return a; }"],
    [
      "imports",
      'import fs, { readFileSync as read } from "fs";\nimport * as all from "./all";\nimport "./effect";\nread(fs, all);',
    ],
    ["imports that are exported", 'import { a, b as c } from "x";\nexport { a, c as default };\nexport * from "y";'],
    ["names that hide others", 'import { a } from "x";\n{ let a = 1; a++; }\nconst f = (a) => a;\na(f);'],
    ["a hidden name in a catch clause", 'import { e } from "x";\ntry { e(); } catch (e) { e(); }'],
    ["a name of a function expression", 'import { r } from "x";\nconst f = function r() { return r; };\nr(f);'],
    ["a hidden name in a loop", 'import { r } from "x";\nfor (const r of []) r();\nfor (let r = 0; r < 1; r++);\nr;'],
    ["a hidden name in a pattern", 'import { a, b } from "x";\nfunction f({ a, c: [b] }) { return a + b; }\na(b, f);'],
    ["a name hoisted by var", 'import { a } from "x";\nfunction f() { a(); if (1) { var a = 1; } }\nf();'],
    [
      "assignments to exports",
      "let n = 0, m;\nn++; ++n; n += 2; [n, m] = [1, 2]; ({ n } = { n });\nexport { n, n as z, m };",
    ],
    [
      "functions and classes",
      "export function f() { return C; }\nexport class C { static x = f(); m() { return C; } }",
    ],
    ["a default export", "export default class {}\nexport const a = 1;"],
    ["import()", 'const m = await import("x");\nexport { m };'],
    ["shorthands", 'import { a } from "x";\nlet b = 1;\nconst o = { a, b, c: { a } };\nexport { b, o };'],
    ["labels and properties", 'import { a } from "x";\na: for (;;) break a;\no.a = a.a;\nconst o = { a: 1, [a]: 2 };'],
    ["templates", 'import { t } from "x";\nt`a b`;\nt();\nnew t();\nt?.();'],
  ])("%s", (_, source) => {
    const own = transpile(compiler, source, options, []);
    const theirs = transpileModule(source, { fileName: "module.js", compilerOptions: { ...options, sourceMap: true } });
    expect(own.code).toBe(theirs.outputText.replace(/^"use strict";|\/\/# sourceMappingURL=.*$/g, ""));
    expect(own.map).toBe(theirs.sourceMapText);
  });

  /** TypeScript as it is without the kernel. */
  function pristine(): typeof import("typescript") {
    return load("typescript");
  }
});

test("a cell's doc comment is read", () => {
  expect(codeMetadata("/** @module shapes */\n1")).toEqual({ module: "shapes" });
  expect(codeMetadata("/**\n * @module shapes\n * @jsx\n */")).toEqual({ module: "shapes", jsx: true });
  expect(codeMetadata("const x = 1; /** @module shapes */")).toEqual({});
});

test("quick info is printed", () => {
  const { cells } = openNotebook();
  const info = cells.inspect("/** Doc. */ const x = 1; x", 25);
  expect(info && printQuickInfo(info)).toBe("const x: 1\n\nDoc.");
});
