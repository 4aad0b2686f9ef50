import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { announcing } from "../announce";
import type { EndStatus, EventListener } from "../events";
import type { SparkClient } from "./client";
import type {
  ExecutePlanResponse,
  ExecutePlanResponse_ExecutionProgress,
  PlanSchema,
} from "./protos/spark/connect/base_pb";
import { sameError } from "./same-errors";
import type { SparkFacts } from "./watch";

/** One action, which is one operation of Spark's and maybe many of its jobs. */
export interface SparkJob {
  /** The operation's id, too. */
  readonly jobId: string;
  readonly description: string;
  readonly signal: AbortSignal;
  readonly emit: EventListener;
  readonly facts: Pick<SparkFacts, "look" | "stage" | "endLeft">;
  /** Whether it is told of by now. */
  readonly isTold: boolean;
  /** Tells of it, if nobody has. */
  begin(): void;
  /** Does its work, and tells of its end once that is done; after the first time nothing is told. */
  over<T>(work: () => Promise<T>): Promise<T>;
}

/** A query that is over sooner is not told of: nobody could read it. */
const TOLD_AFTER_MILLISECONDS = 1500;

/** How often it is asked who of the executors is there while a job runs. */
const LOOK_MILLISECONDS = 5000;

/** @param about.isLong whether it is told of from its start on; else once it takes a while, since most queries are over before */
export function sparkJob(
  about: Pick<SparkJob, "description" | "signal" | "emit" | "facts"> & { readonly isLong: boolean },
): SparkJob {
  const { description, isLong, signal, emit, facts } = about;
  const jobId = randomUUID();
  const started = Date.now();
  const announcement = announcing(emit, { jobId, description, signal });
  let [isTold, isOver] = [false, false];
  let looking: NodeJS.Timeout | undefined;
  const begin = () => {
    if (isTold || isOver) return;
    isTold = true;
    announcement.begin(started);
    looking = setInterval(() => void facts.look(), LOOK_MILLISECONDS).unref();
  };
  const waiting = setTimeout(begin, TOLD_AFTER_MILLISECONDS).unref();
  if (isLong) begin();
  return {
    ...{ jobId, description, signal, emit, facts, begin },
    get isTold() {
      return isTold;
    },
    async over(work) {
      try {
        return await (isOver ? work() : announcement.over(work));
      } finally {
        isOver = true;
        clearTimeout(waiting);
        clearInterval(looking);
        if (isTold) void facts.look();
      }
    },
  };
}

/**
 * Runs a plan on Spark as a job's work.
 * @param name what its stages are called: what workers do, where they do something
 * @param operationId another one for what the job does beside its own operation
 */
export async function* runJob(
  client: SparkClient,
  plan: MessageInitShape<typeof PlanSchema>,
  job: SparkJob,
  name: string,
  operationId = job.jobId,
): AsyncGenerator<ExecutePlanResponse> {
  const stages = stageEvents(job, name || job.description);
  // Who reads may have enough before the end.
  let status: EndStatus = "succeeded";
  let isDone = false;
  try {
    for await (const response of client.execute(plan, { signal: job.signal, operationId })) {
      const { responseType } = response;
      if (responseType.case !== "executionProgress") yield response;
      else if (job.isTold) stages.progress(responseType.value);
    }
    isDone = true;
  } catch (error) {
    status = job.signal.aborted ? "cancelled" : "failed";
    throw sameError(error, name);
  } finally {
    if (!isDone) job.facts.endLeft(operationId);
    await stages.ended(status);
  }
}

interface Seen {
  readonly started: number;
  tasks: number;
  told: string;
  end: Promise<void> | undefined;
}

/** Spark's progress, which counts tasks by stage, as events. How many rows a stage had its page tells at the end. */
function stageEvents({ jobId, emit, facts }: SparkJob, name: string) {
  const seen = new Map<number, Seen>();
  const tell = (stageId: number, stage: Seen, doneTasks: number, runningTasks: number) => {
    const told = [stage.tasks, doneTasks, runningTasks].join();
    if (stage.told === told) return;
    stage.told = told;
    emit({ type: "stageProgress", time: Date.now(), jobId, stageId, tasks: stage.tasks, doneTasks, runningTasks });
  };
  const end = async (stageId: number, stage: Seen, status: EndStatus) => {
    const watched = (Date.now() - stage.started) / 1000;
    // Spark tells of its progress every few seconds: its page knows better when a stage began and ended.
    const known = await facts.stage(stageId);
    const { rows = 0, seconds = watched } = known ?? {};
    if (known && status !== "succeeded") tell(stageId, stage, known.doneTasks, 0);
    emit({ type: "stageEnded", time: Date.now(), jobId, stageId, status, rows, seconds });
  };
  return {
    progress(told: ExecutePlanResponse_ExecutionProgress): void {
      const time = Date.now();
      // Spark tells of them in no order; a stage's number is above those of the stages that it waits for.
      const stages = [...told.stages].sort((a, b) => Number(a.stageId - b.stageId));
      // Spark tells how many tasks run in all stages together; those of stages to come are none yet.
      const running = stages.filter(({ done }) => !done).at(-1);
      for (const each of stages) {
        const [stageId, tasks] = [Number(each.stageId), Number(each.numTasks)];
        const runningTasks = each === running ? Math.min(tasks, Number(told.numInflightTasks)) : 0;
        // Spark counts attempts that failed, too.
        const doneTasks = Math.min(Number(each.numCompletedTasks), tasks - runningTasks);
        // A stage whose rows were there already, or that waits for another one, does nothing.
        if (doneTasks + runningTasks === 0) continue;
        const stage = seen.get(stageId) ?? { started: time, tasks, told: "", end: undefined };
        if (!seen.has(stageId)) {
          seen.set(stageId, stage);
          // Which of its stages runs the functions Spark does not tell; its page has the same numbers.
          const called = `${name} (stage ${stageId})`;
          emit({ type: "stageStarted", time, jobId, stageId, name: called, tasks, resumedTasks: 0, rows: 0 });
        }
        if (stage.end) continue;
        stage.tasks = tasks;
        tell(stageId, stage, doneTasks, runningTasks);
        if (each.done) stage.end = end(stageId, stage, "succeeded");
      }
    },
    async ended(status: EndStatus): Promise<void> {
      for (const [stageId, stage] of seen) {
        if (stage.end) continue;
        // Spark ends before it tells of its last tasks.
        if (status === "succeeded") tell(stageId, stage, stage.tasks, 0);
        stage.end = end(stageId, stage, status);
      }
      await Promise.all([...seen.values()].map((stage) => stage.end));
    },
  };
}
