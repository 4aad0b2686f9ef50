import type { ChildProcess, SpawnSyncReturns } from "node:child_process";
import * as childProcessModule from "node:child_process";
import type * as fsModule from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Brings to the cell what goes to descriptors 1 and 2, as ipykernel does: of child processes that inherit them, and of writes
 * to them by number. Node can't put other files in the place of descriptors, so that children get pipes, and the functions
 * that write are replaced. What native code prints by itself stays in the kernel's own output.
 */
export function captureDescriptors(): void {
  captureWrites(require("node:fs") as typeof fsModule);
  captureChildren(childProcessModule.ChildProcess.prototype as unknown as Spawning);
  captureSyncChildren(require("node:child_process") as typeof childProcessModule);
  syncBuiltinESMExports();
}

type Name = "stdout" | "stderr";

const NAMES = ["stdout", "stderr"] as const satisfies readonly Name[];

/** Which of the cell's streams a descriptor or a path is. */
function streamOf(target: unknown): Name | undefined {
  if (target === 1 || target === process.stdout) return "stdout";
  if (target === 2 || target === process.stderr) return "stderr";
  const found = /^\/(?:dev\/(?:std(out|err)|fd\/([12]))|proc\/self\/fd\/([12]))$/.exec(String(target));
  if (!found) return undefined;
  return found[1] === "out" || found[2] === "1" || found[3] === "1" ? "stdout" : "stderr";
}

// biome-ignore lint/suspicious/noExplicitAny: Node's overloads, handed on as they come
type Any = any;

function captureWrites(fs: typeof fsModule): void {
  const { writeSync, write, writevSync, writev, writeFileSync, appendFileSync, writeFile, appendFile } = fs;
  const target = fs as unknown as Record<string, unknown>;
  target.writeSync = (fd: number, data: Any, ...rest: Any[]) => {
    const name = typeof fd === "number" ? streamOf(fd) : undefined;
    return name ? put(name, partOf(data, rest)) : (writeSync as Any)(fd, data, ...rest);
  };
  target.write = withPromise(write, (fd: number, data: Any, ...rest: Any[]) => {
    const name = typeof fd === "number" ? streamOf(fd) : undefined;
    if (!name) return (write as Any)(fd, data, ...rest);
    const done = rest.pop() as (error: null, written: number, data: unknown) => void;
    const written = put(name, partOf(data, rest));
    process.nextTick(done, null, written, data);
  });
  target.writevSync = (fd: number, buffers: readonly Uint8Array[], ...rest: Any[]) => {
    const name = streamOf(fd);
    return name ? put(name, Buffer.concat(buffers)) : (writevSync as Any)(fd, buffers, ...rest);
  };
  target.writev = withPromise(writev, (fd: number, buffers: readonly Uint8Array[], ...rest: Any[]) => {
    const name = streamOf(fd);
    if (!name) return (writev as Any)(fd, buffers, ...rest);
    const done = rest.pop() as (error: null, written: number, buffers: unknown) => void;
    process.nextTick(done, null, put(name, Buffer.concat(buffers)), buffers);
  });
  for (const [key, original] of Object.entries({ writeFileSync, appendFileSync }))
    target[key] = (path: unknown, data: Any, options?: Any) => {
      const name = streamOf(path);
      if (!name) return (original as Any)(path, data, options);
      put(name, partOf(data, [encodingOf(options)]));
    };
  for (const [key, original] of Object.entries({ writeFile, appendFile }))
    target[key] = (path: unknown, data: Any, ...rest: Any[]) => {
      const name = streamOf(path);
      if (!name) return (original as Any)(path, data, ...rest);
      put(name, partOf(data, [encodingOf(rest[0])]));
      process.nextTick(rest.at(-1) as () => void, null);
    };
}

/** `util.promisify` has a form of its own for some functions. */
function withPromise(original: object, replacement: object): object {
  for (const key of Object.getOwnPropertySymbols(original)) {
    const found = Object.getOwnPropertyDescriptor(original, key);
    if (found) Object.defineProperty(replacement, key, found);
  }
  return replacement;
}

function encodingOf(options: unknown): unknown {
  return typeof options === "string" ? options : (options as { encoding?: unknown } | null | undefined)?.encoding;
}

/** What `fs.write` writes of a text or of bytes by the arguments behind it. */
function partOf(data: unknown, rest: readonly unknown[]): Buffer {
  if (typeof data === "string") {
    const encoding = rest.find((each) => typeof each === "string") as BufferEncoding | undefined;
    return Buffer.from(data, encoding);
  }
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  const [first, second] = rest;
  const { offset = 0, length } =
    typeof first === "object" && first !== null
      ? (first as { offset?: number; length?: number })
      : { offset: (first as number | undefined) ?? 0, length: second as number | undefined };
  return Buffer.from(buffer, byteOffset + offset, length ?? byteLength - offset);
}

function put(name: Name, data: string | Buffer): number {
  process[name].write(data);
  return Buffer.byteLength(data);
}

interface Spawning {
  spawn(this: ChildProcess, options: { stdio?: unknown }): unknown;
}

/** How long output is waited for after a child has ended: a program that it left behind may hold it open for good. */
const DRAIN_MS = 250;

/** All ways to start one that runs beside: `spawn`, `fork`, and libraries that are built on them. */
function captureChildren(prototype: Spawning): void {
  const { spawn } = prototype;
  prototype.spawn = function (options) {
    const { stdio, captured } = withPipes(options.stdio);
    if (captured.length === 0) return spawn.call(this, options);
    const result = spawn.call(this, { ...options, stdio });
    const ended = captured.map(({ from, to }) => forward(this, from, to));
    holdExit(this, Promise.allSettled(ended));
    return result;
  };
}

async function forward(child: ChildProcess, from: Name, to: Name): Promise<void> {
  const stream = child[from] as Readable | null;
  // A command that can't be started has none.
  if (!stream) return;
  stream.setEncoding("utf8").on("data", (text: string) => process[to].write(text));
  // As for who inherits: nothing to read for the caller.
  child[from] = null;
  (child.stdio as (Readable | null)[])[descriptorOf(from)] = null;
  await finished(stream).catch(() => undefined);
}

/** Tells of a child's end when its output has come: what the cell prints next comes behind. */
function holdExit(child: ChildProcess, drained: Promise<unknown>): void {
  const emit = child.emit as (...event: readonly unknown[]) => boolean;
  let isDrained = false;
  let held: (readonly unknown[])[] = [];
  const release = () => {
    isDrained = true;
    for (const event of held) emit.apply(child, event as unknown[]);
    held = [];
  };
  const emitInOrder = (...event: readonly unknown[]) => {
    if (isDrained || (event[0] !== "exit" && event[0] !== "close")) return emit.apply(child, event as unknown[]);
    if (held.length === 0) void Promise.race([drained, sleep(DRAIN_MS)]).then(release);
    held.push(event);
    return true;
  };
  child.emit = emitInOrder as ChildProcess["emit"];
}

function captureSyncChildren(target: typeof childProcessModule): void {
  const { spawnSync, execSync, execFileSync } = target;
  const replaced = target as unknown as Record<string, unknown>;
  const run = (...given: Any[]): SpawnSyncReturns<string | Buffer> => {
    const { args, options } = partsOf(given);
    const { stdio, captured } = withPipes(options.stdio ?? "pipe");
    if (captured.length === 0) return (spawnSync as Any)(...given);
    const result = (spawnSync as Any)(...args, { maxBuffer: Number.POSITIVE_INFINITY, ...options, stdio });
    for (const { from, to } of captured) {
      if (result[from]?.length > 0) process[to].write(result[from]);
      result[from] = null;
      if (result.output) result.output[descriptorOf(from)] = null;
    }
    return result;
  };
  const capturing =
    (original: unknown, change: (options: object) => object) =>
    (...given: Any[]) => {
      const { args, options } = partsOf(given);
      if (options.stdio === undefined || withPipes(options.stdio).captured.length === 0)
        return (original as Any)(...given);
      const result = run(...args, change(options));
      if (result.error) throw Object.assign(result.error, result);
      if (result.status !== 0)
        throw Object.assign(
          new Error(`Command failed: ${[args[0], ...((args[1] as string[]) ?? [])].join(" ")}`),
          result,
        );
      return result.stdout;
    };
  replaced.spawnSync = run;
  replaced.execSync = capturing(execSync, (options) => ({ shell: true, ...options }));
  replaced.execFileSync = capturing(execFileSync, (options) => options);
}

/** A command, perhaps its arguments, perhaps options. */
function partsOf(given: readonly unknown[]): { args: unknown[]; options: { readonly stdio?: unknown } } {
  const last = given.at(-1);
  const hasOptions = given.length > 1 && typeof last === "object" && last !== null && !Array.isArray(last);
  return { args: hasOptions ? given.slice(0, -1) : [...given], options: hasOptions ? last : {} };
}

interface Captured {
  readonly from: Name;
  /** Another one for `2>&1`. */
  readonly to: Name;
}

/** The same with pipes in place of descriptors 1 and 2 that are inherited. */
function withPipes(stdio: unknown): { readonly stdio: unknown; readonly captured: readonly Captured[] } {
  const all = typeof stdio === "string" ? [stdio, stdio, stdio] : Array.isArray(stdio) ? [...stdio] : undefined;
  if (!all) return { stdio, captured: [] };
  const captured = NAMES.flatMap((from): Captured[] => {
    const value = all[descriptorOf(from)];
    const to = value === "inherit" ? from : typeof value === "string" ? undefined : streamOf(value);
    return to === undefined ? [] : [{ from, to }];
  });
  for (const { from } of captured) all[descriptorOf(from)] = "pipe";
  return { stdio: all, captured };
}

function descriptorOf(name: Name): 1 | 2 {
  return name === "stdout" ? 1 : 2;
}
