import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { STOP_IDLE, stopSlot } from "../messages";
import type { RunningExecution } from "./execute-queue";

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

/** How long an execution may take to end before the user is told that it does not. */
const PATIENCE_MS = 2000;

/** A SIGINT that is noticed within this time of our own is our own. */
const OWN_SIGNAL_MS = 500;

const NOTICE = `
The interrupt has not stopped this cell: code of a library runs, which can't be interrupted in place.
Wait for it to end, or choose Kernel > Restart, which ends it at once; the notebook's variables are lost then.
`;

/** Ways to interrupt, all at once: flags that loops of cells look at, a signal that breaks synchronous code, a message. */
export function interruption({ stop, running, endWait, tell, tellUser }: InterruptionOptions): Interruption {
  surviveSigint();
  let signalledAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const interrupt = (withSignal: boolean) => {
    const interrupted = running();
    if (!interrupted) {
      Atomics.store(stop, 0, STOP_IDLE);
      return tell(0);
    }
    Atomics.store(stop, 0, 1);
    Atomics.store(stop, stopSlot(interrupted.execution), 1);
    // A wait that ended gives way by itself; a signal might break into what follows it.
    if (!endWait() && withSignal) {
      signalledAt = performance.now();
      process.kill(process.pid, "SIGINT");
    }
    tell(interrupted.execution);
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (running()?.execution === interrupted.execution) tellUser(interrupted, NOTICE);
    }, PATIENCE_MS);
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
      // STOP_IDLE stays until main has seen it.
      Atomics.compareExchange(stop, 0, 1, 0);
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
