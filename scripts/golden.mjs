#!/usr/bin/env node
import { readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inRoot } from "./setup/paths.mjs";
import { installPeer } from "./setup/peer.mjs";
import { run } from "./setup/processes.mjs";

const help = `npm run golden [-- NAME…]

Makes test/golden/NAME.json, what the real Spark, Pillow, Keras or numpy answers, by running test/golden/NAME.py in the
peer environment. Without a name: all of them. Unit tests read the answers; npm test checks that they are up to date.`;

export const goldenFolder = inRoot("test", "golden");

/** The names of the scripts; one whose name begins with `_` is a module of others. */
export function goldenNames() {
  const scripts = readdirSync(goldenFolder).filter((file) => file.endsWith(".py") && !file.startsWith("_"));
  return scripts.map((file) => basename(file, ".py")).sort();
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
      console.log(`test/golden/${name}.json`);
    }
  }
}
