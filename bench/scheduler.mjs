#!/usr/bin/env node
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { inRoot } from "../scripts/setup/paths.mjs";

const help = `npm run bench:scheduler [-- options]

Gives tasks to fake workers by the real scheduler, each number of tasks in a process of its own, and prints what a task costs the driver:
CPU (user and system) and memory that is still held when all tasks but the last are done.

  --workers N    fake workers                [1000]
  --tasks N,N    numbers of tasks            [100000,1000000]
  --json         one JSON object a line instead of the table
  --help         this text`;

const { values } = parseArgs({
  options: {
    workers: { type: "string", default: "1000" },
    tasks: { type: "string", default: "100000,1000000" },
    one: { type: "string" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
});

if (values.help) console.log(help);
else if (values.one) console.log(JSON.stringify(await measure(Number(values.one), Number(values.workers))));
else {
  const rows = values.tasks.split(",").map((tasks) => {
    const args = ["--expose-gc", process.argv[1], "--one", tasks, "--workers", values.workers];
    return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
  });
  if (values.json) for (const row of rows) console.log(JSON.stringify(row));
  else console.table(rows);
}

/** One stage of so many tasks, one in a thousand of which fails once. */
async function measure(count, workerCount) {
  const { scheduler } = await import(inRoot("dist/engine/scheduler/scheduler.js"));
  const { policyOf } = await import(inRoot("dist/engine/scheduler/policy.js"));
  const { AttemptFailedError } = await import(inRoot("dist/engine/scheduler/errors.js"));
  const remote = { name: "Error", message: "by chance", stack: "", retryable: true };
  let last = () => {};
  const held = new Promise((resolve) => {
    last = resolve;
  });
  let [done, before, memory] = [0, 0, 0];
  const workers = Array.from({ length: workerCount }, (_, i) => ({
    name: `worker-${i}`,
    beats: true,
    async run(task, _signal, listener) {
      await new Promise((resolve) => setImmediate(resolve));
      listener.onProgress(10);
      if (task.partition % 1000 === 7 && task.attempt === 0) throw new AttemptFailedError(remote);
      if (task.partition === count - 1) await held;
      return { rows: 10, bytes: 100, failedRows: 0 };
    },
  }));
  const pool = {
    watch(listener) {
      for (const worker of workers) listener.joined(worker);
      return () => {};
    },
  };
  const { runStage } = scheduler({ pool, policy: () => policyOf(() => undefined), emit() {} });
  const memoryNow = () => {
    globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  before = memoryNow();
  const start = process.cpuUsage();
  let cpu;
  await runStage({
    jobId: "bench",
    stageId: 0,
    name: "bench",
    partitions: Array.from({ length: count }, (_, i) => i),
    resumedTasks: 0,
    rows: count * 10,
    taskFor: (partition, attempt) => ({ jobId: "bench", stageId: 0, partition, attempt }),
    async onTaskDone() {
      if (++done !== count - 1) return;
      cpu = process.cpuUsage(start);
      memory = memoryNow();
      last();
    },
    signal: new AbortController().signal,
  });
  if (done !== count) throw new Error(`${done} of ${count} tasks were done.`);
  return {
    workers: workerCount,
    tasks: count,
    "CPU a task (µs)": Number(((cpu.user + cpu.system) / count).toFixed(2)),
    "memory a task (bytes)": Number(((memory - before) / count).toFixed(1)),
    "peak memory (MB)": Math.round(process.resourceUsage().maxRSS / 1024),
  };
}
