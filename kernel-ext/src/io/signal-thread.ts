import { runInThisContext } from "node:vm";
import { parentPort } from "node:worker_threads";

/**
 * Notices SIGINT while the main thread is busy. Node hands a SIGINT to the script that entered `breakOnSigint` last: a
 * synchronous cell on the main thread if one runs, else the wait below.
 */
const waiter = new Int32Array(new SharedArrayBuffer(4));
Object.assign(globalThis, { waitForSignal: () => Atomics.wait(waiter, 0, 0) });

keepHandler();
parentPort?.postMessage("armed");
for (;;) {
  try {
    runInThisContext("waitForSignal()", { breakOnSigint: true });
  } catch {
    parentPort?.postMessage("signal");
  }
}

/**
 * Node takes its handler away when no such script runs, and a second SIGINT right after the first would end the process. This
 * is the count of those scripts, one up for good, as Node's REPL does it.
 */
function keepHandler(): void {
  const { binding } = process as unknown as { binding?(name: "contextify"): { startSigintWatchdog?(): void } };
  binding?.("contextify").startSigintWatchdog?.();
}
