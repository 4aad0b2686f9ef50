import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire, Module } from "node:module";
import { basename, dirname } from "node:path";
import { cachedDataVersionTag } from "node:v8";
import { Script } from "node:vm";

/** A CommonJS module that was loaded with V8's compiled code from an earlier process, where there was some. */
export interface CachedModule {
  readonly exports: unknown;
  /** True where the file has its compiled code: it was taken from there, or is written. */
  isKept(): boolean;
  /** Writes the compiled code of all functions that ran by now for the next process. */
  keep(): void;
}

/**
 * Loads a large module in a fraction of the time: parsing and compiling its source is most of a start.
 * @param path of the module, absolute
 * @param file what the compiled code is kept in; it is replaced where this V8 can't read it
 */
export function loadWithCodeCache(path: string, file: string): CachedModule {
  const source = Module.wrap(readFileSync(path, "utf8"));
  const cachedData = read(file);
  // The code has the name in it, and may come from another checkout.
  const script = new Script(source, { filename: basename(path), cachedData });
  const module = { exports: {} };
  const run = script.runInThisContext() as (...values: unknown[]) => void;
  run.call(module.exports, module.exports, createRequire(path), module, path, dirname(path));
  let isKept = script.cachedDataRejected === false;
  return {
    exports: module.exports,
    isKept: () => isKept,
    keep() {
      isKept = true;
      write(file, script.createCachedData());
    },
  };
}

/** What sets compiled code apart that V8 would not tell by itself: it knows a source by its length alone. */
export function codeCacheName(name: string, version: string): string {
  return `${name}-${version}-node-${process.versions.node}-${process.arch}-${cachedDataVersionTag().toString(16)}.bin`;
}

/** V8 runs whatever code it is given: a damaged file would end the process, so a checksum stands at its head. */
function read(file: string): Buffer | undefined {
  try {
    const content = readFileSync(file);
    const data = content.subarray(CHECKSUM_BYTES);
    return content.subarray(0, CHECKSUM_BYTES).equals(checksum(data)) ? data : undefined;
  } catch {
    return undefined;
  }
}

/** A cache is no reason to fail: a disk that is full or read-only leaves the next start as slow as this one. */
function write(file: string, data: Buffer): void {
  const part = `${file}.${process.pid}.part`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(part, Buffer.concat([checksum(data), data]));
    renameSync(part, file);
  } catch {
    if (existsSync(part)) rmSync(part, { force: true });
  }
}

const CHECKSUM_BYTES = 32;

function checksum(data: Buffer): Buffer {
  return createHash("sha256").update(data).digest();
}
