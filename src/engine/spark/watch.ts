import type { WorkerMachine } from "../contract";
import type { EventListener } from "../events";
import type { SparkClient } from "./client";

/** What is known of the application that a Spark Connect server runs in. */
export interface SparkFacts {
  readonly version: string | undefined;
  readonly applicationId: string | undefined;
  /** Spark's own page, where it can be reached from here. */
  readonly uiWebUrl: string | undefined;
  /** Its executors, as its page told last; none where that can't be reached. */
  readonly executors: readonly WorkerMachine[];
  /** Cores of the executors that are there. */
  readonly parallelism: number;
  isAtLeast(major: number, minor: number): boolean;
  /** Asks for all of it. @throws SparkConnectError where the server can't be used */
  learn(signal?: AbortSignal): Promise<void>;
  /** Asks again who is there, and tells who came and went. */
  look(): Promise<void>;
}

/** Within which Spark's page has to answer: it is a help, and nobody waits for it. */
const PAGE_MILLISECONDS = 5000;

const NAMES = ["spark.app.id", "spark.driver.host", "spark.ui.port", "spark.ui.enabled", "spark.default.parallelism"];

export function sparkFacts(client: SparkClient, emit: EventListener): SparkFacts {
  let version: string | undefined;
  let applicationId: string | undefined;
  let uiWebUrl: string | undefined;
  let told = 0;
  let executors: readonly Executor[] = [];

  async function look(): Promise<void> {
    if (uiWebUrl === undefined || applicationId === undefined) return;
    const found = await page<readonly Executor[]>(`${uiWebUrl}/api/v1/applications/${applicationId}/allexecutors`);
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
        if (/idle/i.test(why)) emit({ type: "workerLeft", time, worker });
        else emit({ type: "workerLost", time, worker, error: why });
      }
    }
    executors = found;
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
    get uiWebUrl() {
      return uiWebUrl;
    },
    get executors() {
      return executors.filter((each) => !isDriver(each) || active().includes(each)).map(machineOf);
    },
    get parallelism() {
      return active().reduce((sum, { totalCores }) => sum + totalCores, 0) || told;
    },
    isAtLeast(major, minor) {
      const [a = 0, b = 0] = (version ?? "0.0").split(".").map(Number);
      return a > major || (a === major && b >= minor);
    },
    async learn(signal) {
      version = await client.version(signal);
      const conf = await client.getConfig(NAMES, signal);
      applicationId = conf.get("spark.app.id");
      told = Number(conf.get("spark.default.parallelism")) || 1;
      const [host, port] = [conf.get("spark.driver.host"), Number(conf.get("spark.ui.port") ?? 4040)];
      if (host === undefined || !(port > 0) || conf.get("spark.ui.enabled") === "false") return;
      const url = `http://${host}:${port}`;
      const found = await page<readonly { readonly id?: string }[]>(`${url}/api/v1/applications`);
      // A port may be another application's.
      if (found?.some(({ id }) => id === applicationId)) uiWebUrl = url;
      await look();
    },
    look,
  };
}

/** As Spark's REST API has it. @see https://spark.apache.org/docs/latest/monitoring.html#rest-api */
interface Executor {
  readonly id: string;
  readonly hostPort: string;
  readonly isActive: boolean;
  readonly totalCores: number;
  readonly memoryUsed: number;
  readonly removeReason?: string;
}

function isDriver({ id }: Executor): boolean {
  return id === "driver";
}

function nameOf({ id, hostPort }: Executor): string {
  return `executor-${id} (${hostPort})`;
}

function machineOf(executor: Executor): WorkerMachine {
  const { isActive, totalCores, memoryUsed, removeReason } = executor;
  return {
    endpoint: isDriver(executor) ? executor.hostPort : nameOf(executor),
    state: isActive ? "ready" : "lost",
    slots: totalCores,
    memory: memoryUsed,
    version: undefined,
    problem: isActive ? undefined : (removeReason ?? "it is gone"),
  };
}

async function page<T>(url: string): Promise<T | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PAGE_MILLISECONDS), redirect: "manual" });
    return response.ok ? ((await response.json()) as T) : undefined;
  } catch {
    return undefined;
  }
}
