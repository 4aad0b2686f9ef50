#!/usr/bin/env node
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeKernelspec } from "../scripts/setup/kernelspec.mjs";
import { inRoot, venvPython } from "../scripts/setup/paths.mjs";
import { run } from "../scripts/setup/processes.mjs";
import { setup } from "../scripts/setup.mjs";
import { formatKernels, summarizeKernels } from "./parts/kernel-report.mjs";

const help = `npm run bench:kernel [-- options]

Times three kernels side by side through one Python client (jupyter_client): stock tslab, this one, ipykernel.
Each round runs them one after the other, in changing order; figures are medians over the rounds, "x" is the median of the
ratios to stock tslab within a round. Times of a start are from the start of the process.

  --rounds N    rounds                                          [5]
  --lines N     lines that the output cell prints               [20000]
  --trips N     cells of the round trip                         [200]
  --patience S  seconds to wait for a reply or an output's end  [30]
  --json        one JSON object instead of the table
  --help        this text`;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    lines: { type: "string", default: "20000" },
    trips: { type: "string", default: "200" },
    patience: { type: "string", default: "30" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
});
const note = (text) => console.error(text);
const base = "tslab 1.0.22";

if (values.help) console.log(help);
else {
  const work = mkdtempSync(join(tmpdir(), "pomona-bench-"));
  try {
    await bench(work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function bench(work) {
  // Set-up speaks on stdout, which belongs to the figures here.
  const { log } = console;
  console.log = note;
  const { ready, missing } = await setup();
  console.log = log;
  if (!ready || missing.includes("jupyter")) throw new Error("Set-up failed; nothing was measured.");
  await writeKernelspec(work, process.execPath);
  writeStockKernelspec(work);
  note(`${cpus()[0]?.model}, ${cpus().length} CPUs, Node ${process.versions.node}`);
  const kernels = kernelJobs(Number(values.lines));
  const rounds = [];
  for (let i = 0; i < Number(values.rounds); i++) {
    const results = {};
    // Each comes first, second and third in turn.
    const order = kernels.map((_, n) => kernels[(n + i) % kernels.length]);
    for (const { name, ...job } of order) {
      results[name] = await measured(name, job, work);
      const { ready: seconds, firstCell, output } = results[name];
      const printed = output.seconds === null ? `no idle, ${output.lines} lines` : `${output.seconds.toFixed(2)} s`;
      note(
        `round ${i + 1}: ${name}: ready ${seconds.toFixed(2)} s, first cell ${firstCell.toFixed(2)} s, output ${printed}`,
      );
    }
    rounds.push(Object.fromEntries(kernels.map(({ name }) => [name, results[name]])));
  }
  const summary = summarizeKernels(rounds, base);
  const settings = { base, lines: Number(values.lines) };
  console.log(values.json ? JSON.stringify({ ...settings, summary, rounds }) : `\n${formatKernels(summary, settings)}`);
}

/** What each kernel runs: the same, in its language. */
function kernelJobs(lines) {
  const typescript = {
    first: "const a: number = 1; a + 1",
    trip: "1 + 1",
    print: `for (let i = 0; i < ${lines}; i++) console.log("line " + i);`,
    touches: {},
  };
  return [
    { name: base, kernel: "stock-tslab", ...typescript },
    { name: "pomona", kernel: "pomona", ...typescript, touches: { col: 'col("label")', session: "session" } },
    {
      name: "ipykernel",
      kernel: "python3",
      first: "a: int = 1; a + 1",
      trip: "1 + 1",
      print: `for i in range(${lines}): print("line " + str(i))`,
      touches: {},
    },
  ];
}

/** Stock tslab now and then stops answering; such a run has no figures, and is made again. */
async function measured(name, job, work) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await measure(job, work);
    } catch (error) {
      const reason = error.message
        .trimEnd()
        .split("\n")
        .find((line) => line.startsWith("TimeoutError"));
      if (!reason || attempt === 3) throw error;
      note(`${name} is measured again: ${reason}`);
    }
  }
}

async function measure(job, work) {
  const settings = { cwd: inRoot("notebooks"), trips: Number(values.trips), patience: Number(values.patience), ...job };
  const client = inRoot("bench", "parts", "kernel_client.py");
  const printed = await run(venvPython(inRoot(".venv")), [client, JSON.stringify(settings)], {
    env: { JUPYTER_PATH: work },
  });
  return JSON.parse(printed.trimEnd().split("\n").at(-1));
}

function writeStockKernelspec(dataDir) {
  const folder = join(dataDir, "kernels", "stock-tslab");
  mkdirSync(folder, { recursive: true });
  const tslab = inRoot("node_modules", "tslab", "bin", "tslab");
  // The two last are apart because tslab takes `--config-path=` followed by a space for a path of its own.
  const argv = [process.execPath, tslab, "kernel", "--config-path", "{connection_file}"];
  writeFileSync(join(folder, "kernel.json"), JSON.stringify({ argv, display_name: base, language: "typescript" }));
}
