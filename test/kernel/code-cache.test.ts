import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { codeCacheName, loadWithCodeCache } from "../../kernel-ext/src/language/code-cache";

const folder = mkdtempSync(join(tmpdir(), "pomona-code-cache-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A module that tells what it was given. */
const path = join(folder, "module.js");
writeFileSync(
  path,
  `exports.sum = (a, b) => { return a + b; };
   exports.itself = module.exports === exports && [__filename, __dirname, require("node:path").sep];`,
);
const file = join(folder, "cache", codeCacheName("module", "1.0.0"));

function load(from = file) {
  const module = loadWithCodeCache(path, from);
  const exports = module.exports as { sum(a: number, b: number): number; itself: unknown };
  expect(exports.sum(2, 3)).toBe(5);
  expect(exports.itself).toEqual([path, folder, "/"]);
  return module;
}

test("a module is loaded as require does, and its code is kept for the next time", () => {
  const first = load();
  expect(existsSync(file)).toBe(false);
  expect(first.isKept()).toBe(false);
  first.keep();
  expect(first.isKept()).toBe(true);
  expect(readFileSync(file).length).toBeGreaterThan(100);
  expect(load().isKept()).toBe(true);
});

test("a file that is damaged or from another version is replaced", () => {
  load().keep();
  const made = readFileSync(file);
  // One wrong byte in the code would end the process.
  const flipped = Buffer.from(made);
  flipped[made.length - 100] = (flipped.at(-100) ?? 0) ^ 0x55;
  for (const bad of [Buffer.alloc(0), Buffer.from("no code"), made.subarray(0, 40), flipped]) {
    writeFileSync(file, bad);
    const module = load();
    expect(module.isKept()).toBe(false);
    module.keep();
    expect(readFileSync(file).length).toBe(made.length);
    expect(readFileSync(file)).not.toEqual(bad);
  }
  expect(readdirSync(join(folder, "cache"))).toHaveLength(1);
});

test("a place that can't be written to is no reason to fail", () => {
  const taken = join(folder, "taken");
  writeFileSync(taken, "a file");
  load(join(taken, "cache.bin")).keep();
  expect(readFileSync(taken, "utf8")).toBe("a file");
});

test("the name tells versions apart", () => {
  expect(codeCacheName("module", "1.0.0")).toContain(`module-1.0.0-node-${process.versions.node}`);
  expect(codeCacheName("module", "1.0.0")).not.toBe(codeCacheName("module", "1.0.1"));
});
