import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { EngineEvent } from "../../src/engine/events";
import { IllegalArgumentError } from "../../src/errors";
import { cleanLogs, logAt, logNamed, logsIn, summaries } from "../../src/record/logs";
import { type RunLogOptions, runLog } from "../../src/record/run-log";
import { factsOf, logFollower } from "../../src/record/session-report";
import { DiskFullError, type Place, type Storage, storagesFrom } from "../../src/storage";
import { aboutRun, simulatedRun } from "./simulated-run";

let folder: string;
let place: Place;
let told: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pomona-history-"));
  place = storagesFrom().at(folder);
  told = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function newLog(given: Partial<RunLogOptions> = {}) {
  return runLog({
    folder: place,
    about: () => aboutRun(),
    tell: (text) => told.push(text),
    retention: () => ({ maxAgeMs: 1e12, maxBytes: 1e12 }),
    ...given,
  });
}

const job: EngineEvent = { type: "jobStarted", time: 1, jobId: "a", description: "collect" };
const message = (text: string): EngineEvent => ({ type: "message", time: 2, level: "info", text });

it("keeps what was told, in files that grow, and a summary at the end", async () => {
  const events = simulatedRun({ seed: 5, jobs: 2, tasks: 3_000, workers: 8 });
  const log = newLog();
  const follow = logFollower(place.storage);
  const seen: number[] = [];
  for (const [i, event] of events.entries()) {
    log.record(event);
    if (i % 5_000 !== 0) continue;
    await log.flush();
    seen.push((await follow(logNamed(await logsIn(place), "last", folder))).attempts.length);
  }
  await log.close();
  const [found] = await logsIn(place);
  expect(found?.segments.length).toBeGreaterThan(1);
  expect(found?.id).toBe("local-1000");
  const facts = await factsOf(place, "local-1000");
  const started = events.filter(({ type }) => type === "taskStarted").length;
  expect(facts.attempts.length).toBe(started);
  // Who follows a log that grows has the same as who reads it at the end.
  expect([...seen].sort((a, b) => a - b)).toEqual(seen);
  const followed = await follow(logNamed(await logsIn(place), "last", folder));
  expect(followed.attempts.length).toBe(started);
  expect(followed.attempts.map(({ rows }) => rows)).toEqual(facts.attempts.map(({ rows }) => rows));
  const done = events.filter((event) => event.type === "taskEnded" && event.status === "succeeded");
  const [summary] = await summaries(place, await logsIn(place));
  expect(summary).toMatchObject({
    id: "local-1000",
    endedAt: expect.any(Number),
    counts: { jobs: 2, tasks: done.length },
  });
  // Two pages that ask at once share a follower.
  const newest = logNamed(await logsIn(place), "last", folder);
  const shared = logFollower(place.storage);
  const both = await Promise.all([shared(newest), shared(newest)]);
  expect(both.map(({ attempts }) => attempts.length)).toEqual([started, started]);
  expect(await shared(newest)).toBe(both[1]);
  expect(await logAt(place, "local-1000")).toMatchObject({ id: newest.id, bytes: newest.bytes });
  for (const id of ["", ".", "..", "local-1000/..", "local-1"]) expect(await logAt(place, id)).toBeUndefined();
  // Without the summary the log says the same.
  const { end, ...rest } = found as NonNullable<typeof found>;
  expect(end).toBeDefined();
  const [read] = await summaries(place, [{ ...rest, end: undefined }]);
  expect(read?.counts).toEqual(summary?.counts);
  expect(told).toEqual([]);
});

it("leaves nothing of a session that ran no job", async () => {
  const log = newLog();
  log.record(message("hello"));
  expect(await log.flush()).toBe(true);
  await log.close();
  expect(readdirSync(folder)).toEqual([]);
});

it("gives two runs of one name a log each", async () => {
  const logs = Array.from({ length: 4 }, () => newLog());
  for (const [i, log] of logs.entries()) {
    log.record(job);
    log.record(message(`run ${i}`));
  }
  await Promise.all(logs.map((log) => log.close()));
  expect(readdirSync(folder).sort()).toEqual(["local-1000", "local-1000-2", "local-1000-3", "local-1000-4"]);
  const texts = await Promise.all(
    readdirSync(folder).map(async (id) => (await factsOf(place, id)).messages.map(({ text }) => text)),
  );
  expect(texts.map((lines) => lines.find((line) => line.startsWith("run "))).sort()).toEqual([
    "run 0",
    "run 1",
    "run 2",
    "run 3",
  ]);
});

/** A storage that refuses to write while it is told to. */
function failing(): { storage: Storage; state: { fails: boolean; hangs: boolean } } {
  const state = { fails: true, hangs: false };
  const { storage } = place;
  const guarded = <Rest extends unknown[], R>(write: (...rest: Rest) => Promise<R>) => {
    return async (...rest: Rest): Promise<R> => {
      if (state.hangs) await new Promise(() => {});
      if (state.fails) throw new DiskFullError("The disk is full.\nMake room.", place.url);
      return write(...rest);
    };
  };
  return {
    state,
    storage: { ...storage, createFile: guarded(storage.createFile), writeStream: guarded(storage.writeStream) },
  };
}

it("says once that it can't be written, and loses nothing where it can be again", async () => {
  const { storage, state } = failing();
  const log = newLog({ folder: { url: place.url, storage } });
  log.record(job);
  for (let i = 0; i < 5; i++) {
    log.record(message(`line ${i}`));
    expect(await log.flush()).toBe(false);
  }
  expect(log.problem).toBeInstanceOf(DiskFullError);
  expect(told).toEqual([
    expect.stringMatching(/^The record of this run can't be written .*: The disk is full\. The run goes on\./),
  ]);
  state.fails = false;
  expect(await log.flush()).toBe(true);
  state.fails = true;
  log.record(message("line 5"));
  expect(await log.flush()).toBe(false);
  state.fails = false;
  await log.close();
  expect(told.length).toBe(1);
  const facts = await factsOf(place, "local-1000");
  const lines = facts.messages.map(({ text }) => text).filter((text) => text.startsWith("line"));
  expect(lines).toEqual([0, 1, 2, 3, 4, 5].map((i) => `line ${i}`));
  expect(facts.missing).toBe(0);
});

it("keeps a bounded part of what can't be written, and says how much is missing", async () => {
  const { storage, state } = failing();
  const log = newLog({ folder: { url: place.url, storage } });
  log.record(job);
  const text = "x".repeat(10_000);
  for (let i = 0; i < 2_000; i++) log.record(message(`${i} ${text}`));
  expect(await log.flush()).toBe(false);
  state.fails = false;
  await log.close();
  const facts = await factsOf(place, "local-1000");
  expect(facts.missing).toBeGreaterThan(1_000);
  expect(facts.missing).toBeLessThan(2_000);
});

it("lets a session end whose storage does not answer", async () => {
  const { storage, state } = failing();
  state.hangs = true;
  const log = newLog({ folder: { url: place.url, storage } });
  log.record(job);
  await log.close();
  expect(told).toEqual([expect.stringMatching(/^The end of this run's record is missing in file:.*: it could not be/)]);
});

it("removes what is too old or too much, and nothing else, also with others at it", async () => {
  for (const [i, id] of ["old", "older", "big", "new", "mine"].entries()) {
    mkdirSync(join(folder, id));
    const file = join(folder, id, "events-00000.jsonl.gz");
    writeFileSync(file, Buffer.alloc(1_000));
    const age = [40 * 86_400, 50 * 86_400, 86_400, 60, 90 * 86_400][i] as number;
    const time = Date.now() / 1000 - age;
    utimesSync(file, time, time);
  }
  writeFileSync(join(folder, "older", "mine.txt"), "");
  mkdirSync(join(folder, "other"));
  writeFileSync(join(folder, "other", "events.csv"), "");
  const clean = (maxBytes: number) => cleanLogs(place, { maxAgeMs: 30 * 86_400_000, maxBytes }, { kept: "mine" });
  await Promise.all([clean(1e9), clean(1e9), clean(1e9)]);
  expect(readdirSync(folder).sort()).toEqual(["big", "mine", "new", "older", "other"]);
  expect(readdirSync(join(folder, "older"))).toEqual(["mine.txt"]);
  // The last hour's may be of a run that goes on.
  await Promise.all([clean(10), clean(10)]);
  expect(readdirSync(folder).sort()).toEqual(["mine", "new", "older", "other"]);
});

it("reads what is left of a damaged log", async () => {
  const log = newLog();
  log.record(job);
  log.record(message("before"));
  await log.close();
  writeFileSync(join(folder, "local-1000", "events-00001.jsonl.gz"), "no gzip");
  rmSync(join(folder, "local-1000", "end.json"));
  expect((await factsOf(place, "last")).jobs.length).toBe(1);
});

it("is listed by when it began, not by when it was written last", async () => {
  const ids = ["local-1795725263855", "jupyter-1795725263856", "local-1795725262203-2"];
  for (const id of ids) {
    const log = newLog({ about: () => aboutRun({ id }) });
    log.record(job);
    await log.close();
  }
  expect((await logsIn(place)).map(({ id }) => id)).toEqual([ids[1], ids[0], ids[2]]);
  expect(logNamed(await logsIn(place), "last", folder).id).toBe(ids[1]);
});

it("is named by the start of its id, or as the last", async () => {
  for (const id of ["local-12", "local-13", "spark-1"]) {
    const log = newLog({ about: () => aboutRun({ id }) });
    log.record(job);
    await log.close();
  }
  const logs = await logsIn(place);
  expect(logNamed(logs, "sp", folder).id).toBe("spark-1");
  expect(logNamed(logs, "local-12", folder).id).toBe("local-12");
  expect(["local-12", "local-13", "spark-1"]).toContain(logNamed(logs, "last", folder).id);
  expect(() => logNamed(logs, "local-", folder)).toThrow(/2 runs begin with "local-"/);
  expect(() => logNamed(logs, "local-14", folder)).toThrow(/Did you mean local-1/);
  expect(() => logNamed([], "last", folder)).toThrow(IllegalArgumentError);
});
