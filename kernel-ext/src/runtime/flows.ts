import { AsyncLocalStorage } from "node:async_hooks";
import { STOP_ALL, STOP_ANY, STOP_NOTICED, STOP_OTHERS, STOP_URGENT, stopSlot } from "../messages";
import { KeyboardInterrupt } from "./cell-error";

/**
 * What a cell started: its code, that of the functions it calls, and of their timers, promises and callbacks. Code that a later
 * cell wrote and this flow calls counts as that cell's.
 */
interface Flow {
  readonly execution: number;
  /** How many interrupts it has seen: 0 for code that the first one stops, 1 for what cleans up after that. */
  readonly seen: number;
}

/** Where code was before a `try`; undefined while nothing was ever interrupted. */
type Here = Flow | 0 | undefined;

/** An `await` of guarded code that is pending. */
interface Waiter {
  readonly flow: Flow;
  /** Later calls of functions have larger numbers, so that what was called ends before what called it. */
  readonly frame: number;
  reject(error: unknown): void;
}

/** What compiled cells call, see `language/guards.ts`. The first argument is the cell that wrote the code, 0 in a module. */
export interface Guard {
  /** Throws where an interrupt has stopped the code. */
  (cell: number): void;
  /** The same where an async function begins. @returns the number of its run */
  frame(cell: number): number;
  /** What `await` is to wait for in the place of `value`: it ends at once when the code is interrupted. */
  wait(cell: number, frame: number, here: Here, value: unknown): unknown;
  /** The same in an expression, whose run has no variable of its own: `back` does not know it. */
  once(cell: number, frame: number, here: Here, value: unknown): unknown;
  /** The same for a promise that `then` and the like are called on. */
  chain(cell: number, frame: number, here: Here, value: unknown): unknown;
  /** The same for what `for await` and `yield*` go through. */
  each(cell: number, frame: number, here: Here, values: unknown): unknown;
  here(cell: number): Here;
  /** Begins a `catch` or `finally`, which runs to its end after an interrupt too. */
  enter(cell: number, here: Here): void;
  /** Ends it: nothing behind it runs after an interrupt. */
  end(cell: number, here: Here): void;
  /** Leaves a `catch` or `finally` that waits or yields, for the code that called the function. */
  away<T>(cell: number, frame: number, here: Here, value: T): T;
  /** Comes back to it. */
  again<T>(cell: number, frame: number, here: Here, value: T): T;
  /** Comes back from what `wait` gave. */
  back<T>(cell: number, frame: number, here: Here, value: T): T;
}

export interface Flows {
  readonly guard: Guard;
  /** Runs a cell. */
  within<T>(execution: number, run: () => T): T;
  /** Runs code that no interrupt stops, such as listeners to it. */
  free<T>(run: () => T): T;
  /** True where the code that runs belongs to an execution that was interrupted. */
  isStopped(): boolean;
  /**
   * Ends what the execution waits for, what was called last first, each once the `finally` and `catch` of those before are done.
   * Called again at a further interrupt, it ends what these wait for.
   */
  end(execution: number): Promise<void>;
}

/** @param stop the stop flags, see `messages.ts` */
export function interruptibleFlows(stop: Int32Array): Flows {
  const store = new AsyncLocalStorage<Flow>();
  /** By their frames: each waits for one thing at a time. */
  const waiting = new Map<number, Waiter>();
  /** Others, such as promise chains. */
  const others = new Set<Waiter>();
  const ends = new Map<number, Promise<void>>();
  let isAnyInterrupted = false;
  let running = 0;
  let frames = 0;
  let changed = () => {};

  const interruptsOf = (execution: number) => (execution === 0 ? 0 : (stop[stopSlot(execution)] ?? 0));
  const flowOf = (cell: number): Flow => {
    const flow = store.getStore();
    return flow && flow.execution >= cell ? flow : { execution: cell, seen: 0 };
  };
  const isStopped = ({ execution, seen }: Flow): boolean => {
    if (execution === FREE) return false;
    const interrupts = interruptsOf(execution);
    if (seen < interrupts || interrupts >= STOP_ALL) return true;
    // A loop that keeps this thread from hearing of the interrupt is ended, whosever it is.
    return stop[0] === STOP_ANY || (stop[0] === STOP_OTHERS && execution !== running);
  };
  const isPlain = () => !isAnyInterrupted && stop[0] === 0;
  const fail = (): KeyboardInterrupt => {
    isAnyInterrupted = true;
    Atomics.compareExchange(stop, 0, STOP_URGENT, STOP_NOTICED);
    return new KeyboardInterrupt();
  };
  const check = (cell: number) => {
    if (isStopped(flowOf(cell))) throw fail();
  };
  const outside = (cell: number, here: Here): Flow => {
    if (here) return here;
    return { execution: flowOf(cell).execution, seen: 0 };
  };

  /**
   * The same as the value, but ended by an interrupt. Stack traces go through a promise that is resolved by another one's own
   * function alone, so who removes the waiter is the code that goes on.
   */
  const ended = (waiter: Waiter, value: unknown, isFrames: boolean): Promise<unknown> =>
    new Promise((resolve, reject) => {
      waiter.reject = reject;
      const remove = () => {
        if (isFrames && waiting.get(waiter.frame) === waiter) waiting.delete(waiter.frame);
        else others.delete(waiter);
        changed();
      };
      const failed = (error: unknown) => {
        remove();
        reject(error);
      };
      const done = Promise.resolve(value).then(resolve, failed);
      if (isFrames) waiting.set(waiter.frame, waiter);
      else {
        others.add(waiter);
        void done.then(remove);
      }
    });
  const newWaiter = (cell: number, frame: number): Waiter => ({ flow: flowOf(cell), frame, reject() {} });

  const guard: Guard = Object.assign(
    (cell: number) => {
      if (stop[0] !== 0 || (cell !== 0 && stop[stopSlot(cell)] !== 0)) check(cell);
    },
    {
      frame(cell: number) {
        if (!isPlain()) check(cell);
        return ++frames;
      },
      wait(cell: number, frame: number, here: Here, value: unknown) {
        if (!isPlain()) check(cell);
        const waits = isThenable(value) ? ended(newWaiter(cell, frame), value, true) : value;
        return here === 0 ? waits : guard.away(cell, frame, here, waits);
      },
      once(cell: number, frame: number, here: Here, value: unknown) {
        if (!isPlain()) check(cell);
        const waits = isThenable(value) ? ended(newWaiter(cell, frame), value, false) : value;
        return here === 0 ? waits : guard.away(cell, frame, here, waits);
      },
      chain(cell: number, frame: number, _here: Here, value: unknown) {
        // Other classes have a `then` or `catch` of their own.
        if (!(value instanceof Promise) || value.constructor !== Promise) return value;
        return ended(newWaiter(cell, frame + 0.5), value, false);
      },
      each(cell: number, frame: number, _here: Here, values: unknown) {
        return endedEach(values, async (next) => {
          const given = await guard.once(cell, frame, 0, next);
          if (!isPlain()) check(cell);
          return given;
        });
      },
      here: () => (isPlain() ? undefined : store.getStore()),
      enter(cell: number, here: Here) {
        if (isPlain()) return;
        const flow = outside(cell, here);
        if (isStopped(flow)) store.enterWith({ execution: flow.execution, seen: interruptsOf(flow.execution) });
      },
      end(cell: number, here: Here) {
        if (isPlain()) return;
        const flow = outside(cell, here);
        if (!isStopped(flow)) return;
        store.enterWith(flow);
        throw fail();
      },
      away<T>(cell: number, _frame: number, here: Here, value: T): T {
        if (!isPlain()) {
          const flow = outside(cell, here);
          if (isStopped(flow)) store.enterWith(flow);
        }
        return value;
      },
      again<T>(cell: number, _frame: number, here: Here, value: T): T {
        guard.enter(cell, here);
        return value;
      },
      back<T>(cell: number, frame: number, here: Here, value: T): T {
        waiting.delete(frame);
        if (isPlain()) return value;
        changed();
        if (here === 0) check(cell);
        else guard.enter(cell, here);
        return value;
      },
    },
  );

  const endAll = async (execution: number) => {
    for (;;) {
      const own = [...waiting.values(), ...others].filter(({ flow }) => flow.execution === execution);
      const left = own.filter(({ flow }) => isStopped(flow)).sort((a, b) => b.frame - a.frame);
      if (own.length === 0) return;
      for (const waiter of left) {
        while (cleansUp(execution)) await change();
        if (waiting.get(waiter.frame) === waiter) waiting.delete(waiter.frame);
        else if (!others.delete(waiter)) continue;
        waiter.reject(new KeyboardInterrupt());
        await turn();
      }
      if (cleansUp(execution)) await change();
    }
  };
  const cleansUp = (execution: number) =>
    [...waiting.values(), ...others].some(
      ({ flow }) => flow.seen > 0 && flow.execution === execution && !isStopped(flow),
    );
  const change = async () => {
    await new Promise<void>((resolve) => {
      changed = resolve;
    });
    await turn();
  };

  return {
    guard,
    within(execution, run) {
      running = execution;
      return store.run({ execution, seen: 0 }, run);
    },
    free: (run) => store.run({ execution: FREE, seen: 0 }, run),
    isStopped: () => {
      const flow = store.getStore();
      return flow !== undefined && isStopped(flow);
    },
    end(execution) {
      isAnyInterrupted = true;
      changed();
      const end = ends.get(execution) ?? store.run({ execution: FREE, seen: 0 }, () => endAll(execution));
      ends.set(execution, end);
      return end.finally(() => ends.delete(execution));
    },
  };
}

/** The execution of code that belongs to no cell. */
const FREE = Number.POSITIVE_INFINITY;

/** Long enough for promises that wait for one another to settle. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isThenable(value: unknown): boolean {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

interface AnyAsyncIterable {
  [Symbol.asyncIterator]?(): AsyncIterator<unknown>;
  [Symbol.iterator]?(): Iterator<unknown>;
}

/** The same values, where each wait for the next one goes through `wait`. */
function endedEach(values: unknown, wait: (next: unknown) => Promise<unknown>): unknown {
  const given = values as AnyAsyncIterable | null | undefined;
  const isAsync = given?.[Symbol.asyncIterator] != null;
  // What can't be gone through fails as it would without guards.
  if (!isAsync && given?.[Symbol.iterator] == null) return values;
  const source = isAsync ? (given as AsyncIterable<unknown>) : awaited(given as Iterable<unknown>);
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]();
      const { next } = iterator;
      return {
        async next(...args: [] | [unknown]) {
          try {
            return await wait(next.apply(iterator, args));
          } catch (error) {
            // `for await` takes one whose `next` fails to be at its end; this one is not, and may hold something open.
            if (error instanceof KeyboardInterrupt) iterator.return?.().catch(() => undefined);
            throw error;
          }
        },
        return: iterator.return && ((...args: [] | [unknown]) => iterator.return?.(...args)),
        throw: iterator.throw && ((...args: [] | [unknown]) => iterator.throw?.(...args)),
      };
    },
  };
}

async function* awaited(values: Iterable<unknown>): AsyncGenerator<unknown> {
  yield* values;
}
