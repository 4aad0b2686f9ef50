import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageChannel, Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FromLanguage, LanguageReply, LanguageRequest, ToLanguage } from "../../kernel-ext/src/messages";
import { packageRoot } from "./language-notebook";

const threadFile = join(packageRoot, "kernel-ext", "dist", "language", "language-thread.js");
let worker: Worker;
const { port1: io, port2 } = new MessageChannel();
const waiting: { matches(message: FromLanguage): boolean; done(message: FromLanguage): void }[] = [];

beforeAll(async () => {
  if (!existsSync(threadFile)) throw new Error("Build first: node scripts/build.mjs");
  const cwd = realpathSync(mkdtempSync(join(tmpdir(), "pomona-thread-")));
  const prelude = join(packageRoot, "kernel-ext", "prelude.d.ts");
  worker = new Worker(threadFile, { workerData: { cwd, prelude, packageRoot, port: port2 }, transferList: [port2] });
  worker.on("message", (message: FromLanguage) => {
    const index = waiting.findIndex(({ matches }) => matches(message));
    if (index >= 0) waiting.splice(index, 1)[0]?.done(message);
  });
  await next(({ op }) => op === "ready");
});

afterAll(async () => {
  io.close();
  await worker.terminate();
});

function next(matches: (message: FromLanguage) => boolean): Promise<FromLanguage> {
  return new Promise((done) => waiting.push({ matches, done }));
}

async function convert(execution: number, source: string, committed?: number) {
  const answer = next((message) => message.op === "converted" && message.execution === execution);
  const also = committed === undefined ? {} : { committed: { execution: committed, unchanged: [] } };
  worker.postMessage({ op: "convert", execution, source, id: source, ...also } satisfies ToLanguage);
  const message = await answer;
  return message.op === "converted" ? message.result : undefined;
}

function ask(request: LanguageRequest): Promise<LanguageReply> {
  return new Promise((done) => {
    io.once("message", done);
    io.postMessage(request);
  });
}

test("cells are compiled in the scope of the committed ones", async () => {
  expect(await convert(1, "const x = 1;")).toMatchObject({ kind: "code", hasToplevelAwait: false });
  worker.postMessage({ op: "warm" } satisfies ToLanguage);
  expect(await convert(2, "const y: string = x;", 1)).toMatchObject({
    kind: "diagnostics",
    diagnostics: [{ code: 2322 }],
  });
  expect(await convert(3, "while (x) session.range(x)")).toMatchObject({ kind: "code" });
  await convert(4, "const uncommitted = 1;");
  expect(await convert(5, "uncommitted")).toMatchObject({ kind: "diagnostics", diagnostics: [{ code: 2304 }] });
});

test("io and main ask about code", async () => {
  const complete: LanguageRequest = {
    id: 7,
    type: "complete_request",
    content: { code: "session.ra", cursor_pos: 10 },
  };
  expect(await ask(complete)).toMatchObject({
    id: 7,
    content: { status: "ok", matches: expect.arrayContaining(["range"]) },
  });
  const isComplete: LanguageRequest = { id: 8, type: "is_complete_request", content: { code: "f(" } };
  expect(await ask(isComplete)).toEqual({ id: 8, content: { status: "incomplete", indent: "  " } });
  const answer = next(({ op }) => op === "reply");
  const request: LanguageRequest = {
    id: 9,
    type: "inspect_request",
    content: { code: "x", cursor_pos: 1, detail_level: 0 },
  };
  worker.postMessage({ op: "request", request } satisfies ToLanguage);
  expect(await answer).toMatchObject({ op: "reply", reply: { id: 9, content: { status: "ok", found: true } } });
});

test("the compiler's own code is kept for the next kernel once nothing is to be compiled", async () => {
  const cache = mkdtempSync(join(tmpdir(), "pomona-thread-cache-"));
  const { port2: port } = new MessageChannel();
  const workerData = { cwd: cache, prelude: join(packageRoot, "kernel-ext", "prelude.d.ts"), packageRoot, port };
  const env = { ...process.env, POMONA_CACHE_DIR: cache };
  const other = new Worker(threadFile, { workerData, transferList: [port], env });
  try {
    other.postMessage({ op: "convert", execution: 1, source: "1", id: "1" } satisfies ToLanguage);
    await expect
      .poll(() => readdirSync(cache), { timeout: 120_000 })
      .toEqual([expect.stringMatching(/^typescript-5\.9\.3-node-.*\.bin$/)]);
  } finally {
    await other.terminate();
    rmSync(cache, { recursive: true, force: true });
  }
});
