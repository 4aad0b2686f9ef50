import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

type Errors = typeof import("../../src/errors");
type StorageErrors = typeof import("../../src/storage/errors");
type UserStack = typeof import("../../src/worker/user-stack");

const root = join(__dirname, "..", "..");
const load = createRequire(__filename);
let copy: string;
const here = <T>(path: string) => load(join(root, "dist", path)) as T;
const there = <T>(path: string) => load(join(copy, path)) as T;

beforeAll(() => {
  mkdirSync(join(root, "out"), { recursive: true });
  // Below the root, so that the copy finds the packages it needs.
  copy = mkdtempSync(join(root, "out", "copy-"));
  cpSync(join(root, "dist"), copy, { recursive: true });
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

it("knows the errors of another copy of the package by their classes", () => {
  const [ours, theirs] = [here<Errors>("errors.js"), there<Errors>("errors.js")];
  expect(theirs.PomonaError).not.toBe(ours.PomonaError);
  const cancelled = new theirs.CancelledError("Cancelled.", { remedy: "Start again." });
  expect(cancelled instanceof ours.PomonaError).toBe(true);
  expect(cancelled instanceof ours.CancelledError).toBe(true);
  expect(cancelled instanceof ours.IllegalArgumentError).toBe(false);
  expect([cancelled.name, cancelled.remedy]).toEqual(["CancelledError", "Start again."]);

  const missing = new (there<StorageErrors>("storage/errors.js").PathNotFoundError)("Not there.", "file:/not/there");
  expect(missing instanceof here<StorageErrors>("storage/errors.js").StorageError).toBe(true);
  expect(missing instanceof here<StorageErrors>("storage/errors.js").PathNotFoundError).toBe(true);
  expect(missing instanceof ours.PomonaError).toBe(true);
});

it("takes within a copy no class for another one of its name, and nothing else for an error", () => {
  const { PomonaError, CancelledError } = here<Errors>("errors.js");
  const Named = { CancelledError: class CancelledError extends PomonaError {} }.CancelledError;
  expect(new CancelledError("") instanceof Named).toBe(false);
  expect(new Named("") instanceof CancelledError).toBe(false);
  expect(new Named("") instanceof PomonaError).toBe(true);
  const named = Object.assign(new Error("no"), { name: "PomonaError", retryable: false });
  for (const other of [named, null, undefined, "PomonaError", Object.create(null), () => 1]) {
    expect(other instanceof PomonaError).toBe(false);
  }
});

it("keeps what another copy's error says of trying again", () => {
  const { userFunctionError } = here<UserStack>("worker/user-stack.js");
  const { PomonaError } = there<Errors>("errors.js");
  const fn = { spec: { name: "f" }, call: () => 1, sourceMaps: new Map() } as never;
  for (const retryable of [true, false]) {
    expect(userFunctionError(fn, new PomonaError("no", { retryable }), undefined).retryable).toBe(retryable);
  }
});
