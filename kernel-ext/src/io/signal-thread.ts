import { runInThisContext } from "node:vm";
import { parentPort } from "node:worker_threads";

/**
 * Notices SIGINT while the main thread is busy. Node hands a SIGINT to the script that entered `breakOnSigint` last: a
 * synchronous cell on the main thread if one runs, else the wait below.
 */
const waiter = new Int32Array(new SharedArrayBuffer(4));
Object.assign(globalThis, { waitForSignal: () => Atomics.wait(waiter, 0, 0) });

for (;;) {
  try {
    runInThisContext("waitForSignal()", { breakOnSigint: true });
  } catch {
    parentPort?.postMessage("signal");
  }
}
