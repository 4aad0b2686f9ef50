#!/usr/bin/env node
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { inRoot } from "../scripts/setup/paths.mjs";
import { run } from "../scripts/setup/processes.mjs";
import { imageFolder, makeSample } from "./parts/sample.mjs";

const help = `npm run bench:memory -- --weights FILE [--backend NAME] [--small-only]

Peak resident memory of featurize and pca, by /usr/bin/time -v, on about 2,000 images and on the whole folder.`;

const { values } = parseArgs({
  options: {
    weights: { type: "string", default: "random" },
    backend: { type: "string", default: "auto" },
    "small-only": { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
});
const time = "/usr/bin/time";

if (values.help) console.log(help);
else if (!existsSync(time)) throw new Error(`${time} is missing; Debian's package "time" has it.`);
else {
  const work = mkdtempSync(join(tmpdir(), "pomona-memory-"));
  try {
    const small = join(work, "images");
    mkdirSync(small);
    await makeSample(small, 15);
    const all = imageFolder();
    const sources = values["small-only"] || !all ? [small] : [small, all];
    console.log("stage           rows  seconds   peak MiB");
    for (const source of sources) await measure(source, work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function measure(source, work) {
  const common = ["--partitions", "24", "--mode", "overwrite", "--json", "--quiet"];
  const network = ["--weights", values.weights, "--backend", values.backend];
  const features = join(work, "features");
  report("featurize", await timed(["featurize", source, features, ...network, ...common], work));
  report("pca", await timed(["pca", features, join(work, "pca"), "--k", "100", ...common], work));
}

/** Runs our command line under GNU time. */
async function timed(args, work) {
  const measured = join(work, "time.txt");
  const ours = [process.execPath, inRoot("dist", "cli", "main.js"), ...args];
  const printed = await run(time, ["-f", "%M", "-o", measured, ...ours], { cwd: work });
  const { rows, seconds } = JSON.parse(printed.trimEnd().split("\n").at(-1));
  return { rows, seconds, mebibytes: Number(await run("cat", [measured])) / 1024 };
}

function report(stage, { rows, seconds, mebibytes }) {
  const cells = [String(rows).padStart(8), seconds.toFixed(1).padStart(8), mebibytes.toFixed(0).padStart(10)];
  console.log(`${stage.padEnd(12)}${cells.join(" ")}`);
}
