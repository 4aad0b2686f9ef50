import { gunzipSync } from "node:zlib";
import type { EngineEvent } from "../engine/events";

/** What a run is: told at the head of each file of its log, so that a file can be read without the others. */
export interface RunAbout {
  readonly type: "run";
  /** When this was written, in epoch milliseconds. */
  readonly time: number;
  /** Of these lines; a reader that does not know it says so. */
  readonly format: 1;
  readonly id: string;
  readonly appName: string;
  readonly master: string;
  /** How many tasks run at once. */
  readonly parallelism: number;
  readonly startedAt: number;
  /** Of this package, and of what it runs on. */
  readonly versions: Readonly<Record<string, string>>;
  readonly host: string;
  readonly pid: number;
  readonly cores: number;
  readonly memoryBytes: number;
  /** Those that differ from their defaults; secrets as `***`. */
  readonly settings: Readonly<Record<string, string>>;
  /** Of a run on Spark, which keeps its tasks itself; `page` is where a browser shows them, undefined where that was not to be reached. */
  readonly spark?: { readonly page: string | undefined };
}

/** A line of a run's log, which is JSON. */
export type LogLine =
  | EngineEvent
  | RunAbout
  | { readonly type: "runEnded"; readonly time: number }
  /** Events that could not be kept, as the log could not be written for too long. */
  | { readonly type: "gap"; readonly time: number; readonly events: number };

/** What a run came to, beside its log, so that a list of runs need not read all of it. */
export interface RunEnd {
  readonly about: RunAbout;
  readonly endedAt: number;
  readonly counts: RunCounts;
}

export interface RunCounts {
  readonly jobs: number;
  readonly failedJobs: number;
  readonly tasks: number;
  readonly rows: number;
  readonly bytes: number;
}

/** Counts as the lines come. */
export function countLines(): { add(line: LogLine): void; counts(): RunCounts } {
  let [jobs, failedJobs, tasks, rows, bytes] = [0, 0, 0, 0, 0];
  /** Tasks done of the stages of engines that tell of no single ones. */
  const stages = new Map<string, number>();
  let isSpark = false;
  return {
    add(line) {
      if (line.type === "run") isSpark = line.spark !== undefined;
      if (line.type === "jobStarted") jobs++;
      else if (line.type === "jobEnded" && line.status === "failed") failedJobs++;
      else if (line.type === "taskEnded" && line.status === "succeeded") {
        tasks++;
        rows += line.rows;
        bytes += line.bytes;
      } else if (isSpark && line.type === "stageProgress") {
        const key = `${line.jobId} ${line.stageId}`;
        tasks += line.doneTasks - (stages.get(key) ?? 0);
        stages.set(key, line.doneTasks);
      } else if (isSpark && line.type === "stageEnded") rows += line.rows;
    },
    counts: () => ({ jobs, failedJobs, tasks, rows, bytes }),
  };
}

/** The lines of a log's file; what is damaged is left out, so that a report is made of the rest. */
export function linesIn(packed: Uint8Array): LogLine[] {
  let text: string;
  try {
    text = gunzipSync(packed).toString();
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    const parsed = line === "" ? undefined : parsedLine(line);
    return parsed ? [parsed] : [];
  });
}

function parsedLine(text: string): LogLine | undefined {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line !== "object" || line === null) return undefined;
    const { type, time } = line as { type?: unknown; time?: unknown };
    // Lines of a type that a later version has are passed over by who reads them.
    return typeof type === "string" && typeof time === "number" ? (line as LogLine) : undefined;
  } catch {
    return undefined;
  }
}
