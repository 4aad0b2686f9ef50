import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";

export type ParquetWasm = typeof import("parquet-wasm");

const load = createRequire(__filename);
let current: ParquetWasm | undefined;

/** The Parquet library in WebAssembly. Its objects work with one another only within one instance. */
export function parquetWasm(): ParquetWasm {
  if (!current) {
    setFlagsFromString(PATIENT_OPTIMIZER);
    current = load("parquet-wasm") as ParquetWasm;
  }
  return current;
}

/**
 * Bytes of code that a function runs before V8 optimizes it; the default is 1.8 million. The library's functions are large: to
 * optimize them took a second of processor time where a few small files were written, a twentieth of a short job.
 */
const PATIENT_OPTIMIZER = "--wasm-tiering-budget=100000000";

/**
 * Runs work of the library that a damaged file may end in a trap (`unreachable`). What is in the instance's memory then is
 * anybody's guess: the next use gets a fresh one.
 */
export function trapped<T>(work: (wasm: ParquetWasm) => T): T {
  try {
    return work(parquetWasm());
  } catch (error) {
    if (isTrap(error)) renew();
    throw error;
  }
}

/** The same for work that goes on later, where a trap is beyond any promise: it ends the process unless it is caught here. */
export function trappedLater<T>(work: (wasm: ParquetWasm) => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const settle = (end: () => void) => {
      process.off("uncaughtException", onUncaught);
      end();
    };
    const onUncaught = (error: unknown) => {
      settle(() => {
        if (!isTrap(error)) throw error;
        renew();
        reject(error);
      });
    };
    process.on("uncaughtException", onUncaught);
    work(parquetWasm()).then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}

// The types of Node do not know WebAssembly's own errors.
function isTrap(error: unknown): boolean {
  return error instanceof Error && error.name === "RuntimeError";
}

function renew(): void {
  delete load.cache[load.resolve("parquet-wasm")];
  current = undefined;
}
