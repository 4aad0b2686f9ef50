/** A counter on one line of the terminal; silent where standard error is none, or with `--quiet`. */
export interface ProgressLine {
  /** @param total undefined where it is not known */
  update(done: number, total?: number): void;
  end(): void;
}

/** At most this often, in milliseconds: a terminal over a network should not be flooded. */
const INTERVAL = 100;

export function progressLine(name: string, quiet: boolean): ProgressLine {
  const shown = !quiet && process.stderr.isTTY === true;
  let last = 0;
  return {
    update(done, total) {
      const now = Date.now();
      if (!shown || (now - last < INTERVAL && done !== total)) return;
      last = now;
      process.stderr.write(`\r\x1b[K${name}: ${done}${total === undefined ? "" : ` of ${total}`}`);
    },
    end() {
      if (shown && last > 0) process.stderr.write("\r\x1b[K");
    },
  };
}
