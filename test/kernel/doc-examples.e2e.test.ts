import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openNotebook, packageRoot } from "./language-notebook";

/** What the examples of a page take for granted. */
const PAGES = [
  { page: "README.md", before: "", least: 3 },
  {
    page: "docs/guide.md",
    before: `import { resize } from "pomona/images";
      let fruits = spark.read.parquet("fruits"), prices = spark.read.parquet("prices"), images = fruits, features = fruits;`,
    least: 6,
  },
  { page: "docs/notebooks.md", before: "", least: 1 },
];

// docs/coming-from-pyspark.md has a test of its own.
it.each(PAGES)("the examples of $page compile as cells, one after the other", ({ page, before, least }) => {
  const blocks = [...readFileSync(join(packageRoot, page), "utf8").matchAll(/```ts\n([\s\S]*?)```/g)];
  expect(blocks.length).toBeGreaterThanOrEqual(least);
  const notebook = openNotebook();
  try {
    if (before) notebook.code(before);
    for (const [, block = ""] of blocks) expect(notebook.errors(block), block).toEqual([]);
  } finally {
    notebook.cells.close();
  }
});
