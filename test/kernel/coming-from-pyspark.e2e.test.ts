import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pomona from "pomona";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Notebook, openNotebook, packageRoot } from "./language-notebook";

const page = readFileSync(join(packageRoot, "docs", "coming-from-pyspark.md"), "utf8");

let notebook: Notebook;
beforeAll(() => {
  notebook = openNotebook();
  notebook.code(`import { FloatProgress } from "pomona/widgets"; import { efficientNetB0, resNet50 } from "pomona/models"; import { screePlot } from "pomona/plot"; import { validate } from "pomona";
let df = spark.read.parquet("x"); const path = "x"; const k = "spark.a", v = "1", x = [1], rows = [{ a: 1 }];`);
});
afterAll(() => notebook.cells.close());

it("its code compiles, cell by cell", () => {
  const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code);
  expect(blocks.length).toBeGreaterThan(2);
  for (const block of blocks) expect(notebook.errors(block)).toEqual([]);
  notebook.code(
    'const estimator = new PCA({ k: 2, inputCol: "a", outputCol: "b" }); const conf = new SparkConf(); const builder = SparkSession.builder;',
  );
});

/** What a table's second column gives as a name or an expression. */
const names = page
  // Which engine does what is no name.
  .replace(/\n## What runs where\n[\s\S]*?(?=\n## )/, "")
  .split("\n")
  .filter((line) => /^\| .*\|$/.test(line) && !/^\|---/.test(line))
  .flatMap((line) => [...(line.split(/(?<!\\)\|/)[2] ?? "").matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text))
  .filter((text) => !text.startsWith("%%") && !text.startsWith("pomona/") && !text.startsWith("."));

it("every name that it gives exists", () => {
  expect(names.length).toBeGreaterThan(60);
  const missing = names.flatMap((name) => {
    const code = name
      .replaceAll("set(…)", 'set("a", "b")')
      .replace("setAppName(…)", 'setAppName("P8")')
      .replace("{ … }", '{ inputCol: "a", outputCol: "b" }')
      .replace("{ k }", '{ k: 2, inputCol: "a", outputCol: "b" }')
      .replace("batchUdf(fn,", "batchUdf((xs) => xs,");
    return notebook.errors(`(${code})`).map(({ message }) => `${name}: ${message}`);
  });
  expect(missing).toEqual([]);
});

it("the package exports what a script imports for it", () => {
  for (const name of ["SparkSession", "SparkConf", "SparkContext", "Session", "validate", "copyTree"])
    expect(pomona).toHaveProperty(name);
});
