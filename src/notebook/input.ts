import { execFileSync } from "node:child_process";
import { readSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { PomonaError } from "../errors";
import { kernelHost } from "../kernel/kernel-host";

export interface PromptOptions {
  /** Hides what is typed. @default false */
  readonly password?: boolean;
}

/** Thrown when input is asked for and standard input has ended. */
export class InputEndedError extends PomonaError {
  constructor() {
    super("Input was asked for, but standard input has ended.", { remedy: "Run it in a terminal or a notebook." });
  }
}

/**
 * Asks for a line and waits for it, as in browsers and Deno, but never gives null: in a notebook with a field below the cell,
 * elsewhere in the terminal. Nothing else runs meanwhile; see {@link readLine}.
 * @throws InputNotAllowedError where a notebook is executed without someone to answer
 * @throws InputEndedError at the end of standard input
 */
export function prompt(message = "", options: PromptOptions = {}): string {
  const { password = false } = options;
  const host = kernelHost();
  if (host) return host.readLineSync(message, { password });
  process.stdout.write(message);
  return withEcho(!password, readTerminalLine);
}

/** The same without standing still: timers and running work go on until the answer comes. */
export async function readLine(message = "", options: PromptOptions = {}): Promise<string> {
  const { password = false } = options;
  const host = kernelHost();
  if (host) return host.readLine(message, { password });
  const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: false });
  const hides = password && process.stdin.isTTY;
  if (hides) echo(false);
  try {
    const ended = new Promise<never>((_, reject) => lines.once("close", () => reject(new InputEndedError())));
    return await Promise.race([lines.question(message), ended]);
  } finally {
    lines.close();
    if (hides) showAgain();
  }
}

/** Byte by byte, since what follows the line is the next reader's. */
function readTerminalLine(): string {
  const bytes: number[] = [];
  const one = Buffer.alloc(1);
  for (;;) {
    const count = readOne(one);
    if (count === 0 && bytes.length === 0) throw new InputEndedError();
    if (count === 0 || one[0] === 0x0a) break;
    bytes.push(one[0] as number);
  }
  return Buffer.from(bytes).toString("utf8").replace(/\r$/, "");
}

function readOne(into: Buffer): number {
  for (;;) {
    try {
      return readSync(0, into, 0, 1, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      // Somebody made the terminal non-blocking: look again soon.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

function withEcho<T>(shown: boolean, read: () => T): T {
  if (shown || !process.stdin.isTTY) return read();
  echo(false);
  try {
    return read();
  } finally {
    showAgain();
  }
}

function showAgain(): void {
  echo(true);
  process.stdout.write("\n");
}

function echo(on: boolean): void {
  execFileSync("stty", [on ? "echo" : "-echo"], { stdio: ["inherit", "ignore", "ignore"] });
}
