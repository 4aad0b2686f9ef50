import { join } from "node:path";
import type { StartOptions, Workplace } from "./command-line";

/** What a preload replaces to hold or to end a command at a file. */
export const STORAGE = join(__dirname, "..", "..", "dist", "storage", "local-storage.js");

/**
 * Such that a command's workers read so many images and wait at the next one until their task is cancelled: on any machine, the job
 * is then in its middle.
 */
export function heldAfter(at: Workplace, images: number): StartOptions {
  const preload = at.file(
    "held.js",
    `if (!require("node:worker_threads").isMainThread) {
      const { localStorage } = require(${JSON.stringify(STORAGE)});
      const { readFile } = localStorage;
      let left = ${images};
      localStorage.readFile = (url, reading) =>
        url.endsWith(".jpg") && left-- <= 0
          ? new Promise((_, cancelled) => reading?.signal?.addEventListener("abort", () => cancelled(reading.signal.reason)))
          : readFile(url, reading);
    }`,
  );
  return { preload };
}
