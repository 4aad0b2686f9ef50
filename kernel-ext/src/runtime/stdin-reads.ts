import type * as fsModule from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import type { Input } from "./input";

/** What is asked where standard input is read to its end. */
export const TO_THE_END = "Standard input, line by line (an empty one ends it): ";

// biome-ignore lint/suspicious/noExplicitAny: Node's overloads, handed on as they come
type Any = any;

/**
 * Has `fs.readFileSync(0)`, `fs.readFileSync("/dev/stdin")` and their kin ask in the notebook: the kernel's own input has ended,
 * and they gave an empty text.
 */
export function captureStdinReads({ readLine, readLineSync }: Input): void {
  const fs = require("node:fs") as typeof fsModule;
  const target = fs as unknown as Record<string, unknown>;
  const { readFileSync, readFile, readSync, createReadStream } = fs;
  const { readFile: readFileAsync } = fs.promises;
  const plain = { password: false };
  let rest: Buffer = Buffer.alloc(0);

  const whole = async () => {
    const lines: string[] = [];
    for (let line = await readLine(TO_THE_END, plain); line !== ""; line = await readLine("", plain)) lines.push(line);
    return textOf(lines);
  };
  target.readFileSync = (path: unknown, options?: Any) => {
    if (!isStdin(path)) return (readFileSync as Any)(path, options);
    const lines: string[] = [];
    for (let line = readLineSync(TO_THE_END, plain); line !== ""; line = readLineSync("", plain)) lines.push(line);
    return encoded(textOf(lines), options);
  };
  target.readFile = Object.assign((path: unknown, ...given: Any[]) => {
    if (!isStdin(path)) return (readFile as Any)(path, ...given);
    const done = given.pop() as (error: unknown, data?: unknown) => void;
    whole().then(
      (text) => done(null, encoded(text, given[0])),
      (error) => done(error),
    );
  }, readFile);
  fs.promises.readFile = (async (path: unknown, options?: Any) =>
    isStdin(path) ? encoded(await whole(), options) : (readFileAsync as Any)(path, options)) as typeof readFileAsync;
  target.createReadStream = (path: unknown, options?: Any) =>
    isStdin(options?.fd ?? path) ? process.stdin : (createReadStream as Any)(path, options);
  // As a terminal gives it: a line, as soon as there is one.
  target.readSync = (fd: unknown, buffer: Any, ...given: Any[]) => {
    if (fd !== 0) return (readSync as Any)(fd, buffer, ...given);
    if (rest.length === 0) rest = Buffer.from(`${readLineSync("", plain)}\n`);
    const { offset = 0, length = buffer.byteLength - offset } =
      typeof given[0] === "object" && given[0] !== null ? given[0] : { offset: given[0], length: given[1] };
    const into = new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length);
    const count = Math.min(length, rest.length);
    into.set(rest.subarray(0, count));
    rest = rest.subarray(count);
    return count;
  };
  syncBuiltinESMExports();
}

function isStdin(path: unknown): boolean {
  return path === 0 || (typeof path === "string" && /^\/(?:dev\/(?:stdin|fd\/0)|proc\/self\/fd\/0)$/.test(path));
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function encoded(text: string, options: unknown): string | Buffer {
  const encoding = typeof options === "string" ? options : (options as { encoding?: unknown } | undefined)?.encoding;
  const bytes = Buffer.from(text);
  return typeof encoding === "string" ? bytes.toString(encoding as BufferEncoding) : bytes;
}
