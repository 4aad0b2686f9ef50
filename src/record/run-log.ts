import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { EngineEvent } from "../engine/events";
import { firstLine, PomonaError } from "../errors";
import { joinUrl, type Place } from "../storage";
import { countLines, type LogLine, type RunAbout, type RunEnd } from "./log-lines";
import { cleanLogs, endName, type Retention, segmentName } from "./logs";

/** An event is in the log after this at the latest, and what a write takes: a crash loses at most the last second. */
const FLUSH_MS = 500;

/** A file of a log grows to this size, written anew each time, since object storage knows no appending; then the next begins. */
const SEGMENT_BYTES = 32 * 1024;

/** Of a log that can't be written, so many characters are kept for when it can be again. */
const MOST_WAITING = 8 * 1024 * 1024;

/** How long after a write that failed the next one waits, twice as long after each further one. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [1_000, 60_000];

/** How long the end of a session waits for its log. */
const CLOSE_MS = 5_000;

/** Of one attempt's progress, a line is kept for this time. */
const PROGRESS_MS = 1_000;

/** More names than this a folder never has of one application's id. */
const MOST_NAMES = 1_000;

const packed = promisify(gzip);

/** The log of a run, which follows its events. */
export interface RunLog {
  /** Names the run in the folder of logs; undefined before its first job. */
  readonly id: string | undefined;
  /** Why it can't be written now. */
  readonly problem: Error | undefined;
  /** Takes an event in. It never fails and never waits. */
  record(event: EngineEvent): void;
  /** Writes what was told so far. @returns whether it is all there */
  flush(): Promise<boolean>;
  /** Writes the end, in bounded time. */
  close(): Promise<void>;
}

export interface RunLogOptions {
  /** The folder of logs. */
  readonly folder: Place;
  /** The run, as it is now; its id may get a number more where another run has it. */
  readonly about: () => Omit<RunAbout, "type" | "time" | "format">;
  /** Takes a line for the user; called once where the log can't be written. */
  readonly tell: (text: string) => void;
  /** What is kept of other runs. */
  readonly retention: () => Retention;
}

/**
 * A log in a folder of its own: `<id>/events-00000.jsonl.gz` and so on, gzipped lines of JSON. It begins with the first job; a
 * session that runs none leaves nothing. Where it can't be written its session goes on.
 */
export function runLog({ folder: { storage, url }, about, tell, retention }: RunLogOptions): RunLog {
  const count = countLines();
  const told = new Map<string, number>();
  const closing = new AbortController();
  let waiting: string[] = [];
  let waitingLength = 0;
  let dropped = 0;
  let hasJob = false;
  let isClosed = false;
  let hasTold = false;
  let problem: Error | undefined;
  let pause = FIRST_PAUSE_MS;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let id: string | undefined;
  let segment = 0;
  let pieces: Buffer[] = [];

  const head = (as: string): string => {
    const run: RunAbout = { ...about(), id: as, type: "run", time: Date.now(), format: 1 };
    return `${JSON.stringify(run)}\n`;
  };

  function add(line: LogLine): void {
    count.add(line);
    const text = `${JSON.stringify(line)}\n`;
    waiting.push(text);
    waitingLength += text.length;
    if (waitingLength > MOST_WAITING) drop();
  }

  /** Leaves out the older half of what waits. */
  function drop(): void {
    const left = waiting.splice(0, Math.ceil(waiting.length / 2));
    dropped += left.length;
    waitingLength = waiting.reduce((sum, { length }) => sum + length, 0);
  }

  function schedule(after: number): void {
    if (timer) return;
    timer = setTimeout(() => void flush(), after);
    // A log must not keep a script from ending.
    timer.unref();
  }

  async function flush(): Promise<boolean> {
    if (!hasJob) return true;
    while (writing) await writing;
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length > 0) {
      writing = write().finally(() => {
        writing = undefined;
      });
      await writing;
    }
    return problem === undefined;
  }

  async function write(): Promise<void> {
    const taken = waiting;
    const gap = dropped;
    waiting = [];
    waitingLength = 0;
    try {
      const gapLine: LogLine = { type: "gap", time: Date.now(), events: gap };
      const text = (gap > 0 ? `${JSON.stringify(gapLine)}\n` : "") + taken.join("");
      if (id === undefined) await begin(text);
      else {
        const piece = await packed(pieces.length === 0 ? head(id) + text : text);
        await put(joinUrl(url, id, segmentName(segment)), Buffer.concat([...pieces, piece]));
        pieces.push(piece);
      }
      dropped -= gap;
      if (pieces.reduce((sum, { length }) => sum + length, 0) >= SEGMENT_BYTES) {
        segment++;
        pieces = [];
      }
      problem = undefined;
      pause = FIRST_PAUSE_MS;
      if (waiting.length > 0 && !isClosed) schedule(FLUSH_MS);
    } catch (error) {
      waiting = [...taken, ...waiting];
      waitingLength = waiting.reduce((sum, { length }) => sum + length, 0);
      problem = error instanceof Error ? error : new Error(String(error));
      if (waitingLength > MOST_WAITING) drop();
      if (!hasTold) tell(problemText(url, problem));
      hasTold = true;
      if (!isClosed) schedule(pause);
      pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
    }
  }

  /** The first write, which takes a name: sessions of several processes may have begun in the same millisecond. */
  async function begin(text: string): Promise<void> {
    const wanted = about().id;
    for (let n = 1; n <= MOST_NAMES; n++) {
      const name = n === 1 ? wanted : `${wanted}-${n}`;
      const piece = await packed(head(name) + text);
      if (!(await storage.createFile(joinUrl(url, name, segmentName(0)), piece, closing.signal))) continue;
      id = name;
      pieces = [piece];
      void cleanLogs({ storage, url }, retention(), { kept: name, signal: closing.signal }).catch(() => {});
      return;
    }
    throw new PomonaError(`${url} has ${MOST_NAMES} runs of the name ${wanted}.`);
  }

  async function put(at: Place["url"], data: Uint8Array): Promise<void> {
    const once = async function* () {
      yield data;
    };
    await storage.writeStream(at, once(), closing.signal);
  }

  /** True for progress that another line of the same attempt has told a moment ago. */
  function isTooSoon(event: EngineEvent): boolean {
    if (event.type !== "taskProgress" && event.type !== "taskEnded") return false;
    const attempt = `${event.jobId} ${event.stageId} ${event.partition} ${event.attempt}`;
    if (event.type === "taskEnded") {
      told.delete(attempt);
      return false;
    }
    if (event.time - (told.get(attempt) ?? 0) < PROGRESS_MS) return true;
    told.set(attempt, event.time);
    return false;
  }

  const onEnd = () => void flush();
  return {
    get id() {
      return id;
    },
    get problem() {
      return problem;
    },

    record(event) {
      if (isClosed || isTooSoon(event)) return;
      add(event);
      if (event.type === "jobStarted" && !hasJob) {
        hasJob = true;
        // A program that does not stop its session ends when nothing is left to do.
        process.once("beforeExit", onEnd);
      }
      if (!hasJob || problem) return;
      // What a job came to is there before the program goes on, which may keep this thread busy.
      if (event.type === "jobEnded") void flush();
      else schedule(FLUSH_MS);
    },

    flush,

    async close() {
      if (isClosed) return;
      isClosed = true;
      process.off("beforeExit", onEnd);
      if (!hasJob) return;
      const endedAt = Date.now();
      add({ type: "runEnded", time: endedAt });
      const late = setTimeout(() => closing.abort(), CLOSE_MS);
      const end = async () => {
        if (!(await flush()) || id === undefined) return;
        const run: RunAbout = { ...about(), id, type: "run", time: endedAt, format: 1 };
        const summary: RunEnd = { about: run, endedAt, counts: count.counts() };
        await put(joinUrl(url, id, endName), Buffer.from(JSON.stringify(summary)));
      };
      const abandoned = new Promise<void>((resolve) => closing.signal.addEventListener("abort", () => resolve()));
      // A list of runs does without the summary.
      await Promise.race([end().catch(() => {}), abandoned]);
      clearTimeout(late);
      clearTimeout(timer);
      if (closing.signal.aborted && !hasTold) {
        tell(`The end of this run's record is missing in ${url}: it could not be written within ${CLOSE_MS / 1000} s.`);
      }
    },
  };
}

function problemText(url: string, problem: Error): string {
  return `The record of this run can't be written to ${url}, and is tried again: ${firstLine(problem)} The run goes on. pomona.history.dir names another place, spark.eventLog.enabled false writes none.`;
}
