#!/usr/bin/env node
// Writes spark-VERSION.json: what another version of Spark answers otherwise than the pinned one.
// Usage: node test/conformance/other-version.mjs VERSION PYTHON, an interpreter that has PySpark of that version.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inRoot } from "../../scripts/setup/paths.mjs";
import { run } from "../../scripts/setup/processes.mjs";

const [version, python] = process.argv.slice(2);
const golden = (file) => inRoot("test", "golden", file);
const printed = await run(python, [golden("conformance.py")], { env: { PYSPARK_PYTHON: python } });
const theirs = JSON.parse(printed.trimEnd().split("\n").at(-1));
const pinned = JSON.parse(readFileSync(golden("conformance.json"), "utf8"));
const others = Object.entries(theirs)
  .filter(([key, answer]) => JSON.stringify(answer) !== JSON.stringify(pinned[key]))
  // What analysis refuses is refused here, by the pinned version's words, whatever Spark there is.
  .filter(([, answer]) => !/^AnalysisException/.test(answer.error ?? ""));
const lines = others.map(([key, answer]) => `  ${JSON.stringify(key)}: ${JSON.stringify(answer)}`);
writeFileSync(join(import.meta.dirname, `spark-${version}.json`), `{\n${lines.join(",\n")}\n}\n`);
console.log(`${others.length} of ${Object.keys(theirs).length} answers are other ones`);
