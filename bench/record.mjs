#!/usr/bin/env node
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { inRoot } from "../scripts/setup/paths.mjs";
import { run } from "../scripts/setup/processes.mjs";
import { median } from "./parts/report.mjs";
import { makeSample } from "./parts/sample.mjs";
import { inWorkFolder } from "./parts/work-folder.mjs";

const help = `npm run bench:record [-- options]

Times the same work with the record of its run and without, each in a process of its own: featurize (random weights), and tasks that do nothing.
What goes first changes from round to round; ratios are taken within a round, figures are medians over the rounds.

  --per-class N     images of each class                                    [5]
  --tasks N         tasks that do nothing                                   [5000]
  --cores N         worker threads                                          [2]
  --rounds N        rounds                                                  [5]
  --quick           one round of 1 image a class, 200 tasks
  --json            one JSON object instead of lines
  --help            this text`;

const { values } = parseArgs({
  options: {
    "per-class": { type: "string" },
    tasks: { type: "string" },
    cores: { type: "string", default: "2" },
    rounds: { type: "string" },
    quick: { type: "boolean" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
});
const size = (name, usual, quick) => Number(values[name] ?? (values.quick ? quick : usual));

if (values.help) console.log(help);
else await inWorkFolder("record", bench);

async function bench(work) {
  const [images, history] = [join(work, "images"), join(work, "history")];
  mkdirSync(images);
  const sample = await makeSample(images, size("per-class", 5, 1));
  const tasks = size("tasks", 5000, 200);
  const common = {
    master: `local[${values.cores}]`,
    images,
    weights: "random",
    partitions: 24,
    output: join(work, "out"),
    history,
    tasks,
  };
  const timed = async (job, record) =>
    JSON.parse(
      await run(process.execPath, [
        inRoot("bench", "parts", "fanout-run.mjs"),
        JSON.stringify({ ...common, job, record }),
      ]),
    );
  const rounds = [];
  for (let i = 0; i < size("rounds", 5, 1); i++) {
    const round = { on: {}, off: {} };
    for (const job of ["featurize", "tasks"])
      for (const name of i % 2 ? ["off", "on"] : ["on", "off"]) round[name][job] = await timed(job, name === "on");
    const { on, off } = round;
    console.error(
      `round ${i + 1}: featurize ${on.featurize.cpuSeconds.toFixed(1)} s of CPU with, ${off.featurize.cpuSeconds.toFixed(1)} without; a task ${on.tasks.cpuMilliseconds.toFixed(3)} and ${off.tasks.cpuMilliseconds.toFixed(3)} ms`,
    );
    rounds.push(round);
  }
  const of = (figure) => median(rounds.map(figure));
  const summary = {
    featurize: {
      cpuRatio: of(({ on, off }) => on.featurize.cpuSeconds / off.featurize.cpuSeconds),
      timeRatio: of(({ on, off }) => on.featurize.seconds / off.featurize.seconds),
    },
    tasks: {
      cpuRatio: of(({ on, off }) => on.tasks.cpuMilliseconds / off.tasks.cpuMilliseconds),
      timeRatio: of(({ on, off }) => on.tasks.milliseconds / off.tasks.milliseconds),
      cpuMicrosecondsMore: of(({ on, off }) => 1000 * (on.tasks.cpuMilliseconds - off.tasks.cpuMilliseconds)),
    },
    bytesPerTask: largestLog(history) / tasks,
  };
  if (values.json) console.log(JSON.stringify({ sample, ...summary, rounds }));
  else print(summary, sample, tasks);
}

function print({ featurize, tasks, bytesPerTask }, sample, count) {
  const more = (ratio) => `${ratio < 1 ? "" : "+"}${(100 * (ratio - 1)).toFixed(1)} %`;
  console.log(
    `featurize      ${sample.images} images: ${more(featurize.timeRatio)} time, ${more(featurize.cpuRatio)} processor time with a record`,
  );
  console.log(
    `tasks          ${count} that do nothing: ${more(tasks.timeRatio)} time, ${more(tasks.cpuRatio)} processor time, ${tasks.cpuMicrosecondsMore.toFixed(0)} µs a task; ${bytesPerTask.toFixed(0)} bytes a task`,
  );
}

/** Bytes of the largest record: that of the many tasks. */
function largestLog(folder) {
  const sizeOf = (id) =>
    readdirSync(join(folder, id)).reduce((sum, name) => sum + statSync(join(folder, id, name)).size, 0);
  return Math.max(...readdirSync(folder).map(sizeOf));
}
