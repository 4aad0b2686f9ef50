#!/usr/bin/env node
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inRoot } from "./setup/paths.mjs";
import { installPeer } from "./setup/peer.mjs";
import { run } from "./setup/processes.mjs";
import { filesBelow, fingerprint } from "./setup/stamp.mjs";

const help = `npm run golden [-- NAME…]

Makes test/golden/NAME.json, what the real Spark, Pillow, Keras or numpy answers, by running test/golden/NAME.py in the
peer environment. Without a name: all of them. Unit tests read the answers. npm test checks that each answer is the one that
its script, what that reads and the pinned packages gave (made-by.json), and asks the quick ones anew; all of them:
POMONA_GOLDEN=all npm test -- test/golden`;

export const goldenFolder = inRoot("test", "golden");

/** The names of the scripts; one whose name begins with `_` is a module of others. */
export function goldenNames() {
  const scripts = readdirSync(goldenFolder).filter((file) => file.endsWith(".py") && !file.startsWith("_"));
  return scripts.map((file) => basename(file, ".py")).sort();
}

/** What scripts read besides modules of their folder. */
const inputs = {
  conformance: ["test/conformance/cases", "test/conformance/frames.json"],
  "spark-parquet-files": ["test/fixtures/parquet/files.json"],
  image_source: ["test/golden/image_decode.json"],
};

const madeByFile = join(goldenFolder, "made-by.json");

/** What each answer was made by, as it was noted then. @returns {Record<string, string>} */
export const notedMakers = () => JSON.parse(readFileSync(madeByFile, "utf8"));

/** A digest of an answer with all that it comes from: script, modules, other files, packages. */
export function makerOf(name) {
  const script = join(goldenFolder, `${name}.py`);
  const found = new Set([script]);
  for (const file of found) {
    for (const [, module] of readFileSync(file, "utf8").matchAll(/^\s*(?:from|import) (_\w+)/gm)) {
      const path = join(goldenFolder, `${module}.py`);
      if (existsSync(path)) found.add(path);
    }
  }
  const others = (inputs[name] ?? []).flatMap((path) =>
    path.endsWith(".json") ? [inRoot(path)] : filesBelow(inRoot(path)),
  );
  const packages = ["peer.txt", "peer.lock.txt"].map((file) => inRoot("scripts", "setup", file));
  return fingerprint({ files: [...found, ...others, ...packages, join(goldenFolder, `${name}.json`)] });
}

/** Runs one script. @returns {Promise<string>} the JSON that it printed last, a line for each entry at the top */
export async function goldenText(name) {
  const { python, env } = await installPeer();
  const printed = await run(python, [join(goldenFolder, `${name}.py`)], { env });
  return formatted(JSON.parse(printed.trimEnd().split("\n").at(-1)));
}

function formatted(value) {
  const lines = (open, items, close) => `${open}\n${items.map((item) => `  ${item}`).join(",\n")}\n${close}\n`;
  if (Array.isArray(value))
    return lines(
      "[",
      value.map((item) => JSON.stringify(item)),
      "]",
    );
  return lines(
    "{",
    Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${JSON.stringify(item)}`),
    "}",
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2);
  if (names.includes("--help")) console.log(help);
  else {
    for (const name of names.length > 0 ? names : goldenNames()) {
      writeFileSync(join(goldenFolder, `${name}.json`), await goldenText(name));
      const makers = { ...(existsSync(madeByFile) ? notedMakers() : {}), [name]: makerOf(name) };
      writeFileSync(madeByFile, formatted(Object.fromEntries(Object.entries(makers).sort())));
      console.log(`test/golden/${name}.json`);
    }
  }
}
