import type { EndStatus, EventListener } from "./events";

/** Is told of bytes that a query brings here from other storages. */
export interface FetchListener {
  /** They are needed; more may follow. */
  asked(bytes: number): void;
  came(bytes: number): void;
}

/** What is over sooner is not told of; a fetch is slower than its user thinks. */
const FETCH_MS = 2000;
const QUERY_MS = 5000;

/** The least time between two words of a fetch. */
const INTERVAL_MS = 250;

export interface QueryStage {
  readonly jobId: string;
  readonly stageId: number;
  readonly signal: AbortSignal;
}

/**
 * Runs the relational engine's work, and tells of it as of a stage once it has taken a while: by megabytes where it brings data here
 * from other storages.
 * @param before called before the first word, with the time when the work began
 */
export async function slowQuery<T>(
  emit: EventListener,
  { jobId, stageId, signal }: QueryStage,
  work: (fetched: FetchListener) => Promise<T>,
  before: (startedAt: number) => void = () => {},
): Promise<T> {
  const startedAt = Date.now();
  const stage = { jobId, stageId };
  const bytes = { asked: 0, came: 0 };
  let isTold = false;
  let next = 0;
  let timer: NodeJS.Timeout | undefined;

  const begin = () => {
    if (isTold) return;
    isTold = true;
    before(startedAt);
    const isFetch = bytes.asked > 0;
    const what = isFetch ? ({ name: "fetch", unit: "MB" } as const) : { name: "query" };
    const tasks = isFetch ? megabytes(bytes.asked) : 1;
    emit({ type: "stageStarted", time: startedAt, ...stage, ...what, tasks, resumedTasks: 0, rows: 0 });
    progress();
  };
  const progress = () => {
    const time = Date.now();
    if (!isTold || bytes.asked === 0 || time < next) return;
    next = time + INTERVAL_MS;
    const doneTasks = Math.floor(bytes.came / 1e6);
    emit({ type: "stageProgress", time, ...stage, tasks: megabytes(bytes.asked), doneTasks, runningTasks: 0 });
  };
  const lookAgain = () => {
    const passed = Date.now() - startedAt;
    const wait = bytes.asked > bytes.came ? FETCH_MS : QUERY_MS;
    if (passed >= wait) begin();
    else timer = setTimeout(lookAgain, wait - passed).unref();
  };
  const ended = (status: EndStatus) => {
    clearTimeout(timer);
    const time = Date.now();
    if (isTold) emit({ type: "stageEnded", time, ...stage, status, rows: 0, seconds: (time - startedAt) / 1000 });
  };

  timer = setTimeout(lookAgain, FETCH_MS).unref();
  try {
    const result = await work({
      asked(some) {
        bytes.asked += some;
        if (Date.now() - startedAt >= FETCH_MS) begin();
      },
      came(some) {
        bytes.came += some;
        progress();
      },
    });
    ended("succeeded");
    return result;
  } catch (error) {
    ended(signal.aborted ? "cancelled" : "failed");
    throw error;
  }
}

function megabytes(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 1e6));
}
