import { afterAll, beforeAll, expect, test } from "vitest";
import type { SourceFunction } from "../../src/data/batch-function";
import type { Column } from "../../src/frame/column";
import { udf } from "../../src/frame/udf";
import { type ConnectedNotebook, connectNotebook } from "../kernel/language-notebook";
import { startUdfWorker, type TestColumn, type UdfWorker } from "./udf-worker";

// Functions of cells that the kernel compiled: with guards, and with their lines elsewhere than in the cell.
let notebook: ConnectedNotebook;
let worker: UdfWorker;
beforeAll(() => {
  notebook = connectNotebook();
  worker = startUdfWorker();
});
afterAll(async () => {
  notebook.close();
  await worker.close();
});

function specOf({ expression }: Column): SourceFunction {
  if (expression.kind !== "batch" || expression.fn.kind !== "source") throw new Error(expression.kind);
  return expression.fn;
}

const strings = (...values: (string | null)[]): TestColumn => ({ name: "s", type: "string", values });

test("an error shows the cell, the line and its TypeScript", async () => {
  const fn = await notebook.run(
    [
      "interface Row {",
      "  a: number;",
      "}",
      "const measure = (text: string | null): number => {",
      "  // How many there are.",
      '  const parts: string[] = (text as string).split(",");',
      "  return parts.length;",
      "};",
      "measure",
    ].join("\n"),
  );
  const { error } = await worker.column(udf(fn, { returns: "double" })("s"), [strings("a,b", null)]);
  expect(error?.name).toBe("UserFunctionError");
  expect(error?.message).toBe(
    "measure failed on row 1 of its input: TypeError: Cannot read properties of null (reading 'split')\n\n" +
      '  6 |   const parts: string[] = (text as string).split(",");\n' +
      "    |                                            ^\n",
  );
  expect(error?.stack.split("\n").at(-1)).toBe(`    at ${notebook.lastCell}:6:44`);
});

test("a word that stands twice is the right one", async () => {
  const fn = await notebook.run("const pick = (x: any): any => x.x?.y ?? x.x.y;\npick");
  const { error } = await worker.column(udf(fn, { returns: "string" })("s"), [strings("a")]);
  expect(error?.stack.split("\n").at(-1)).toBe(`    at ${notebook.lastCell}:1:45`);
});

test("loops and import() work, without what the kernel put in", async () => {
  const fn = await notebook.run(
    [
      "const longest = async (s: string): Promise<string> => {",
      '  const { basename } = await import("node:path");',
      '  let out = "";',
      '  for (const part of s.split(" ")) { if (part.length > out.length) out = part; }',
      "  while (out.length < 3) out += '.';",
      "  try { await Promise.reject(new Error(out)); } catch (e) { out = await Promise.resolve(e.message).then((x) => String(x)).catch(() => ''); }",
      "  for await (const x of [Promise.resolve('')]) out += x;",
      "  return basename(out);",
      "};",
      "longest",
    ].join("\n"),
  );
  const column = udf(fn, { returns: "string" })("s");
  expect(specOf(column).code).not.toMatch(/__stop__|__import__/);
  expect(specOf(column).cellOrigin?.cell).toBe(notebook.lastCell);
  const outcome = await worker.column(column, [strings("a bb ccc/dddd", "a")]);
  expect(outcome.values).toEqual(["dddd", "a.."]);
});

test("a function that is not a cell's own travels without guards too", async () => {
  const text =
    "(s) => {\n  __stop__(0);\n  for (const c of s) { __stop__(0); if (c === 'x') return 1; }\n  return 0;\n}";
  const column = udf(new Function(`return ${text}`)(), { returns: "double" })("s");
  expect(specOf(column).cellOrigin).toBeUndefined();
  expect(specOf(column).code).not.toContain("__stop__");
  expect((await worker.column(column, [strings("axb", "b")])).values).toEqual([1, 0]);
});

test("a variable that is not part of it is named as in the cell", async () => {
  await notebook.run("const lut = [1, 2];");
  const fn = await notebook.run("const look = (s: string): number => { for (;;) return lut[s.length]; };\nlook");
  expect(() => udf(fn, { returns: "double" })).toThrow(/uses `lut`/);
});
