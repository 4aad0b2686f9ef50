import { availableParallelism } from "node:os";
import { IllegalArgumentError } from "../../errors";

/** The masters of the embedded engine, for remedies. */
export const LOCAL_MASTERS = 'Use "local", "local[4]" (four workers) or "local[*]" (one for each core).';

/** Far more than any machine has cores; a thread takes some 5 MB before it does anything. */
const MOST_WORKERS = 1024;

/** How many workers `local`, `local[N]` or `local[*]` asks for. @throws IllegalArgumentError */
export function parseLocalMaster(master: string): number {
  const match = /^local(?:\[(\*|\d+)\])?$/.exec(master);
  const count = match?.[1] === undefined ? 1 : match[1] === "*" ? availableParallelism() : Number(match[1]);
  if (!match || count < 1) {
    throw new IllegalArgumentError(`${JSON.stringify(master)} is not a master URL.`, {
      remedy: LOCAL_MASTERS,
    });
  }
  if (count > MOST_WORKERS) {
    throw new IllegalArgumentError(
      `${JSON.stringify(master)} asks for ${count.toLocaleString("en-US")} worker threads.`,
      {
        remedy: `Use "local[*]", one for each of this machine's ${availableParallelism()} cores; ${MOST_WORKERS} is the most.`,
      },
    );
  }
  return count;
}
