import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { STOP_ALL, STOP_ANY, STOP_IDLE, STOP_NOTICED, STOP_OTHERS, STOP_URGENT, stopSlot } from "../messages";
import type { RunningExecution } from "./execute-queue";
import { interruptChildren } from "./processes";

export interface Interruption {
  /** Interrupts the execution that runs, else what cells left running. */
  request(): void;
  /** A new execution starts: nobody interrupted it yet. */
  clear(execution: number): void;
}

export interface InterruptionOptions {
  readonly stop: Int32Array;
  readonly running: () => RunningExecution | undefined;
  /** Ends a wait for input. @returns false where there is none */
  readonly endWait: () => boolean;
  /** Tells main. */
  readonly tell: (execution: number) => void;
  /** The execution goes on all the same. */
  readonly tellUser: (running: RunningExecution, text: string) => void;
}

/** How long a guard of the cell's own code may take to notice. */
const GUARDS_MS = 100;

/** How long main may take to hear of an interrupt before what other cells left running is taken to keep it from that. */
const OTHERS_MS = 500;

/** How long an execution may take to end before the user is told that it does not. */
const PATIENCE_MS = 2000;

/** A SIGINT that is noticed within this time of our own is our own. */
const OWN_SIGNAL_MS = 500;

const NOTICE = `
The interrupt has not stopped this cell yet. Either its finally and catch blocks still run: interrupt again to end these too.
Or code of a library runs, which can't be interrupted in place: wait for it to end, or choose Kernel > Restart, which ends it at
once; the notebook's variables are lost then.
`;

/** Ways to interrupt, all at once: flags that loops of cells look at, a signal that breaks synchronous code, a message. */
export function interruption({ stop, running, endWait, tell, tellUser }: InterruptionOptions): Interruption {
  surviveSigint();
  let signalledAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let signalTimer: NodeJS.Timeout | undefined;
  let othersTimer: NodeJS.Timeout | undefined;

  const signal = () => {
    signalledAt = performance.now();
    process.kill(process.pid, "SIGINT");
  };
  /** Unless main has heard by then and taken the flag back. */
  const endOthersLater = (flags: readonly number[], others: number) => {
    clearTimeout(othersTimer);
    othersTimer = setTimeout(() => {
      for (const flag of flags) Atomics.compareExchange(stop, 0, flag, others);
    }, OTHERS_MS);
  };
  /** Ends code that cleans up without giving main a chance to hear of anything; where that is no use the user is told. */
  const endForGood = (interrupted: RunningExecution) => {
    const isRunning = () => running()?.execution === interrupted.execution;
    if (isRunning() && Atomics.load(stop, 0) !== 0) Atomics.store(stop, stopSlot(interrupted.execution), STOP_ALL);
    timer = setTimeout(() => isRunning() && tellUser(interrupted, NOTICE), GUARDS_MS);
  };
  const interrupt = (withSignal: boolean) => {
    const interrupted = running();
    if (!interrupted) {
      Atomics.store(stop, 0, STOP_IDLE);
      endOthersLater([STOP_IDLE], STOP_ANY);
      return tell(0);
    }
    Atomics.store(stop, 0, STOP_URGENT);
    endOthersLater([STOP_URGENT, STOP_NOTICED], STOP_OTHERS);
    const isFirst = Atomics.add(stop, stopSlot(interrupted.execution), 1) === 0;
    interruptChildren(interrupted.started);
    // A wait that ended gives way by itself; a signal might break into what follows it.
    if (!endWait() && withSignal) {
      // A signal runs no `finally`, as a guard does that comes first; code that swallows what the guard throws needs one.
      clearTimeout(signalTimer);
      if (!isFirst) signal();
      else signalTimer = setTimeout(() => Atomics.load(stop, 0) === STOP_URGENT && signal(), GUARDS_MS);
    }
    tell(interrupted.execution);
    clearTimeout(timer);
    timer = setTimeout(() => endForGood(interrupted), PATIENCE_MS);
  };

  const onSignal = () => {
    if (performance.now() - signalledAt > OWN_SIGNAL_MS) interrupt(false);
    else signalledAt = Number.NEGATIVE_INFINITY;
  };

  const signals = new Worker(join(__dirname, "signal-thread.js"), { stdout: true, stderr: true });
  signals.unref();
  signals.on("message", onSignal);

  return {
    request: () => interrupt(true),
    clear(execution) {
      clearTimeout(timer);
      clearTimeout(signalTimer);
      // Not the one for others: what keeps main from hearing of the interrupt keeps it from this execution too.
      // Main resets slot 0 when it hears of the interrupt.
      Atomics.store(stop, stopSlot(execution), 0);
    },
  };
}

/**
 * Node takes its handler of SIGINT away when no `breakOnSigint` script runs, and the next signal would end the process. This is
 * the count of those scripts, one up for good, as Node's REPL does it.
 */
function surviveSigint(): void {
  const { binding } = process as unknown as { binding?(name: "contextify"): { startSigintWatchdog?(): void } };
  binding?.("contextify").startSigintWatchdog?.();
}
