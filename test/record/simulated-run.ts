import type { EndStatus, EngineEvent } from "../../src/engine/events";
import type { LogLine, RunAbout } from "../../src/record/log-lines";

/** The head of a log. */
export function aboutRun(given: Partial<RunAbout> = {}): RunAbout {
  return {
    ...{
      type: "run",
      time: 1_000,
      format: 1,
      id: "local-1000",
      appName: "fruits & co",
      master: "local[4]",
      parallelism: 4,
    },
    ...{
      startedAt: 1_000,
      versions: { Pomona: "0" },
      host: "elsewhere",
      pid: 1,
      cores: 4,
      memoryBytes: 8e9,
      settings: {},
    },
    ...given,
  };
}

/** Events of a run that never was: jobs with pauses between them, workers that are lost, attempts that fail, of a seed. */
export function simulatedRun(options: { seed: number; jobs: number; tasks: number; workers: number }): EngineEvent[] {
  const random = generator(options.seed);
  const events: EngineEvent[] = [];
  let time = 10_000;
  for (let j = 0; j < options.jobs; j++) {
    const jobId = `job-${j}`;
    const began = time;
    events.push({ type: "jobStarted", time, jobId, description: `write <parquet> ${j}` });
    for (let stageId = 0; stageId < 2; stageId++) {
      const start = time;
      const stage = { jobId, stageId };
      events.push({
        ...{ type: "stageStarted", time, ...stage, name: `step ${stageId}`, tasks: options.tasks + 2 },
        resumedTasks: 2,
        rows: 0,
      });
      const free = Array.from({ length: options.workers }, () => time);
      const own: EngineEvent[] = [];
      let rows = 0;
      for (let partition = 0; partition < options.tasks; partition++) {
        for (let attempt = 0; ; attempt++) {
          const w = free.indexOf(Math.min(...free));
          const worker = `worker-${w + 1}`;
          const from = free[w] as number;
          const to = from + 20 + Math.floor(random() * 200);
          free[w] = to;
          const task = { ...stage, partition, attempt, worker };
          const chance = attempt < 3 ? random() : 1;
          const status: EndStatus = chance < 0.05 ? "failed" : chance < 0.07 ? "cancelled" : "succeeded";
          const read = Math.floor(random() * 50);
          own.push(
            { type: "taskStarted", time: from, ...task },
            { type: "taskProgress", time: from + 10, ...task, rows: read },
          );
          const [done, bytes] = status === "succeeded" ? [read, read * 100 + 1] : [0, 0];
          own.push({ type: "taskEnded", time: to, ...task, status, rows: done, bytes, seconds: (to - from) / 1000 });
          if (status === "succeeded") {
            rows += done;
            break;
          }
          const isLost = status === "failed" && random() < 0.5;
          if (isLost)
            own.push({ type: "workerLost", time: to, worker, error: `${worker} is gone\nnow`, retrySeconds: 0.2 });
          own.push({ type: "taskRetried", time: to, ...task, error: isLost ? "lost" : `no luck\n<b>${partition}</b>` });
        }
      }
      time = Math.max(...free);
      for (const event of own.sort((a, b) => a.time - b.time)) events.push(event);
      events.push({ type: "stageEnded", time, ...stage, status: "succeeded", rows, seconds: (time - start) / 1000 });
    }
    events.push({ type: "message", time, level: "warn", text: "take care" });
    events.push({ type: "jobEnded", time, jobId, status: "succeeded", seconds: (time - began) / 1000 });
    time += 60_000;
  }
  return events;
}

export function linesOfRun(events: readonly EngineEvent[], about = aboutRun()): LogLine[] {
  return [about, ...events, { type: "runEnded", time: (events.at(-1)?.time ?? 0) + 1 }];
}

/** Park and Miller's generator. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
