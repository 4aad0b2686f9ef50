import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openNotebook } from "./language-notebook";

test("a link to itself is a module that is not there, and no later cell minds it", () => {
  const notebook = openNotebook();
  symlinkSync("loop.ts", join(notebook.folder, "loop.ts"));
  expect(notebook.errors('import { x } from "./loop";')[0]?.code).toBe(2307);
  notebook.write("other.ts", "export const other = 1;");
  expect(notebook.errors("1 + 1")).toEqual([]);
});
