import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Notebook, openNotebook, packageRoot } from "./language-notebook";

let notebook: Notebook;
beforeAll(() => {
  notebook = openNotebook({ files: { "data.json": '{ "a": 1 }' } });
});

const page = readFileSync(join(packageRoot, "docs", "typescript.md"), "utf8");

describe("docs/typescript.md: the language", () => {
  test.each(rowsOf("The language"))("%s %s", async (_since, _what, cell, result) => {
    expect(await shown(notebook, codeIn(cell))).toBe(codeIn(result));
  });
});

test.each(rowsOf("What later cells know"))(
  "docs/typescript.md: what later cells know: %s",
  async (_, first, later, result) => {
    const own = openNotebook();
    const outcomes: string[] = [];
    for (const cell of [first, later])
      if (cell !== "") outcomes.push(await shown(own, codeIn(cell)).catch((error) => (error as Error).message));
    expect(outcomes.at(-1)).toBe(codeIn(result));
  },
);

describe("docs/typescript.md: compiler options", () => {
  test.each(rowsOf("A tsconfig.json beside the notebook"))("%s", async (option, _what, cell, without, having) => {
    const options = JSON.parse(`{ ${codeIn(option)} }`) as object;
    expect(await shown(openNotebook(), codeIn(cell))).toBe(codeIn(without));
    expect(await shown(withConfig({ compilerOptions: options }), codeIn(cell))).toBe(codeIn(having));
  });
});

/** A cell's result, or the first line of its first error. */
async function shown({ compile, execute }: Notebook, source: string): Promise<string> {
  const compiled = compile(source);
  if (compiled.kind === "code") return JSON.stringify(await execute(compiled));
  return compiled.kind === "diagnostics" ? (compiled.diagnostics[0]?.message.split("\n")[0] ?? "") : "";
}

/** The cells of the table below a heading. */
function rowsOf(heading: string): [string, string, string, string, string][] {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const lines = section.split("\n## ")[0]?.split("\n") ?? [];
  const rows = lines.filter((line) => line.startsWith("| ")).slice(1);
  return rows.map((row) => row.slice(2, -2).split(" | ") as [string, string, string, string, string]);
}

function codeIn(cell = ""): string {
  return cell
    .replace(/^`+|`+$/g, "")
    .replaceAll("\\|", "|")
    .replaceAll("⏎", "\n");
}

function withConfig(config: object | string, files: Readonly<Record<string, string>> = {}): Notebook {
  const text = typeof config === "string" ? config : JSON.stringify(config);
  return openNotebook({ files: { ...files, "tsconfig.json": text } });
}

describe("tsconfig.json beside the notebook", () => {
  test("strict, which cells are not without it", async () => {
    const source = "function size(x: string | null) { return x.length } size('abc')";
    expect(await notebook.run(source)).toBe(3);
    expect(withConfig({ compilerOptions: { strict: true } }).errors(source)).toMatchObject([
      { message: "'x' is possibly 'null'.", line: 1, column: 42 },
    ]);
  });

  test("strict holds across cells, for pomona's own names, and in the user's files", () => {
    const strict = withConfig({ compilerOptions: { strict: true } }, { "lib.ts": "export const f = (x) => x;" });
    strict.code("let name: string | undefined; const df = session.range(3); df.filter(col('id').gt(1));");
    expect(strict.errors("name.length")).toMatchObject([{ message: "'name' is possibly 'undefined'." }]);
    expect(strict.errors('import { f } from "./lib"; f(1)')).toMatchObject([{ file: "lib.ts" }]);
  });

  test("paths, also those of a file that it extends", async () => {
    const base = { compilerOptions: { paths: { "@lib/*": ["./source/*"] } } };
    const { run } = withConfig(
      { extends: "./base.json" },
      {
        "base.json": JSON.stringify(base),
        "source/two.ts": "export const two: number = 2;",
        "source/three.ts": 'import { two } from "@lib/two"; export const three = two + 1;',
      },
    );
    expect(await run('import { two } from "@lib/two"; two')).toBe(2);
    expect(await run('(await import("@lib/three")).three + require("@lib/two").two')).toBe(5);
  });

  test("target, between what an await at the top needs and what Node runs", async () => {
    const code = (target: string) =>
      withConfig({ compilerOptions: { target } }).code("const v = await 1; v ?? 2").output;
    expect(code("ES2019")).not.toContain("??");
    expect(code("ES5")).toMatch(/await [^;]*\b1\b/);
    expect(code("ESNext")).toContain("??");
    const latest = withConfig({ compilerOptions: { target: "ESNext" } });
    expect(
      await latest.run("const log: number[] = []; { using _ = { [Symbol.dispose]: () => log.push(1) } } log"),
    ).toEqual([1]);
  });

  test("decorators of before the standard", async () => {
    const old = withConfig({ compilerOptions: { experimentalDecorators: true } });
    const source =
      "const seen: string[] = []; function dec(_: object, name: string) { seen.push(name) } class A { @dec f() {} } seen[0]";
    expect(await old.run(source)).toBe("f");
    expect(notebook.errors(source.replaceAll("seen", "seen2"))).not.toEqual([]);
  });

  test("jsx, in the user's files", async () => {
    const react = "exports.jsx = exports.jsxs = (type, props) => ({ type, props });";
    const { run } = withConfig(
      { compilerOptions: { jsx: "react-jsx", jsxImportSource: "mini" } },
      {
        "node_modules/mini/package.json": '{ "name": "mini", "exports": { "./jsx-runtime": "./jsx-runtime.js" } }',
        "node_modules/mini/jsx-runtime.js": react,
        "view.tsx":
          "declare global { namespace JSX { interface IntrinsicElements { b: object } } }\nexport const view = <b>bold</b>;",
      },
    );
    await expect(run('import { view } from "./view"; (view as any).props.children')).resolves.toBe("bold");
  });

  test("types and libraries of a browser, beside Node's", async () => {
    const { code } = withConfig({ compilerOptions: { lib: ["ES2020", "DOM"], types: [] } });
    code("const f = (e: HTMLElement) => e.innerHTML; process.version; [1].toSorted()");
  });

  test("says nothing of where modules come from, nor of files that are written", async () => {
    const { run } = withConfig({
      include: ["nothing"],
      compilerOptions: {
        module: "AMD",
        moduleResolution: "Classic",
        outDir: "x",
        noEmit: true,
        verbatimModuleSyntax: true,
        isolatedModules: true,
      },
    });
    expect(
      await run(
        'import { readFileSync } from "node:fs"; import { col } from "pomona/functions"; typeof col + typeof readFileSync',
      ),
    ).toBe("functionfunction");
  });

  test.each<[string, string, object]>([
    ["that is no JSON", "{ oops", { file: "tsconfig.json", line: 1 }],
    [
      "with an unknown option",
      '{\n "compilerOptions": { "strct": true } }',
      { line: 2, message: expect.stringContaining("Unknown compiler option 'strct'") },
    ],
    [
      "with a wrong value",
      '{ "compilerOptions": { "target": "ES1999" } }',
      { message: expect.stringContaining("'--target'") },
    ],
    ["that extends nothing", '{ "extends": "./none.json" }', { message: expect.stringContaining("none.json") }],
  ])("one %s is an error of every cell", (_, text, error) => {
    const { errors } = withConfig(text);
    expect(errors("1")).toMatchObject([{ ...error, message: expect.stringContaining("restart the kernel") }]);
    expect(errors("1")[0]).toMatchObject(error);
  });
});
