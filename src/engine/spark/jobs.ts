import type { MessageInitShape } from "@bufbuild/protobuf";
import { announcing } from "../announce";
import type { EventListener } from "../events";
import type { SparkClient } from "./client";
import type {
  ExecutePlanResponse,
  ExecutePlanResponse_ExecutionProgress,
  PlanSchema,
} from "./protos/spark/connect/base_pb";
import { sameError } from "./same-errors";

/** One action, which is one operation of Spark's and maybe many of its jobs. */
export interface SparkJob {
  readonly jobId: string;
  readonly description: string;
  /** What its stages are called: what workers do, where they do something. */
  readonly name: string;
  /** Whether it is told of from its start on; else once Spark tells of its stages, since most queries are over before. */
  readonly isLong: boolean;
  readonly signal: AbortSignal;
  readonly emit: EventListener;
}

/** A query that is over sooner is not told of: nobody could read it. */
const TOLD_AFTER_MILLISECONDS = 1500;

/** Runs a plan on Spark and tells of it as of a job with Spark's stages. The job's id is the operation's. */
export async function* runJob(
  client: SparkClient,
  plan: MessageInitShape<typeof PlanSchema>,
  job: SparkJob,
): AsyncGenerator<ExecutePlanResponse> {
  const { jobId, signal, isLong } = job;
  const announcement = announcing(job.emit, job);
  const stages = stageEvents(job, announcement.begin);
  const started = Date.now();
  if (isLong) announcement.begin(started);
  let isRead = false;
  try {
    for await (const response of client.execute(plan, { signal, operationId: jobId })) {
      const { responseType } = response;
      if (responseType.case !== "executionProgress") yield response;
      else if (isLong || Date.now() - started > TOLD_AFTER_MILLISECONDS) stages.progress(responseType.value);
    }
    isRead = true;
    stages.ended("succeeded");
    await announcement.over(async () => {});
  } catch (error) {
    isRead = true;
    stages.ended(signal.aborted ? "cancelled" : "failed");
    await announcement.over(() => Promise.reject(sameError(error, job.name)));
  } finally {
    // Who reads may have enough.
    if (!isRead) {
      stages.ended("succeeded");
      await announcement.over(async () => {});
    }
  }
}

interface Seen {
  readonly started: number;
  told: string;
  ended: boolean;
}

/** Spark's progress, which counts tasks by stage, as events. */
function stageEvents({ jobId, name, emit }: SparkJob, begin: () => void) {
  const seen = new Map<number, Seen>();
  const end = (stageId: number, stage: Seen, status: "succeeded" | "failed" | "cancelled") => {
    if (stage.ended) return;
    stage.ended = true;
    const time = Date.now();
    emit({ type: "stageEnded", time, jobId, stageId, status, rows: 0, seconds: (time - stage.started) / 1000 });
  };
  return {
    progress({ stages, numInflightTasks }: ExecutePlanResponse_ExecutionProgress): void {
      begin();
      const time = Date.now();
      const inFlight = Number(numInflightTasks);
      // Spark tells how many tasks run in all stages together; those of stages to come are none yet.
      const running = stages.filter((each) => !each.done && each.numCompletedTasks < each.numTasks).at(-1);
      for (const each of stages) {
        const [stageId, tasks, doneTasks] = [
          Number(each.stageId),
          Number(each.numTasks),
          Number(each.numCompletedTasks),
        ];
        const runningTasks = each === running ? inFlight : 0;
        // A stage whose rows were there already, or that waits for another one, does nothing.
        if (doneTasks + runningTasks === 0) continue;
        const stage = seen.get(stageId) ?? { started: time, told: "", ended: false };
        if (!seen.has(stageId)) {
          seen.set(stageId, stage);
          emit({ type: "stageStarted", time, jobId, stageId, name, tasks, resumedTasks: 0, rows: 0 });
        }
        const told = [tasks, doneTasks, runningTasks].join();
        if (stage.ended || stage.told === told) continue;
        stage.told = told;
        emit({ type: "stageProgress", time, jobId, stageId, tasks, doneTasks, runningTasks });
        if (each.done) end(stageId, stage, "succeeded");
      }
    },
    ended(status: "succeeded" | "failed" | "cancelled"): void {
      for (const [stageId, stage] of seen) end(stageId, stage, status);
    },
  };
}
