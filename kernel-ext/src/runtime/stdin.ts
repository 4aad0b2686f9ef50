import { Readable } from "node:stream";
import type { Input } from "./input";
import { TO_THE_END } from "./stdin-reads";

/**
 * Puts a standard input into `process` that asks in the notebook, line by line, whenever someone reads it, as `readline` does;
 * the kernel's own has ended, and waiting for it never would.
 * @param fail ends the cell that runs: readline never tells who waits that its input failed
 */
export function defineStdin(readLine: Input["readLine"], fail: (error: unknown) => void): void {
  let stdin: Readable | undefined;
  Object.defineProperty(process, "stdin", {
    configurable: true,
    enumerable: true,
    get() {
      if (!stdin || stdin.destroyed || stdin.readableEnded) stdin = asking(readLine, fail);
      return stdin;
    },
  });
}

function asking(readLine: Input["readLine"], fail: (error: unknown) => void): Readable {
  /** Read by `for await`, whose loop is to end. */
  let endsByEmpty = false;
  const stdin = new Readable({
    // One line at a time: none is asked for before the one before is read.
    highWaterMark: 0,
    read() {
      readLine(endsByEmpty ? TO_THE_END : "", { password: false }).then(
        (line) => this.push(endsByEmpty && line === "" ? null : `${line}\n`),
        (error) => {
          fail(error);
          this.destroy();
        },
      );
    },
  });
  const iterate = stdin[Symbol.asyncIterator];
  stdin[Symbol.asyncIterator] = () => {
    endsByEmpty = true;
    return iterate.call(stdin);
  };
  return Object.assign(stdin, { fd: 0, isTTY: false, ref: () => stdin, unref: () => stdin });
}
