import type { EngineEvent } from "../engine/events";
import { countText, durationText, rateText } from "../showing/quantities";
import { endpointsText } from "./endpoints";
import {
  type EventSource,
  fractionDone,
  type JobProgress,
  noteOf,
  type ProgressTracker,
  type StageProgress,
  storageRetryTexts,
  tasksText,
  trackProgress,
} from "./state";

/** Where progress is written: `process.stderr`, or something like it. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface TerminalProgressOptions {
  /** @default process.stderr */
  readonly stream?: ProgressStream;
  /** `CI` and `TERM=dumb` mean plain lines, `NO_COLOR` no colours. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A stage that is over sooner gets no line of its own on a terminal. */
const DELAY_MS = 500;
const REDRAW_MS = 200;
/** Where lines cannot be redrawn, how often a running stage says where it is. */
const PLAIN_MS = 30_000;

/**
 * Shows the progress of an engine's jobs on standard error: on a terminal one line per running stage, redrawn in place;
 * elsewhere (a file, CI) a line when a stage starts, when it ends, and every 30 seconds between.
 * @returns a function that ends it
 */
export function showTerminalProgress(
  source: EventSource,
  { stream = process.stderr, env = process.env }: TerminalProgressOptions = {},
): () => void {
  const isTerminal = stream.isTTY === true && !env.CI && env.TERM !== "dumb";
  const paint = isTerminal && !env.NO_COLOR ? colours : plain;
  const tracker = trackProgress(source);
  const view = isTerminal ? terminalView(tracker, stream, paint) : plainView(tracker, stream);
  const unsubscribe = source.subscribe(view.onEvent);
  return () => {
    unsubscribe();
    view.close();
  };
}

interface View {
  onEvent(event: EngineEvent): void;
  close(): void;
}

/** How words are coloured. */
interface Paint {
  done(text: string): string;
  failed(text: string): string;
  faint(text: string): string;
}

const plain: Paint = { done: (text) => text, failed: (text) => text, faint: (text) => text };
const colours: Paint = {
  done: (text) => `\x1b[32m${text}\x1b[0m`,
  failed: (text) => `\x1b[31m${text}\x1b[0m`,
  faint: (text) => `\x1b[2m${text}\x1b[0m`,
};

function terminalView(tracker: ProgressTracker, stream: ProgressStream, paint: Paint): View {
  let drawn = 0;
  let nextDraw = 0;
  let timer: NodeJS.Timeout | undefined;

  const erase = () => {
    if (drawn > 0) stream.write(`\x1b[${drawn}A\x1b[0J`);
    drawn = 0;
  };
  const draw = () => {
    clearTimeout(timer);
    timer = undefined;
    const now = Date.now();
    nextDraw = now + REDRAW_MS;
    const lines: string[] = [];
    for (const job of tracker.running) {
      tracker.refresh(job, now);
      const running = job.stages.filter((stage) => stage.status === "running" && now - stage.startedAt >= DELAY_MS);
      lines.push(...running.map((stage) => runningLine(stage, stream.columns ?? 80, paint)));
      lines.push(...jobLines(job).map((text) => text.slice(0, (stream.columns ?? 80) - 1)));
    }
    erase();
    if (lines.length > 0) stream.write(`${lines.join("\n")}\n`);
    drawn = lines.length;
    if (tracker.running.length > 0) schedule(REDRAW_MS);
  };
  const schedule = (wait: number) => {
    // Unreferenced: progress is no reason to keep a process alive.
    timer ??= setTimeout(draw, wait).unref();
  };
  const print = (line: string) => {
    erase();
    stream.write(`${line}\n`);
    nextDraw = 0;
  };
  return {
    onEvent(event) {
      const job = tracker.apply(event);
      const note = noteOf(event);
      if (note) print(noteLine(note));
      if (event.type === "stageEnded") {
        const stage = job?.stages.find(({ stageId }) => stageId === event.stageId);
        const isWorthALine = event.seconds * 1000 >= DELAY_MS || event.status !== "succeeded";
        if (stage && isWorthALine) print(endedLine(stage, paint));
      }
      if (event.type === "jobEnded" && job) for (const text of jobLines(job)) print(text);
      const wait = nextDraw - Date.now();
      if (wait <= 0) draw();
      else schedule(wait);
    },
    close() {
      clearTimeout(timer);
      erase();
    },
  };
}

function plainView(tracker: ProgressTracker, stream: ProgressStream): View {
  const timer = setInterval(() => {
    for (const job of tracker.running) {
      tracker.refresh(job, Date.now());
      for (const stage of job.stages.filter(({ status }) => status === "running")) {
        stream.write(`${stage.name}: ${facts(stage).join(", ")}\n`);
      }
      for (const text of jobLines(job)) stream.write(`${text}\n`);
    }
  }, PLAIN_MS).unref();
  return {
    onEvent(event) {
      const job = tracker.apply(event);
      const note = noteOf(event);
      if (note) stream.write(`${noteLine(note)}\n`);
      if (event.type === "stageStarted") {
        const resumed = event.resumedTasks > 0 ? `, ${event.resumedTasks} of them done by an earlier run` : "";
        const rows = event.rows > 0 ? `${countText(event.rows)} rows in ` : "";
        const tasks = `${countText(event.tasks)} task${event.tasks === 1 ? "" : "s"}`;
        stream.write(`${event.name}: started, ${rows}${tasks}${resumed}\n`);
      }
      if (event.type === "stageEnded") {
        const stage = job?.stages.find(({ stageId }) => stageId === event.stageId);
        if (stage) stream.write(`${endedLine(stage, plain)}\n`);
      }
      const where = event.type === "jobEnded" && job ? endpointsText(job.endpoints, false) : undefined;
      if (where !== undefined) stream.write(`${where}\n`);
    },
    close: () => clearInterval(timer),
  };
}

/** What is said of a job beside its stages. */
function jobLines(job: JobProgress): string[] {
  const where = job.seconds * 1000 < DELAY_MS ? undefined : endpointsText(job.endpoints, job.status === "running");
  return [...(where === undefined ? [] : [where]), ...storageRetryTexts(job)];
}

const BAR_WIDTH = 20;

function runningLine(stage: StageProgress, columns: number, paint: Paint): string {
  const filled = Math.round(fractionDone(stage) * BAR_WIDTH);
  const start = `${stage.name} `;
  const rest = ` ${facts(stage).join("  ")}`;
  // A line that wraps could not be redrawn in place.
  const room = columns - 1;
  if (start.length + BAR_WIDTH + rest.length > room + 20) return `${start}${rest.trimStart()}`.slice(0, room);
  const bar = `${paint.done("█".repeat(filled))}${paint.faint("░".repeat(BAR_WIDTH - filled))}`;
  return `${start}${bar}${rest.slice(0, Math.max(0, room - start.length - BAR_WIDTH))}`;
}

function facts(stage: StageProgress): string[] {
  const parts = [`${Math.floor(fractionDone(stage) * 100)} %`];
  if (stage.rows > 0) parts.push(`${countText(stage.doneRows)}/${countText(stage.rows)} rows`);
  if (stage.rowsPerSecond !== undefined) parts.push(rateText(stage.rowsPerSecond));
  if (stage.secondsLeft !== undefined) parts.push(`${durationText(stage.secondsLeft)} left`);
  parts.push(tasksText(stage));
  return parts;
}

function endedLine(stage: StageProgress, paint: Paint): string {
  const time = durationText(stage.seconds);
  const tasks = tasksText(stage);
  switch (stage.status) {
    case "succeeded": {
      const rows = stage.rows > 0 ? `${countText(stage.rows)} rows in ` : "";
      const rate = stage.rowsPerSecond ? ` (${rateText(stage.rowsPerSecond)})` : "";
      return `${paint.done("✔")} ${stage.name}: ${rows}${time}${rate}, ${tasks}`;
    }
    case "failed":
      return `${paint.failed("✖")} ${stage.name}: failed after ${time}, ${tasks}`;
    default:
      return `${paint.failed("■")} ${stage.name}: ${stage.status} after ${time}, ${tasks}`;
  }
}

function noteLine({ level, text }: { readonly level: "info" | "warn"; readonly text: string }): string {
  return level === "warn" ? `warning: ${text}` : text;
}
