import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { WorkerMachine } from "../contract";
import type { EventListener } from "../events";
import type { SparkClient } from "./client";

/** What is known of the application that a Spark Connect server runs in. */
export interface SparkFacts {
  readonly version: string | undefined;
  readonly applicationId: string | undefined;
  /** Whether it is Sail, which has no application. */
  readonly isSail: boolean;
  /** Spark's own page, where it can be reached from here. */
  readonly uiWebUrl: string | undefined;
  /** Its executors, as its page told last; none where that can't be reached. */
  readonly executors: readonly WorkerMachine[];
  /** Cores of the executors that are there. */
  readonly parallelism: number;
  /** Asks for all of it, of a session that is new. @throws SparkConnectError where the server can't be used */
  learn(version: string, session: Pick<SparkClient, "getConfig">): Promise<void>;
  /** Asks again who is there, and tells who came and went; never throws. */
  look(): Promise<void>;
  /** What Spark's page has of a stage; undefined where that can't be reached. */
  stage(stageId: number): Promise<StageFacts | undefined>;
  /**
   * Ends by Spark's page what an operation left that did not run to its end: Spark 4.0 may begin a job in the moment that it is interrupted, and
   * then knows of no operation that it is of. Looks for some seconds, behind; never throws.
   */
  endLeft(operationId: string): void;
  /** Waits for what {@link endLeft} looks for at once; not for long. */
  close(): Promise<void>;
}

/** One of Spark's stages that is over. */
export interface StageFacts {
  /** Rows that it wrote, or else read. */
  readonly rows: number;
  /** Tasks that ended well. */
  readonly doneTasks: number;
  /** From its first task on; undefined where it has no end. */
  readonly seconds: number | undefined;
}

/** Within which Spark's page has to answer: it is a help, and nobody waits for it. */
const PAGE_MILLISECONDS = 5000;

/** When it is looked for jobs that an interrupt came too early for, one after the other: most begin at once. */
const LOOKS_AT_ONCE = [0, 250, 750];
/** As long as the session is there: on a server that does much else. */
const LOOKS_LATER = [2000, 5000, 10_000];

const NAMES = ["spark.app.id", "spark.driver.host", "spark.ui.port", "spark.ui.enabled", "spark.default.parallelism"];

export function sparkFacts(emit: EventListener): SparkFacts {
  let version: string | undefined;
  let applicationId: string | undefined;
  let uiWebUrl: string | undefined;
  let told = 0;
  let executors: readonly Executor[] = [];
  /** Where its page may be; another application's may be there. */
  let supposed: string | undefined;
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const ending = new Set<Promise<void>>();

  const asked = <T>(what: string): Promise<T | undefined> | undefined =>
    uiWebUrl === undefined ? undefined : page<T>(`${uiWebUrl}/api/v1/applications/${applicationId}/${what}`);

  async function find(): Promise<void> {
    if (uiWebUrl !== undefined || supposed === undefined) return;
    const found = await page<readonly { readonly id?: string }[]>(`${supposed}/api/v1/applications`);
    if (found?.some(({ id }) => id === applicationId)) uiWebUrl = supposed;
    // It answers, and is not this one's: a page that is only slow is asked again.
    else if (found) supposed = undefined;
  }

  async function look(): Promise<void> {
    await find();
    const found = await asked<readonly Executor[]>("allexecutors");
    if (!found) return;
    const time = Date.now();
    const before = new Map(executors.map((each) => [each.id, each]));
    for (const each of found) {
      if (isDriver(each)) continue;
      const was = before.get(each.id);
      const worker = nameOf(each);
      if (each.isActive && !was?.isActive) emit({ type: "workerJoined", time, worker });
      if (!each.isActive && was?.isActive) {
        const why = each.removeReason ?? "it is gone";
        if (wasIdle(each)) emit({ type: "workerLeft", time, worker });
        else emit({ type: "workerLost", time, worker, error: why });
      }
    }
    executors = found;
  }

  async function endJobs(operationId: string): Promise<void> {
    for (const { jobId, jobGroup, jobTags } of (await asked<readonly Job[]>("jobs?status=running")) ?? [])
      if ([jobGroup, ...(jobTags ?? [])].some((tag) => tag?.includes(operationId)))
        await answer(`${uiWebUrl}/jobs/job/kill/?id=${jobId}`, "POST");
  }

  async function endLeft(operationId: string): Promise<void> {
    for (const wait of LOOKS_AT_ONCE) {
      await sleep(wait);
      await endJobs(operationId);
    }
    for (const wait of LOOKS_LATER) {
      await sleep(wait, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
      if (closing.signal.aborted) return;
      await endJobs(operationId);
    }
  }

  /** Local mode has its tasks in the driver. */
  const active = () => {
    const all = executors.filter(({ isActive }) => isActive);
    const others = all.filter((each) => !isDriver(each));
    return others.length > 0 ? others : all;
  };

  return {
    get version() {
      return version;
    },
    get applicationId() {
      return applicationId;
    },
    get isSail() {
      return version !== undefined && applicationId === undefined;
    },
    get uiWebUrl() {
      return uiWebUrl;
    },
    get executors() {
      return executors.filter((each) => !isDriver(each) || active().includes(each)).map(machineOf);
    },
    get parallelism() {
      return active().reduce((sum, { totalCores }) => sum + totalCores, 0) || told;
    },
    async learn(itsVersion, session) {
      version = itsVersion;
      const conf = await session.getConfig(NAMES);
      // Executors of another application have numbers of their own.
      if (applicationId !== conf.get("spark.app.id")) executors = [];
      [uiWebUrl, supposed] = [undefined, undefined];
      applicationId = conf.get("spark.app.id");
      told = Number(conf.get("spark.default.parallelism")) || 1;
      const [host, port] = [conf.get("spark.driver.host"), Number(conf.get("spark.ui.port") ?? 4040)];
      if (host === undefined || !(port > 0) || conf.get("spark.ui.enabled") === "false") return;
      supposed = `http://${host}:${port}`;
      await look();
    },
    look,
    async stage(stageId) {
      const attempts = await asked<readonly Stage[]>(`stages/${stageId}`);
      const stage = attempts?.at(-1);
      if (!stage) return undefined;
      const { inputRecords, outputRecords, shuffleReadRecords, submissionTime, completionTime } = stage;
      const milliseconds = timeOf(completionTime) - timeOf(submissionTime);
      return {
        rows: outputRecords || inputRecords || shuffleReadRecords,
        doneTasks: stage.numCompleteTasks,
        seconds: milliseconds >= 0 ? milliseconds / 1000 : undefined,
      };
    },
    endLeft(operationId) {
      if (uiWebUrl === undefined) return;
      const looking = endLeft(operationId).finally(() => ending.delete(looking));
      ending.add(looking);
    },
    async close() {
      closing.abort();
      await Promise.race([Promise.all(ending), sleep(PAGE_MILLISECONDS, undefined, { ref: false })]);
    },
  };
}

/** As Spark's REST API has it. @see https://spark.apache.org/docs/latest/monitoring.html#rest-api */
interface Executor {
  readonly id: string;
  readonly hostPort: string;
  readonly isActive: boolean;
  readonly totalCores: number;
  readonly activeTasks: number;
  readonly completedTasks: number;
  readonly failedTasks: number;
  readonly removeReason?: string;
}

interface Job {
  readonly jobId: number;
  /** Spark Connect puts the operation's id into one of them. */
  readonly jobGroup?: string;
  readonly jobTags?: readonly string[];
}

interface Stage {
  readonly numCompleteTasks: number;
  readonly inputRecords: number;
  readonly outputRecords: number;
  readonly shuffleReadRecords: number;
  /** Such as `2026-11-26T23:26:50.123GMT`. */
  readonly submissionTime?: string;
  readonly completionTime?: string;
}

function timeOf(text = ""): number {
  return Date.parse(text.replace(/GMT$/, "Z"));
}

function isDriver({ id }: Executor): boolean {
  return id === "driver";
}

function nameOf({ id, hostPort }: Executor): string {
  return `executor-${id} (${hostPort})`;
}

/** Dynamic allocation takes those away that have nothing to do. */
function wasIdle({ removeReason = "" }: Executor): boolean {
  return /idle/i.test(removeReason);
}

function machineOf(executor: Executor): WorkerMachine {
  const { isActive, totalCores, removeReason, activeTasks, completedTasks, failedTasks } = executor;
  return {
    endpoint: isDriver(executor) ? executor.hostPort : nameOf(executor),
    state: isActive ? "ready" : wasIdle(executor) ? "left" : "lost",
    slots: totalCores,
    memory: undefined,
    version: undefined,
    problem: isActive ? undefined : (removeReason ?? "it is gone"),
    tasks: { running: activeTasks, done: completedTasks, failed: failedTasks },
  };
}

async function page<T>(url: string): Promise<T | undefined> {
  const response = await answer(url);
  return response?.ok ? ((await response.json().catch(() => undefined)) as T | undefined) : undefined;
}

/** Undefined where there is none in time. */
function answer(url: string, method = "GET"): Promise<Response | undefined> {
  return fetch(url, { method, signal: AbortSignal.timeout(PAGE_MILLISECONDS), redirect: "manual" }).catch(
    () => undefined,
  );
}
