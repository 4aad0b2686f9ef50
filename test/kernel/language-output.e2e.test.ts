import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { originalPosition } from "../../kernel-ext/src/language/source-positions";
import { type Notebook, openNotebook } from "./language-notebook";

let notebook: Notebook;
beforeAll(() => {
  notebook = openNotebook();
});

function output(source: string): string {
  return notebook.code(source).output ?? "";
}

describe("guards", () => {
  test.each([
    ["for (;;) g();", "for (;;) {\n    __stop__(N);\n    g();\n}"],
    ["for (const a of [1]) { g(); }", "for (const a of [1]) {\n    __stop__(N);\n    g();\n}"],
    ["for (const a in {}) ;", "for (const a in {}) {\n    __stop__(N);\n    ;\n}"],
    ["while (true) {}", "while (true) {\n    __stop__(N);\n}"],
    ["do g(); while (true)", "do {\n    __stop__(N);\n    g();\n} while (true);"],
    ["a: for (;;) { continue a; }", "a: for (;;) {\n    __stop__(N);\n    continue a;\n}"],
    [
      "for await (const a of []) g();",
      "for await (const a of __stop__.each(N, 0, 0, [], __stop__)) {\n    __stop__(N);\n    g();\n}",
    ],
    [
      "function f() { 'use strict'; return 1; }",
      "function f() {\n    'use strict';\n    __stop__(N);\n    return 1;\n}",
    ],
    ["const f = () => { g(); };", "() => {\n        __stop__(N);\n        g();\n    } }.f;"],
    [
      "const f = async function* () { yield 1; };",
      "async function* () {\n        const __frame1__ = __stop__.frame(N);\n        __stop__.back(N, __frame1__, 0, yield __stop__.wait(N, __frame1__, 0, 1, __stop__), __stop__);\n    } }.f;",
    ],
    ["class A { m() {} }", "m() {\n        __stop__(N);\n    }"],
    ["class A { constructor() {} }", "constructor() {\n        __stop__(N);\n    }"],
    ["class A { get p() { return 1; } }", "get p() {\n        __stop__(N);\n        return 1;\n    }"],
    ["class A { set p(v) {} }", "set p(v) {\n        __stop__(N);\n    }"],
    [
      "const o = { m() { for (;;) {} } };",
      "m() {\n        __stop__(N);\n        for (;;) {\n            __stop__(N);\n        }\n    }",
    ],
    ["const f = (x: number) => x + 1;", "__f.now = (x) => x + 1 }.f;"],
    ["const f = () => g();", "() => (__stop__(N), g() /*__stop__*/) }.f;"],
    ["const f = () => ({ x: g() });", "() => (__stop__(N), ({ x: g() }) /*__stop__*/) }.f;"],
    ["for (;;) { g(); g(); }", "    g();\n    __stop__(N);\n    g();\n}"],
    [
      "try { g(); } catch { g(); }",
      "const __try1__ = __stop__.here(N);\ntry {\n    g();\n}\ncatch {\n    __stop__.enter(N, __try1__);\n    g();\n}\nfinally {\n    __stop__.end(N, __try1__);\n}",
    ],
  ])("%s", (source, expected) => {
    notebook.code("declare function g(): void;");
    const code = output(source);
    const execution = /__stop__(?:\.\w+)?\((\d+)\)/.exec(code)?.[1] ?? "";
    expect(code.replaceAll("(0, __g.now)", "g").replaceAll("{ f: ", "")).toContain(expected.replaceAll("N", execution));
  });
});

test("import() goes to the kernel", () => {
  expect(output('const m = await import("./x" as string);')).toContain('0, __import__("./x", void 0), __stop__)');
});

test("no comment names a source map", () => {
  expect(output("const x = 1;")).not.toContain("sourceMappingURL");
});

test("a cell without code has no output", () => {
  expect(notebook.code("// nothing").output).toBeUndefined();
  expect(notebook.code("interface I { a: number }\ntype T = I;").output).toBeUndefined();
  expect(notebook.code("").output).toBeUndefined();
});

test("await at the top of a cell is noticed, and no other", () => {
  expect(notebook.code("await 1").hasToplevelAwait).toBe(true);
  expect(notebook.code("for await (const x of []) {}").hasToplevelAwait).toBe(true);
  expect(notebook.code("const f = async () => { await 1; for await (const x of []) {} };").hasToplevelAwait).toBe(
    false,
  );
});

test("each place of the compiled code leads to its place in the cell", () => {
  const source = [
    "const early = { n: 1 };",
    "interface Row {",
    "  a: number;",
    "}",
    "for (const i of [1]) {",
    "  const row: Row = { a: i }; markOne(row);",
    "}",
    "function f(x: number): number {",
    "  if (x > 0) { markTwo(); }",
    "  return x as number;",
    "}",
    "const g = () => { return { early }; }; markThree(g); let later = 4;",
    "markFour(later)",
  ].join("\n");
  notebook.code("declare function markOne(x: unknown): void; declare function markTwo(): void;");
  notebook.code("const markThree = (x: unknown) => x; const markFour = (x: unknown) => x;");
  const { output = "", maps } = notebook.code(source);
  for (const mark of ["markOne", "markTwo", "markThree", "markFour"]) {
    const lines = output.split("\n");
    const line = lines.findIndex((text) => text.includes(`__${mark}.now`));
    const column = (lines[line] as string).indexOf(`(0, __${mark}.now)`);
    const own = source.split("\n").findIndex((text) => text.includes(mark));
    const ownColumn = (source.split("\n")[own] as string).indexOf(mark);
    expect(originalPosition(maps, line + 1, column + 1), mark).toEqual({ line: own + 1, column: ownColumn + 1 });
  }
  // What the compiler put there itself comes from nowhere.
  expect(originalPosition(maps, 1, 1)).toBeUndefined();
  expect(originalPosition(maps, 10_000, 1)).toBeUndefined();
});

test("a line's first mapping stands for what is before it", () => {
  const { output = "", maps } = notebook.code("let where = 1;\n\nwhere += 2;");
  const line = output.split("\n").findIndex((text) => text.includes("__where.now += 2")) + 1;
  expect(originalPosition(maps, line, 1)).toEqual({ line: 3, column: 1 });
});

describe("diagnostics", () => {
  test("a chain of messages is one", () => {
    const found = notebook.errors(
      "\nconst q: { a: { b: number }; c: () => { d: string } } = { a: { b: 1 }, c: () => ({ d: 1 } as any as { d: Date }) };",
    );
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ file: undefined, line: 2, code: 2322 });
    expect(found[0]?.message.split("\n").length).toBeGreaterThan(1);
  });

  test("positions are from 1 and marks end with their line", () => {
    expect(notebook.errors("const a: number = `x\ny`;")).toMatchObject([{ line: 1, column: 7, length: 1, code: 2322 }]);
    expect(notebook.errors("1;\n  qqzzqqz + 1;")).toMatchObject([{ line: 2, column: 3, length: 7, code: 2304 }]);
    expect(notebook.errors("const o: { a: 1 } = {\n  b: 1,\n};")[0]).toMatchObject({ line: 2, column: 3 });
    const [whole] = notebook.errors("(function f(a: string) {\n  return a;\n})(1, \n2)");
    expect(whole?.line).toBe(4);
  });

  test("errors of syntax come alone, with places in the cell", () => {
    expect(notebook.errors("function f() {\n  return 1;")).toMatchObject([{ line: 2, column: 12, code: 1005 }]);
    expect(new Set(notebook.errors("const = 3; qqzzqqz();").map(({ code }) => code))).toEqual(new Set([1134]));
    expect(notebook.errors("const é = '😀' +;")).toMatchObject([{ line: 1, column: 17, code: 1109 }]);
  });

  test("at most 50", () => {
    expect(notebook.errors(Array.from({ length: 80 }, (_, i) => `nowhere${i};`).join("\n"))).toHaveLength(50);
  });

  test("a cell with errors changes nothing in scope", () => {
    notebook.code("const kept = 1;");
    notebook.errors("const kept: string = 2;");
    notebook.code("kept.toFixed()");
  });

  test("a cell that was not committed changes nothing in scope", () => {
    notebook.code("const stays = 1;");
    expect(notebook.cells.convert(100_000, "const stays = 'text';").kind).toBe("code");
    notebook.code("stays.toFixed()");
  });
});

describe("what every notebook has in scope", () => {
  const prelude = join(mkdtempSync(join(tmpdir(), "pomona-prelude-")), "prelude.d.ts");
  const text = [
    'import type { Session } from "pomona";',
    'import type * as functions from "pomona/functions";',
    "declare global { const session: Session; const col: typeof functions.col; function $show(x: unknown): void; }",
  ].join("\n");

  test("is typed in the first cell", () => {
    writeFileSync(prelude, text);
    const { output } = openNotebook({ prelude }).code('const d = session.range(5).select(col("id")); $show(d)');
    expect(output).toContain("__d.now = session.range(5)");
    expect(output).toContain("= $show(__d.now)");
  });

  test("is not read for a name that the notebook declares itself", () => {
    writeFileSync(prelude, `${text}\ndeclare global { interface Array<T> { marker(): T } }`);
    const own = openNotebook({ prelude });
    own.code("const session = 5;");
    own.code("session + 1");
    expect(own.errors("[1].marker()")).toHaveLength(1);
    own.code("$show");
    own.code("[1].marker()");
  });

  test("stays when a later cell does not mention it, and what a cell made of it keeps its type", () => {
    writeFileSync(prelude, text);
    const own = openNotebook({ prelude });
    own.code("const x = 1;");
    own.code("const df = session.range(5);");
    own.code("const y = x;");
    expect(own.errors("const n: number = df.count();")[0]?.message).toContain("Promise<number>");
  });

  test("gives way to the notebook's own names", () => {
    writeFileSync(prelude, text);
    const own = openNotebook({ prelude });
    own.code("session.range(1); ");
    own.code('import { col } from "pomona/functions"; const session = { mine: 1 }; col("a")');
    expect(own.code("session.mine + 1; const o = { session, col };").output).toContain("session: __session.now");
  });

  test("is prepared ahead", () => {
    const own = openNotebook();
    own.cells.warm();
    own.code("session.range(5); display(1); F.col('a'); await prompt('x')");
  });
});
