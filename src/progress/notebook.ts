import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import type { EngineEvent } from "../engine/events";
import { kernelHost } from "../kernel/kernel-host";
import { type ProgressNotes, progressBundle } from "./notebook-html";
import { type ProgressWidgets, progressWidgets } from "./notebook-widgets";
import { type EventSource, type JobProgress, noteOf, trackProgress } from "./state";

/** A job that is over sooner leaves no block. */
const DELAY_MS = 500;

/** The least time between two updates of a block. */
const INTERVAL_MS = 300;

/** A block shows its time at least this often: what stands still looks as if it hung. */
const TICK_MS = 1000;

/** Lines of the log that a block keeps. */
const NOTES = 5;

/**
 * Shows a block of widgets in the notebook for each job that takes longer than half a second, updates it in place, and leaves
 * its final state there as HTML, which every page shows without widgets. Outside a notebook it shows nothing.
 * @returns a function that ends it
 */
export function showNotebookProgress(source: EventSource): () => void {
  const tracker = trackProgress(source);
  const blocks = new Map<string, Block>();

  const onEvent = (event: EngineEvent) => {
    const note = noteOf(event);
    if (note) return addNote(note, [...blocks.values()]);
    const job = tracker.apply(event);
    if (event.type === "storageRetried") for (const { update } of blocks.values()) update();
    if (!job) return;
    let block = blocks.get(job.jobId);
    if (!block) {
      block = startBlock(job, (now) => tracker.refresh(job, now));
      blocks.set(job.jobId, block);
    }
    if (job.status === "running") {
      block.update();
    } else {
      blocks.delete(job.jobId);
      block.end();
    }
  };
  const unsubscribe = source.subscribe(onEvent);
  return () => {
    unsubscribe();
    for (const block of blocks.values()) block.stop();
    blocks.clear();
  };
}

interface Block {
  readonly notes: ProgressNotes;
  /** Shows the present state, now or as soon as it may. */
  update(): void;
  /** Shows the final state. */
  end(): void;
  stop(): void;
}

function startBlock(job: JobProgress, refresh: (now: number) => void): Block {
  const displayId = `pomona-job-${randomBytes(8).toString("hex")}`;
  const notes: ProgressNotes = { warnings: [], lines: [] };
  // Events come from worker threads; what they bring belongs to the cell that started the job.
  const inCell = AsyncLocalStorage.snapshot() as <T>(run: () => T) => T;
  let widgets: ProgressWidgets | undefined;
  let isShown = false;
  let next = Date.now() + DELAY_MS;
  let timer: NodeJS.Timeout | undefined;
  const ticking = setInterval(() => update(), TICK_MS).unref();

  const show = () => {
    clearTimeout(timer);
    timer = undefined;
    const now = Date.now();
    next = now + INTERVAL_MS;
    refresh(now);
    const host = kernelHost();
    if (!host) return;
    const data = progressBundle(job, notes);
    const transient = { display_id: displayId };
    if (job.status !== "running") {
      widgets?.update(job, notes);
      host.display({ data, transient }, isShown);
      widgets?.close();
    } else if (widgets) {
      widgets.update(job, notes);
    } else {
      widgets = progressWidgets(job, notes);
      host.display({ data: { ...widgets.view, ...data }, transient }, false);
    }
    isShown = true;
  };
  const update = () => {
    const wait = next - Date.now();
    if (wait <= 0) inCell(show);
    // Unreferenced: progress is no reason to keep a process alive.
    else timer ??= setTimeout(() => inCell(show), wait).unref();
  };
  update();
  return {
    notes,
    update,
    end() {
      clearInterval(ticking);
      clearTimeout(timer);
      if (isShown || job.seconds * 1000 >= DELAY_MS || notes.warnings.length > 0) inCell(show);
    },
    stop() {
      clearInterval(ticking);
      clearTimeout(timer);
      widgets?.close();
    },
  };
}

function addNote(note: NonNullable<ReturnType<typeof noteOf>>, blocks: readonly Block[]): void {
  if (blocks.length === 0) {
    if (note.level === "warn") console.warn(note.text);
    return;
  }
  for (const { notes, update } of blocks) {
    const lines = note.level === "warn" ? notes.warnings : notes.lines;
    // Every worker says the same when it loads a model.
    if (lines.includes(note.text)) continue;
    lines.push(note.text);
    if (lines.length > NOTES) lines.shift();
    update();
  }
}
