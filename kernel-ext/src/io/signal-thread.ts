import { runInThisContext } from "node:vm";
import { parentPort } from "node:worker_threads";

/**
 * Notices SIGINT while the main thread is busy, and keeps it from ending the process. Node hands a SIGINT to the script that
 * entered `breakOnSigint` last: a synchronous cell on the main thread if one runs, else the inner wait below. The outer one
 * holds the signal's handler in place while the inner one is set up again.
 */
const waiter = new Int32Array(new SharedArrayBuffer(4));
const scope = globalThis as unknown as { pomonaWait?: () => void; pomonaOuter?: () => void };

scope.pomonaWait = () => void Atomics.wait(waiter, 0, 0);
scope.pomonaOuter = () => {
  for (;;) untilSignal("pomonaWait()");
};

parentPort?.postMessage("armed");
for (;;) untilSignal("pomonaOuter()");

function untilSignal(script: string): void {
  try {
    runInThisContext(script, { breakOnSigint: true });
  } catch {
    parentPort?.postMessage("signal");
  }
}
