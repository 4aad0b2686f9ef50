import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { codeMetadata, compiler, printQuickInfo, SOURCE_PREFIX } from "../../kernel-ext/src/language/tslab-converter";
import { openNotebook } from "./language-notebook";

// What tslab-converter.ts relies on, each by itself, so that a new version says at once what it changed.
const load = createRequire(__filename);
const loadForTslab = createRequire(load.resolve("tslab/package.json"));

test("the versions are those that are pinned", () => {
  expect((load("tslab/package.json") as { version: string }).version).toBe("1.0.22");
  expect(compiler.version).toBe("5.0.4");
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
  expect(text).toMatch(/timerToUpdateProgram = host\.setTimeout\(updateProgramWithWatchStatus, \d+\)/);
  expect(text).toMatch(/host\.setTimeout\(invalidateResolutionsOfFailedLookup, \d+\)/);
  expect(text.match(/host\.setTimeout\(/g)).toHaveLength(2);
});

test("TypeScript has the internals that are used", () => {
  const file = compiler.createSourceFile("a.ts", "f(x); const = ;", compiler.ScriptTarget.Latest, true);
  expect(compiler.parseErrorsOf(file).length).toBeGreaterThan(0);
  const found: string[] = [];
  const visit = (node: import("@tslab/typescript-for-tslab").Node): void => {
    if (compiler.isIdentifier(node) && compiler.isExpressionNode(node)) found.push(node.text);
    compiler.forEachChild(node, visit);
  };
  visit(file);
  expect(found).toEqual(["f", "x"]);
  expect(
    typeof (compiler as unknown as { Completions: { getCompletionsAtPositionForTslab: unknown } }).Completions
      .getCompletionsAtPositionForTslab,
  ).toBe("function");
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
