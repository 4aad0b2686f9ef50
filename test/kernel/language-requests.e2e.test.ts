import { join } from "node:path";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";
import { toCodePoints, toUnits } from "../../kernel-ext/src/language/code-points";
import { completeReply } from "../../kernel-ext/src/language/completion";
import { inspectReply } from "../../kernel-ext/src/language/inspection";
import { isCompleteReply } from "../../kernel-ext/src/language/is-complete";
import { type Notebook, openNotebook, packageRoot } from "./language-notebook";

let notebook: Notebook;
beforeAll(() => {
  notebook = openNotebook({
    files: { "lib/stats.ts": "export const mean = 1;", "../shared.ts": "export {}", "note.txt": "" },
  });
  notebook.code("/** The table. */\nconst lut = [1, 2, 3];\nconst später = 1; class Shape { area = 1 }");
  notebook.code(
    "/**\n * Adds.\n * @param a - the first\n * @returns the sum\n */\nfunction add(a: number, b = 1): number { return a + b; }",
  );
});

/** The cursor is where `|` stands. */
function complete(marked: string) {
  const position = marked.indexOf("|");
  return completeReply(notebook.cells, marked.replace("|", ""), position) as unknown as {
    matches: string[];
    cursor_start: number;
    cursor_end: number;
    metadata: { _jupyter_types_experimental: { text: string; type: string; start: number; end: number }[] };
  };
}

function inspect(marked: string) {
  const position = marked.indexOf("|");
  return inspectReply(notebook.cells, marked.replace("|", ""), position) as unknown as {
    found: boolean;
    data: Record<string, string>;
  };
}

describe("completion", () => {
  test.each([
    ["a variable of an earlier cell", "lu|", ["lut"], 0, 2],
    ["what every notebook has", "const s = ses|", ["session"], 10, 13],
    ["a member", "lut.ma|", ["map"], 4, 6],
    ["a member after await", "await session.read.|", ["csv", "parquet", "load"], 19, 19],
    ["a member of a DataFrame", "session.range(5).withC|", ["withColumn"], 17, 22],
    ["a member in the middle of a name", "lut.ma|p(x => x)", ["map"], 4, 7],
    ["a member before other lines", "lut.|\nconst other = 1;", ["map", "filter"], 4, 4],
    ["without regard to case", "LU|", ["lut"], 0, 2],
    ["a property of an object literal", "const o: { width: number } = { wi| }", ["width"], 31, 33],
    ["a string of a union", 'session.range(1).write.mode("ov|")', ["overwrite"], 29, 31],
    ["a local file", 'import { mean } from "./lib/st|"', ["stats"], 28, 30],
    ["a folder", 'import { mean } from "./l|"', ["lib"], 24, 25],
    ["a file above", 'import {} from "../sh|"', ["shared"], 19, 21],
    ["a file in an unfinished import", 'import { mean } from "./lib/|', ["stats"], 28, 28],
    ["the package's entries", 'import { col } from "pomona/f|"', ["pomona/functions"], 21, 29],
    ["an import's name", 'import { me| } from "./lib/stats"', ["mean"], 9, 11],
    ["a built-in module's name", 'import { readFileS| } from "node:fs"', ["readFileSync"], 9, 18],
    ["a keyword", "awai|", ["await"], 0, 4],
    ["a magic", "%%sq|", ["%%sql"], 0, 4],
    ["a magic by one sign", "%sq|", ["%%sql"], 0, 3],
    ["all magics", "%%|", ["%%info", "%%time", "%%help"], 0, 2],
    ["a magic's option", "%%sql -|", ["-o", "-n"], 6, 7],
    ["what help is about", "%%help co|", ["configure"], 7, 9],
    ["TypeScript below a magic", "%%time\nlut.ma|", ["map"], 11, 13],
  ])("%s", (_, marked, expected, start, end) => {
    const reply = complete(marked);
    expect(reply.matches).toEqual(expect.arrayContaining(expected));
    expect([reply.cursor_start, reply.cursor_end]).toEqual([start, end]);
    expect(reply.metadata._jupyter_types_experimental.map(({ text }) => text)).toEqual(reply.matches);
    expect(reply.metadata._jupyter_types_experimental[0]).toMatchObject({ start, end });
  });

  test("names of the notebook come first", () => {
    expect(complete("|").matches.slice(0, 4).sort()).toEqual(["Shape", "add", "lut", "später"]);
  });

  test("no TypeScript where there is none", () => {
    expect(complete("%%sql\nSELECT lu|").matches).toEqual([]);
    expect(complete("%%bash\nech|").matches).toEqual([]);
  });

  test("offsets are in code points", () => {
    const text = 'const é = "😀😀"; spät';
    const reply = completeReply(notebook.cells, text, text.length) as { cursor_start: number; cursor_end: number };
    expect([reply.cursor_start, reply.cursor_end]).toEqual([16, 20]);
    expect(toUnits("😀a😀b", 3)).toBe(5);
    expect(toCodePoints("😀a😀b", 5)).toBe(3);
    expect(toUnits("ab", 9)).toBe(2);
  });

  test("each match has its type", () => {
    const typeOf = (marked: string, name: string) =>
      complete(marked).metadata._jupyter_types_experimental.find(({ text }) => text === name)?.type;
    expect(typeOf("lu|", "lut")).toBe("variable");
    expect(typeOf("ad|", "add")).toBe("function");
    expect(typeOf("Sha|", "Shape")).toBe("class");
    expect(typeOf("lut.ma|", "map")).toBe("method");
    expect(typeOf("lut.len|", "length")).toBe("property");
    expect(typeOf("awai|", "await")).toBe("keyword");
    expect(typeOf('import {} from "./l|"', "lib")).toBe("path");
    expect(typeOf("%%i|", "%%info")).toBe("magic");
  });

  test("what a running cell declares is offered while it runs", () => {
    notebook.cells.convert(90_001, "const whileRunning = 1; for (;;) {}");
    expect(complete("whileR|").matches).toContain("whileRunning");
  });
});

describe("inspection", () => {
  test.each(["add(1, |", "add( |", "const sum = add(1,  |"])(
    "of a call that is being written, behind a space: %s",
    (marked) => {
      expect(inspect(marked).found).toBe(true);
      expect(inspect(marked).data["text/plain"]).toMatch(/add/);
    },
  );

  test("tells type, documentation and tags", () => {
    const { found, data } = inspect("ad|d(1)");
    expect(found).toBe(true);
    expect(data["text/plain"]).toBe(
      "function add(a: number, b?: number): number\n\nAdds.\n@param a - the first\nthe sum",
    );
    expect(data["text/markdown"]).toBe(
      "```ts\nfunction add(a: number, b?: number): number\n```\n\nAdds.\n\n*@param* `a`: the first\n\n*@returns* the sum",
    );
  });

  test.each([
    ["at a name's end", "lut|", "const lut: number[]"],
    ["at its documentation", "lut|", "The table."],
    ["at a member", "session.ran|ge(5)", "DataFrame<"],
    ["behind the bracket of a call", "add(|1)", "function add"],
    ["among a call's arguments", "add(1, |)", "function add"],
    ["behind the bracket of new", "new Shape(|)", "Shape"],
    ["at what every notebook has", "col|", "functions.col"],
    ["at a magic", "%%sq|l\nSELECT 1", "%%sql [-o name]"],
    ["below a magic", "%%time\nlu|t", "const lut"],
  ])("%s", (_, marked, part) => {
    const { found, data } = inspect(marked);
    expect(found).toBe(true);
    if (part !== "functions.col") expect(data["text/plain"]).toContain(part);
    expect(data["text/markdown"]).toContain("```");
  });

  test.each(["qqzzq|q", "let q = |5", "|", "%%sql\nSELECT l|ut"])("nothing at %s", (marked) => {
    expect(inspect(marked)).toEqual({ status: "ok", found: false, data: {}, metadata: {} });
  });
});

/** What is parsed on demand here is what a language service knows that parses all. */
describe("documentation", () => {
  const CODE = `import { readFileSync, promises } from "node:fs";
import { EventEmitter } from "node:events";
import * as path from "node:path";
/** The base. */
class Base {
  /** Opens it. @see {@link Base.close} */
  open(): void {}
  /**
   * Closes it.
   * @deprecated use {@link Base.open}
   */
  close(): void {}
}
class Derived extends Base { override open(): void {} override close(): void {} }
interface Options {
  /** How many. @default 5 */
  count: number;
}
/**
 * A sum.
 * @param a the first
 * @param b the second
 * @example
 * sum(1, 2)
 */
function sum(a: number, b: number): number;
/** A joined text. */
function sum(a: string, b: string): string;
function sum(a: any, b: any): any { return a + b; }
const options: Options = { count: 5 };
"abc".replaceAll("a", "b"); [1].map(String); Promise.all([]); readFileSync("x"); promises.readFile("x"); new EventEmitter().once("x", () => {});
path.join("a"); escape("x"); structuredClone(1); new Derived().open(); new Derived().close(); options.count; sum(1, 2); sum("a", "b"); Math.hypot(3); Buffer.from("x");`;
  const service = ts.createLanguageService({
    getCompilationSettings: () => ({
      types: ["node"],
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      lib: ["lib.es2023.d.ts"],
    }),
    getScriptFileNames: () => [join(packageRoot, "cell.ts")],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => {
      const text = name.endsWith("/cell.ts") ? CODE : ts.sys.readFile(name);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => packageRoot,
    getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
    fileExists: (name) => name.endsWith("/cell.ts") || ts.sys.fileExists(name),
    readFile: ts.sys.readFile,
    directoryExists: ts.sys.directoryExists,
  });
  const names = [...CODE.matchAll(/(?:^|[^\w{*/.@-])(?:await )?((?:\w+\.)*(\w+))\(/gm)].map(
    ({ index, 0: all }) => index + all.length - 2,
  );

  test("is the same", () => {
    const told = names.flatMap((position) => {
      const ours = notebook.cells.inspect(CODE, position);
      const theirs = service.getQuickInfoAtPosition(join(packageRoot, "cell.ts"), position);
      const of = (info: ts.QuickInfo | undefined) => ({
        at: CODE.slice(position - 8, position + 2),
        docs: (info?.documentation ?? []).map(({ text }) => text).join(""),
        tags: (info?.tags ?? []).map(({ name, text = [] }) => [name, text.map((part) => part.text).join("")]),
      });
      expect(of(ours)).toEqual(of(theirs));
      return of(ours).docs === "" ? [] : [of(ours)];
    });
    expect(told.length).toBeGreaterThan(15);
    expect(told.flatMap(({ tags }) => tags.map(([name]) => name))).toEqual(
      expect.arrayContaining(["param", "deprecated", "see", "example"]),
    );
  });
});

describe("completeness", () => {
  test.each([
    "1 + 1",
    "",
    "await x",
    "const x = 5;;",
    "function f() {}",
    "for await (const a of b) {}",
    "%%info",
    "%%sql\nSELECT 1\n",
    "%%sql SELECT 1\n\n",
    "%%time\nawait f()",
    "%%nosuch",
  ])("complete: %j", (source) => {
    expect(isCompleteReply(source)).toEqual({ status: "complete" });
  });

  test.each([
    ["function f() {", "  "],
    ["if (x) {\n  foo(", "    "],
    ["const x = ", ""],
    ["const x = [1,", "  "],
    ["foo(1,", "  "],
    ["a.", ""],
    ["`text", ""],
    ["`a ${", "  "],
    ["/* comment", ""],
    ["const f = (x) =>", "  "],
    ["if (a) { // why", "  "],
    ["class A {\n  m() {\n    return 1;", "    "],
    ["do { f(); }", ""],
    ["%%sql\nSELECT 1", ""],
    ["%%time\nfor (;;) {", "  "],
    ["%%time", ""],
  ])("incomplete: %j", (source, indent) => {
    expect(isCompleteReply(source)).toEqual({ status: "incomplete", indent });
  });

  test.each(["}", "const const = 1", "class A { foo( }", '"abc', "else", "const x = ) {", "%%time\n}"])(
    "invalid: %j",
    (source) => {
      expect(isCompleteReply(source)).toEqual({ status: "invalid" });
    },
  );
});
