import type { EndStatus } from "../engine/events";
import { firstLine } from "../errors";
import { busyClock } from "./busy-clock";
import { type JobRecord, jobRecords, type StageRecord } from "./jobs";
import type { LogLine, RunAbout } from "./log-lines";
import { type MessageCount, messageTally } from "./message-tally";

/** One attempt of a task. Times are epoch milliseconds. */
export interface Attempt {
  readonly stage: StageRecord;
  readonly partition: number;
  readonly attempt: number;
  readonly worker: string;
  readonly start: number;
  /** Absent while it runs. */
  end: number | undefined;
  /** `lost`: its worker went away with it. */
  status: EndStatus | "running" | "lost";
  /** It was to be made again; where its stage ended first, that did not come about. */
  isRetried: boolean;
  /** Of one that runs: read so far. */
  rows: number;
  bytes: number;
}

export interface Loss {
  readonly time: number;
  readonly worker: string;
  readonly error: string;
  readonly isForGood: boolean;
}

/** All that a report is made of, from the lines of a log. */
export interface RunFacts {
  readonly about: RunAbout | undefined;
  readonly endedAt: number | undefined;
  /** The time of the last line. */
  readonly lastAt: number;
  readonly jobs: readonly JobRecord[];
  readonly attempts: readonly Attempt[];
  readonly losses: readonly Loss[];
  /** When none of the workers was left, in epoch milliseconds. */
  readonly withoutWorkers: readonly { readonly start: number; readonly end: number }[];
  /** How often attempts failed and were made again, by what was wrong. */
  readonly retries: readonly Counted[];
  /** How often requests to storages were tried again, by what was wrong. */
  readonly storageRetries: readonly Counted[];
  readonly messages: readonly MessageCount[];
  readonly messagesLeftOut: number;
  /** Events that are missing, as the log could not be written. */
  readonly missing: number;
  readonly weights: readonly string[];
}

export interface Counted {
  readonly what: string;
  readonly count: number;
}

/** Most different texts that are counted apart. */
const MOST_TEXTS = 200;

/** Follows the lines of a log, in their order. */
export function runTally(): { add(line: LogLine): void; facts(): RunFacts } {
  const { jobs, record, stageOf } = jobRecords();
  const attempts: Attempt[] = [];
  const losses: Loss[] = [];
  const running = new Map<string, Attempt>();
  /** What a worker failed with last: its loss is told right after. */
  const failed = new Map<string, Attempt>();
  const present = new Set<string>();
  const withoutWorkers: { readonly start: number; readonly end: number }[] = [];
  let noneSince: number | undefined;
  /** Attempts without success, by their keys, until it is told whether they are made again. */
  const unsuccessful = new Map<string, Attempt>();
  const retries = texts();
  const storageRetries = texts();
  const messages = messageTally();
  const weights = new Set<string>();
  let about: RunAbout | undefined;
  let [endedAt, lastAt, missing]: [number | undefined, number, number] = [undefined, 0, 0];

  const gone = (worker: string, time: number) => {
    if (present.delete(worker) && present.size === 0) noneSince = time;
  };
  const keyOf = (of: { jobId: string; stageId: number; partition: number; attempt: number }) =>
    `${of.jobId} ${of.stageId} ${of.partition} ${of.attempt}`;

  return {
    add(line) {
      lastAt = Math.max(lastAt, line.time);
      messages.add(line);
      record(line);
      switch (line.type) {
        case "run":
          about = line;
          return;
        case "runEnded":
          endedAt = line.time;
          return;
        case "gap":
          missing += line.events;
          return;
        case "taskStarted": {
          const stage = stageOf(line);
          if (!stage) return;
          const { partition, attempt, worker, time } = line;
          const started: Attempt = {
            ...{ stage, partition, attempt, worker, start: time, end: undefined, status: "running", rows: 0, bytes: 0 },
            isRetried: false,
          };
          running.set(keyOf(line), started);
          attempts.push(started);
          return;
        }
        case "taskProgress": {
          const attempt = running.get(keyOf(line));
          if (attempt) attempt.rows = Math.max(attempt.rows, line.rows);
          return;
        }
        case "taskEnded": {
          const attempt = running.get(keyOf(line));
          running.delete(keyOf(line));
          const { status, rows, bytes, time } = line;
          if (attempt) Object.assign(attempt, { status, rows, bytes, end: time });
          if (attempt && status !== "succeeded") unsuccessful.set(keyOf(line), attempt);
          if (attempt && status === "failed") failed.set(line.worker, attempt);
          return;
        }
        case "taskRetried": {
          const attempt = unsuccessful.get(keyOf(line)) ?? running.get(keyOf(line));
          if (attempt) attempt.isRetried = true;
          unsuccessful.delete(keyOf(line));
          retries.add(firstLine(line.error));
          return;
        }
        case "workerJoined":
          present.add(line.worker);
          if (noneSince !== undefined) withoutWorkers.push({ start: noneSince, end: line.time });
          noneSince = undefined;
          return;
        case "workerLeft":
          gone(line.worker, line.time);
          return;
        case "workerLost": {
          const { time, worker, error, retrySeconds, withMachine = false } = line;
          losses.push({ time, worker, error: firstLine(error), isForGood: retrySeconds === undefined && !withMachine });
          if (retrySeconds === undefined) gone(worker, time);
          const attempt = failed.get(worker);
          failed.delete(worker);
          if (!attempt || attempt.end === undefined || time - attempt.end > SAME_MS) return;
          attempt.status = "lost";
          return;
        }
        case "storageRetried":
          storageRetries.add(`${line.operation}: ${line.why}`);
          return;
        case "message": {
          const found = line.level === "info" && /^(.+) runs on (.+) with weights from (.+)\.$/.exec(line.text);
          if (found) weights.add(`${found[1]}: ${found[3]} (${found[2]})`);
          return;
        }
        default:
          return;
      }
    },

    facts() {
      const told = messages.messages();
      return {
        ...{ about, endedAt, lastAt, jobs, attempts, losses, missing, weights: [...weights] },
        withoutWorkers:
          noneSince === undefined ? withoutWorkers : [...withoutWorkers, { start: noneSince, end: lastAt }],
        retries: retries.counted(),
        storageRetries: storageRetries.counted(),
        ...told,
      };
    },
  };
}

/** A worker's loss follows the end of its task at once. */
const SAME_MS = 200;

function texts(): { add(text: string): void; counted(): Counted[] } {
  const counts = new Map<string, number>();
  return {
    add(text) {
      const known = counts.has(text) || counts.size < MOST_TEXTS ? text : "others";
      counts.set(known, (counts.get(known) ?? 0) + 1);
    },
    counted: () => [...counts].map(([what, count]) => ({ what, count })).sort((a, b) => b.count - a.count),
  };
}

/** The time in which jobs ran, which is what a report's charts are drawn over. */
export function clockOf({ jobs, lastAt }: RunFacts) {
  return busyClock(
    jobs.map(({ startedAt, endedAt }) => ({ start: startedAt, end: endedAt ?? Math.max(startedAt, lastAt) })),
  );
}
