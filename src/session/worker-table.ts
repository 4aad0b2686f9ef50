import type { WorkerMachine } from "../engine/contract";
import type { EngineEvent } from "../engine/events";
import { machineOf } from "../engine/workers";

/** A machine that runs a session's tasks, and what it has done since the session began. */
export interface WorkerRecord extends Omit<WorkerMachine, "tasks"> {
  /** Tasks that run there now. */
  readonly running: number;
  /** Attempts that succeeded. */
  readonly done: number;
  /** Attempts that failed, or were lost with a worker; not those that were cancelled. */
  readonly failed: number;
  /** Rows that the tasks that are done made for each second in which tasks ran there, to three digits; undefined before the first. */
  readonly rowsPerSecond: number | undefined;
}

interface Tally {
  running: number;
  done: number;
  failed: number;
  rows: number;
  /** Milliseconds in which something ran, up to `since` where something runs now. */
  busy: number;
  since: number;
}

/** Counts what the events tell of each machine's workers. */
export function workerTable() {
  const tallies = new Map<string, Tally>();
  const tallyOf = (worker: string): Tally => {
    const name = machineOf(worker);
    const tally = tallies.get(name) ?? { running: 0, done: 0, failed: 0, rows: 0, busy: 0, since: 0 };
    tallies.set(name, tally);
    return tally;
  };
  return {
    record(event: EngineEvent): void {
      if (event.type === "taskStarted") {
        const tally = tallyOf(event.worker);
        if (tally.running++ === 0) tally.since = event.time;
      } else if (event.type === "taskEnded") {
        const tally = tallyOf(event.worker);
        tally.running--;
        if (tally.running === 0) tally.busy += event.time - tally.since;
        if (event.status === "succeeded") tally.done++;
        if (event.status === "failed") tally.failed++;
        tally.rows += event.rows;
      }
    },
    rows(machines: readonly WorkerMachine[]): WorkerRecord[] {
      return machines.map(({ tasks, ...told }) => {
        const tally = tallies.get(told.endpoint);
        const { running = 0, done = 0, failed = 0 } = tasks ?? tally ?? {};
        const rows = tally?.rows ?? 0;
        const busy = tally ? tally.busy + (running > 0 ? Date.now() - tally.since : 0) : 0;
        const rowsPerSecond = done > 0 && busy > 0 ? Number(((rows * 1000) / busy).toPrecision(3)) : undefined;
        return { ...told, running, done, failed, rowsPerSecond };
      });
    },
  };
}
