#!/usr/bin/env node
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { inRoot } from "../scripts/setup/paths.mjs";
import { run } from "../scripts/setup/processes.mjs";
import { median } from "./parts/report.mjs";
import { findWeights } from "./parts/runs.mjs";
import { makeSample } from "./parts/sample.mjs";
import { inWorkFolder } from "./parts/work-folder.mjs";

const help = `npm run bench:fanout [-- options]

Times tasks on an endpoint, a \`pomona worker\` on this machine, beside as many threads of the session's own process (local[N]): featurize from the
reading to the committed files, and tasks that do nothing, for what a task costs there and back. Each is a process of its own, whose start does not
count; the loading of weights and models on the workers does. What goes first changes from round to round; ratios are taken within a round,
figures are medians over the rounds. The files that both write are compared. On a machine with much else to do the processor time of all
processes together, which is beside the speed, says more (on Linux). Tasks that do nothing run behind a server too that holds back small messages,
as servers do that nobody has set up for this.

  --per-class N     images of each class                                    [15]
  --partitions N    tasks of the featurize stage                            [24]
  --slots N         tasks at once                                           [2]
  --tasks N         tasks that do nothing, on one slot                      [300]
  --rounds N        rounds                                                  [3]
  --weights W       Keras weights, .h5, or random       [../shared/models or POMONA_WEIGHTS_DIR, else random]
  --quick           one round of 1 image a class, 50 tasks
  --json            one JSON object instead of lines
  --help            this text`;

const { values } = parseArgs({
  options: {
    "per-class": { type: "string" },
    partitions: { type: "string", default: "24" },
    slots: { type: "string", default: "2" },
    tasks: { type: "string" },
    rounds: { type: "string" },
    weights: { type: "string" },
    quick: { type: "boolean" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
});
const size = (name, usual, quick) => Number(values[name] ?? (values.quick ? quick : usual));
const note = (text) => console.error(text);

/** The least part of the local speed that an endpoint is meant to have. */
const TARGET = 0.95;

if (values.help) console.log(help);
else await inWorkFolder("fanout", bench);

async function bench(work) {
  const images = join(work, "images");
  mkdirSync(images);
  const sample = await makeSample(images, size("per-class", 15, 1));
  const weights = values.weights ?? findWeights() ?? "random";
  note(`${sample.images} ${sample.kind} images of ${sample.classes} classes, weights: ${weights}`);
  const slots = Number(values.slots);
  const worker = await startWorker(work);
  const plain = await startWorker(work, ["--ServerApp.jpserver_extensions={'pomona_jupyter.worker': True}"]);
  try {
    const masters = {
      local: (count) => ({ master: `local[${count}]` }),
      endpoint: (count) => behind(worker, count),
      plain: (count) => behind(plain, count),
    };
    const common = {
      images,
      weights,
      partitions: Number(values.partitions),
      tasks: size("tasks", 300, 50),
      output: join(work, "out"),
      history: join(work, "history"),
    };
    const script = inRoot("bench", "parts", "fanout-run.mjs");
    const ours = async (job, master) =>
      JSON.parse(await run(process.execPath, [script, JSON.stringify({ job, ...master, ...common })]));
    const tasks = (master) => ours("tasks", master);
    const rounds = [];
    for (let i = 0; i < size("rounds", 3, 1); i++) {
      const round = { local: {}, endpoint: {} };
      for (const name of i % 2 ? ["endpoint", "local"] : ["local", "endpoint"]) {
        round[name] = {
          featurize: await ours("featurize", masters[name](slots)),
          tasks: await tasks(masters[name](1)),
        };
      }
      round.plain = { tasks: await tasks(masters.plain(1)) };
      const [local, endpoint] = [round.local, round.endpoint];
      if (local.featurize.sha256 !== endpoint.featurize.sha256)
        throw new Error("The endpoint wrote other bytes than the threads.");
      note(
        `round ${i + 1}: local ${local.featurize.imagesPerSecond.toFixed(1)} images/s, endpoint ${endpoint.featurize.imagesPerSecond.toFixed(1)}; a task ${local.tasks.milliseconds.toFixed(1)} and ${endpoint.tasks.milliseconds.toFixed(1)} ms`,
      );
      rounds.push(round);
    }
    const of = (figure) => median(rounds.map(figure));
    const summary = {
      ratio: of(({ local, endpoint }) => endpoint.featurize.imagesPerSecond / local.featurize.imagesPerSecond),
      imagesPerSecond: {
        local: of(({ local }) => local.featurize.imagesPerSecond),
        endpoint: of(({ endpoint }) => endpoint.featurize.imagesPerSecond),
      },
      cpuRatio: of(({ local, endpoint }) => local.featurize.cpuSeconds / allCpu(endpoint.featurize)),
      taskMilliseconds: {
        local: of(({ local }) => local.tasks.milliseconds),
        endpoint: of(({ endpoint }) => endpoint.tasks.milliseconds),
        plain: of(({ plain }) => plain.tasks.milliseconds),
      },
      driverCpuMillisecondsPerImage: of(
        ({ endpoint }) => (1000 * endpoint.featurize.cpuSeconds) / endpoint.featurize.images,
      ),
      driverCpuMillisecondsPerTask: of(({ endpoint }) => endpoint.tasks.cpuMilliseconds),
    };
    if (values.json) console.log(JSON.stringify({ sample, target: TARGET, ...summary, rounds }));
    else print(summary, slots);
  } finally {
    await Promise.all([worker.stop(), plain.stop()]);
  }
}

function behind({ endpoint, pid }, slots) {
  return { master: "jupyter", endpoints: [{ ...endpoint, slots }], worker: pid };
}

function allCpu({ cpuSeconds, workerCpuSeconds }) {
  return cpuSeconds + workerCpuSeconds;
}

function print(summary, slots) {
  const { ratio, cpuRatio, imagesPerSecond, taskMilliseconds: task } = summary;
  console.log(
    `featurize      local[${slots}] ${imagesPerSecond.local.toFixed(1)} images/s, an endpoint with ${slots} slots ${imagesPerSecond.endpoint.toFixed(1)}: ${(100 * ratio).toFixed(1)} % (target ${100 * TARGET} %)`,
  );
  console.log(
    `by processor   ${(100 * cpuRatio).toFixed(1)} %: its time on local[${slots}], in parts of that of session, server and kernel`,
  );
  console.log(
    `a task         ${task.local.toFixed(1)} ms on a thread, ${task.endpoint.toFixed(1)} ms there and back: ${(task.endpoint - task.local).toFixed(1)} ms more; ${task.plain.toFixed(1)} ms behind any server`,
  );
  console.log(
    `driver's CPU   ${summary.driverCpuMillisecondsPerImage.toFixed(2)} ms an image of featurize, ${summary.driverCpuMillisecondsPerTask.toFixed(2)} ms a task that does nothing`,
  );
}

/** A real worker's server on this machine, with a token of its own. */
async function startWorker(work, rest = []) {
  const tokenFile = join(work, "token");
  const args = [
    "worker",
    "--ip",
    "127.0.0.1",
    "--port",
    "0",
    "--token-file",
    tokenFile,
    "--allow-root",
    "--json",
    "--",
    ...rest,
  ];
  const command = spawn(process.execPath, [inRoot("dist", "cli", "main.js"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise((resolve) => command.once("exit", resolve));
  const line = new Promise((resolve) => createInterface({ input: command.stdout }).once("line", resolve));
  const said = await Promise.race([line, exited.then(() => undefined)]);
  if (said === undefined) throw new Error("pomona worker has ended before it was ready.");
  return {
    endpoint: { url: JSON.parse(said).url, tokenFile },
    pid: command.pid,
    async stop() {
      command.kill("SIGTERM");
      await exited;
    },
  };
}
