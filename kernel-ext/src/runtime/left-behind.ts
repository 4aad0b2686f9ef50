import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { types } from "node:util";
import type { ErrorContent } from "../messages";
import { keepLatest } from "../oldest";
import { CellFailure, errorContent } from "./cell-error";
import { isPending } from "./promise-state";

/**
 * What cells started and nobody awaits: jobs of the session, which their cell's end waits for, and rejections. A rejection that
 * its cell's end finds unhandled is the cell's error; one that comes later is the error of the next cell that ends, so that a
 * notebook that is executed fails. One whose promise a variable holds may yet be awaited and raises no alarm.
 */
export interface LeftBehind {
  /** A cell begins. */
  begin(cell: string, count: number): void;
  /** Work that a cell started. */
  work(cell: string | undefined, work: Promise<unknown>): void;
  rejected(cell: string | undefined, promise: Promise<unknown>, reason: unknown): void;
  handled(promise: Promise<unknown>): void;
  /** An exception of a timer or a listener. */
  threw(cell: string | undefined, error: unknown): void;
  /**
   * Waits for the work that a cell leaves, unless one of the cell's variables holds a promise that is pending.
   * @param names the variables that the cell sets
   * @throws CellFailure for what failed
   */
  end(cell: string, names: Iterable<string>): Promise<void>;
  /** The cell failed by itself: what it left fails no other, and is told on its standard error. */
  fail(cell: string, thrown: unknown): void;
  /** Waits for the work of all cells. @throws CellFailure for all that failed, held or not */
  endAll(): Promise<void>;
}

interface Failure {
  readonly cell: string | undefined;
  readonly reason: unknown;
  /** Undefined for an exception. */
  readonly promise: Promise<unknown> | undefined;
  isTold: boolean;
}

interface CellState {
  readonly count: number;
  /** Ended by an error of its own, or an error of what it left was told: once is enough. */
  hasFailed: boolean;
}

/** How long code that handles a rejection a little late has for it. */
const GRACE_MS = 100;

/** How long after its rejection a promise of a cell that ended is told of on standard error. */
const TELL_MS = 1_000;

/** How long nothing has to begin after a job, for its caller to count as done too. */
const QUIET_MS = 30;

/** Cells that are remembered. */
const MOST_CELLS = 10_000;

/** @param variables the notebook's */
export function leftBehind(variables: () => Readonly<Record<string, unknown>>): LeftBehind {
  const cells = new Map<string, CellState>();
  const working = new Map<Promise<unknown>, string | undefined>();
  const failures = new Set<Failure>();
  let running: string | undefined;

  const add = (failure: Failure) => {
    if (isInterrupt(failure.reason)) return;
    const state = cells.get(failure.cell ?? "");
    if (!state || state.hasFailed) return tellLater(failure);
    failures.add(failure);
    if (failure.cell !== running) tellLater(failure);
  };
  /** In the context of the rejection, so that it is told in its own cell. */
  const tellLater = (failure: Failure) => {
    failures.add(failure);
    setTimeout(() => {
      if (!failures.has(failure) || failure.isTold || isHeld(failure)) return;
      const state = cells.get(failure.cell ?? "");
      // Where it can't be the error of a cell, that was all.
      if (!state || state.hasFailed) failures.delete(failure);
      tell(failure);
    }, TELL_MS).unref();
  };
  const isHeld = ({ promise }: Failure) =>
    promise !== undefined && holds(Object.values(variables()), (each) => each === promise, true);
  /** Waits until nothing of these cells works and nothing more begins. */
  const settle = async (isOurs: (cell: string | undefined) => boolean) => {
    for (;;) {
      const left = [...working].flatMap(([work, cell]) => (isOurs(cell) ? [work] : []));
      if (left.length === 0) return;
      await Promise.allSettled(left);
      await sleep(QUIET_MS);
    }
  };
  const raise = async (cell: string | undefined, isOurs: (failure: Failure) => boolean) => {
    // Node tells of rejections once the promises that are ready have run.
    await turn();
    const found = () =>
      [...failures].filter((failure) => cells.get(failure.cell ?? "")?.hasFailed === false && isOurs(failure));
    if (found().length === 0) return;
    await sleep(GRACE_MS);
    const all = found();
    const [first, ...others] = all;
    for (const failure of all) {
      failures.delete(failure);
      const state = cells.get(failure.cell ?? "");
      if (state) state.hasFailed = true;
    }
    if (!first) return;
    for (const other of others) tell(other);
    const count = first.cell === cell ? undefined : cells.get(first.cell ?? "")?.count;
    throw new CellFailure(contentOf(first, count));
  };

  return {
    begin(cell, count) {
      running = cell;
      cells.set(cell, { count, hasFailed: false });
      keepLatest(cells, MOST_CELLS);
    },
    work(cell, work) {
      working.set(work, cell);
      const done = () => working.delete(work);
      work.then(done, done);
    },
    rejected: (cell, promise, reason) => add({ cell, promise, reason, isTold: false }),
    handled(promise) {
      for (const failure of failures) if (failure.promise === promise) failures.delete(failure);
    },
    threw(cell, error) {
      if (isInterrupt(error)) return;
      const failure: Failure = { cell, promise: undefined, reason: error, isTold: false };
      tell(failure);
      if (cells.get(cell ?? "")?.hasFailed === false) failures.add(failure);
    },
    async end(cell, names) {
      const keeps = () => holds(valuesOf(variables(), names), isPending, false);
      if ([...working.values()].includes(cell) && !keeps()) await settle((each) => each === cell);
      await raise(cell, (failure) => !isHeld(failure));
      running = undefined;
    },
    fail(cell, thrown) {
      running = undefined;
      const state = cells.get(cell);
      if (state) state.hasFailed = true;
      for (const failure of failures) {
        if (failure.cell !== cell) continue;
        failures.delete(failure);
        if (failure.reason !== thrown) tell(failure);
      }
    },
    async endAll() {
      await settle(() => true);
      await raise(undefined, () => true);
    },
  };
}

function contentOf({ reason, promise }: Failure, count: number | undefined): ErrorContent {
  const { ename, evalue, traceback } = errorContent(reason);
  const what = promise ? "A promise was rejected that nobody awaits" : "Nobody caught an exception";
  const where = count === undefined ? "" : ` in what In[${count}] left running`;
  const remedy = promise ? ": add await before the call that made it, or .catch(…) behind." : ".";
  const own = count === undefined ? "" : " The cell that shows this error ran to its end itself.";
  return {
    ename,
    evalue: `${evalue}${where && ` (${where.trim()})`}`,
    traceback: [`${what}${where}${remedy}${own}`, ...traceback],
  };
}

function tell(failure: Failure): void {
  if (failure.isTold) return;
  failure.isTold = true;
  const what = failure.promise ? "Unhandled rejection" : "Uncaught exception";
  console.error(`${what} in code that a cell left running:`, failure.reason);
}

/** A loop that goes on after its cell was interrupted, and a job of it, end in this way, as they should. */
function isInterrupt(reason: unknown): boolean {
  return reason instanceof Error && reason.name === "KeyboardInterrupt";
}

function* valuesOf(variables: Readonly<Record<string, unknown>>, names: Iterable<string>): Iterable<unknown> {
  for (const name of names) yield Object.getOwnPropertyDescriptor(variables, name)?.value;
}

/** Values that are looked at: a variable may hold millions. */
const MOST_VALUES = 10_000;

/** Whether a promise is among values, or in what they hold; in objects of classes only with `isDeep`. */
function holds(values: Iterable<unknown>, isWanted: (promise: Promise<unknown>) => boolean, isDeep: boolean): boolean {
  const seen = new Set<object>();
  const waiting: Iterable<unknown>[] = [values];
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    for (const value of next) {
      if (seen.size > MOST_VALUES) return false;
      if (typeof value !== "object" || value === null || seen.has(value)) continue;
      seen.add(value);
      if (types.isPromise(value)) {
        if (isWanted(value)) return true;
      } else waiting.push(partsOf(value, isDeep));
    }
  }
  return false;
}

function* partsOf(value: object, isDeep: boolean): Iterable<unknown> {
  if (ArrayBuffer.isView(value) || types.isProxy(value)) return;
  if (Array.isArray(value) || types.isSet(value)) yield* value.values();
  else if (types.isMap(value)) yield* value.values();
  else if (isDeep || [null, Object.prototype].includes(Object.getPrototypeOf(value)))
    for (const { value: part } of Object.values(Object.getOwnPropertyDescriptors(value))) yield part;
}
