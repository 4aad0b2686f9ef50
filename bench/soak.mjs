#!/usr/bin/env node
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeKernelspec } from "../scripts/setup/kernelspec.mjs";
import { inRoot, venvPython } from "../scripts/setup/paths.mjs";
import { run } from "../scripts/setup/processes.mjs";
import { setup } from "../scripts/setup.mjs";

const help = `npm run bench:soak [-- options]

Resident memory of this kernel and of ipykernel over many cells, each of which declares values and a function anew, prints and
has a result. A collector works in waves: what tells a leak is the lowest of each quarter of the run.

  --cells N     cells                                  [10000]
  --every N     cells between two looks at the memory  [100]
  --patience S  seconds to wait for a reply            [60]
  --help        this text`;

const { values } = parseArgs({
  options: {
    cells: { type: "string", default: "10000" },
    every: { type: "string", default: "100" },
    patience: { type: "string", default: "60" },
    help: { type: "boolean", short: "h" },
  },
});

const TYPESCRIPT = `const rows = Array.from({ length: 1000 }, (_, n) => ({ n, text: "row " + n }));
function total(of: typeof rows) { let sum = 0; for (const { n } of of) sum += n; return sum + {i}; }
class Counter { count = {i}; up() { return ++this.count; } }
console.log(rows.length, new Counter().up()); total(rows)`;

const PYTHON = `rows = [{"n": n, "text": "row " + str(n)} for n in range(1000)]
def total(of): return sum(row["n"] for row in of) + {i}
class Counter:
    def __init__(self): self.count = {i}
    def up(self): self.count += 1; return self.count
print(len(rows), Counter().up()); total(rows)`;

if (values.help) console.log(help);
else {
  const work = mkdtempSync(join(tmpdir(), "pomona-soak-"));
  try {
    await soak(work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function soak(work) {
  const { log } = console;
  // Set-up speaks on stdout, which belongs to the figures here.
  console.log = (text) => console.error(text);
  const { ready, missing } = await setup();
  console.log = log;
  if (!ready || missing.includes("jupyter")) throw new Error("Set-up failed; nothing was measured.");
  await writeKernelspec(work, process.execPath);
  console.log("kernel        seconds   lowest MiB in each quarter     highest");
  await measure("pomona", TYPESCRIPT, work);
  await measure("python3", PYTHON, work);
}

async function measure(kernel, cell, work) {
  const [cells, every, patience] = [values.cells, values.every, values.patience].map(Number);
  const job = { kernel, cwd: work, cell, cells, every, patience };
  const client = inRoot("bench", "parts", "soak_client.py");
  const env = { ...process.env, JUPYTER_PATH: work };
  const printed = await run(venvPython(inRoot(".venv")), [client, JSON.stringify(job)], { env });
  const { seconds, mebibytes } = JSON.parse(printed.trimEnd().split("\n").at(-1));
  const quarter = Math.ceil(mebibytes.length / 4);
  const lowest = [0, 1, 2, 3].map((n) => Math.min(...mebibytes.slice(n * quarter, (n + 1) * quarter)));
  const cellsOf = lowest.map((mib) => mib.toFixed(0).padStart(7)).join("");
  console.log(
    `${kernel.padEnd(12)}${seconds.toFixed(0).padStart(9)}  ${cellsOf}${Math.max(...mebibytes)
      .toFixed(0)
      .padStart(15)}`,
  );
}
