#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { executeNotebook } from "./execute-notebook.mjs";
import { inRoot } from "./setup/paths.mjs";
import { setup } from "./setup.mjs";

const help = `npm run quickstart [-- --images DIR]

Sets the checkout up, then executes notebooks/workflow.ipynb from the first cell to the last: images, features,
scaling, PCA, Parquet, validation. Leaves out/workflow.ipynb and out/workflow.html.

  --images DIR   a folder of images, one folder a class; else the notebook's own choice
  --help         this text`;

const source = inRoot("notebooks", "workflow.ipynb");
const executed = inRoot("out", "workflow.ipynb");
const html = inRoot("out", "workflow.html");

const { values } = parseArgs({ options: { images: { type: "string" }, help: { type: "boolean", short: "h" } } });
if (values.help) console.log(help);
else process.exitCode = await quickstart(values.images);

async function quickstart(images) {
  if (images && !existsSync(images)) {
    console.error(`There is no folder ${resolve(images)}.`);
    return 2;
  }
  const { ready, missing } = await setup();
  if (!ready || missing.includes("jupyter")) {
    console.error("The notebook cannot be executed without what set-up could not make (see above).");
    return 1;
  }
  const started = performance.now();
  console.log(`Executing ${relative(inRoot(), source)}`);
  try {
    await executeNotebook(source, executed, { parameters: images ? { images: resolve(images) } : {} });
  } catch (error) {
    console.error(error.message);
    return 1;
  }
  summarize(((performance.now() - started) / 1000).toFixed(1));
  return 0;
}

/** What came out: the notebook's last words, and where to look. */
function summarize(seconds) {
  const { cells } = JSON.parse(readFileSync(executed, "utf8"));
  const outputs = cells.flatMap((cell) => cell.outputs ?? []);
  const texts = outputs.filter((output) => output.output_type === "stream" && output.name === "stdout");
  const last = texts.length ? [texts[texts.length - 1].text].flat().join("") : "";
  const code = cells.filter((cell) => cell.cell_type === "code").length;
  const shown = outputs.filter((output) => output.output_type === "display_data").length;
  if (last.trim()) console.log(`\n${last.trimEnd().split("\n").slice(-20).join("\n")}\n`);
  console.log(`${code} cells executed in ${seconds} s, ${shown} plots, images and tables.`);
  for (const file of [executed, html]) console.log(`  ${relative(inRoot(), file)}`);
  console.log("Open out/workflow.html in a browser, or the notebooks with: npm run lab");
}
