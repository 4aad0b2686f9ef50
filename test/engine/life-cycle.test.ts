import { describe, expect, it } from "vitest";
import { driver } from "../../src/engine/driver";
import { checkMaster, ENGINE_SETTINGS, engineFor } from "../../src/engine/engines";
import type { EngineEvent } from "../../src/engine/events";
import { lifeCycle } from "../../src/engine/life-cycle";
import { CancelledError } from "../../src/errors";
import { SETTINGS } from "../../src/session/configuration";
import { storages } from "../../src/storage";

const states = (events: readonly EngineEvent[]) =>
  events.flatMap((e) => (e.type === "engineState" ? [e.error === undefined ? e.state : `${e.state}: ${e.error}`] : []));
const signal = new AbortController().signal;

describe("an engine's life", () => {
  it("starts once for all that wait, and again after it failed", async () => {
    const events: EngineEvent[] = [];
    let tries = 0;
    const life = lifeCycle(
      async () => {
        if (++tries === 1) throw new Error("no route to host");
      },
      (event) => events.push(event),
    );
    expect(life.state).toBe("starting");
    const both = await Promise.allSettled([life.started(signal), life.started(signal)]);
    expect([tries, both.map((b) => b.status), life.state]).toEqual([1, ["rejected", "rejected"], "failed"]);
    await Promise.all([life.started(signal), life.started(signal)]);
    await life.started(signal);
    expect([tries, life.state]).toEqual([2, "idle"]);
    expect(states(events)).toEqual(["failed: no route to host", "starting", "idle"]);
  });

  it("is busy while jobs run, and stopped for good", () => {
    const events: EngineEvent[] = [];
    const life = lifeCycle(undefined, (event) => events.push(event));
    const started = (jobId: string) => life.emit({ type: "jobStarted", time: 0, jobId, description: "" });
    const ended = (jobId: string) => life.emit({ type: "jobEnded", time: 0, jobId, status: "succeeded", seconds: 0 });
    expect(life.state).toBe("idle");
    started("a");
    started("b");
    ended("a");
    expect(life.state).toBe("busy");
    ended("b");
    life.stopped();
    started("c");
    expect(states(events)).toEqual(["busy", "idle", "stopped"]);
  });

  /** A driver whose machines are slow to come, or don't. */
  const slow = (start: (signal: AbortSignal) => Promise<void>) =>
    driver({
      master: "far://away",
      about: { name: "far", version: "1.0", uiWebUrl: "http://far/" },
      conf: () => undefined,
      start,
      workers: {
        parallelism: 3,
        workers: [],
        watch: () => () => {},
        start() {},
        prepare() {},
        forget() {},
        close: async () => {},
      },
      storages: storages({}),
      openSpool: () => {
        throw new Error("Nothing may be opened before the engine has started.");
      },
      openRelational: async () => {
        throw new Error("Nothing may be opened before the engine has started.");
      },
    });

  it("says why it can't run wherever it is used first", async () => {
    const engine = slow(async () => {
      throw new Error("no route to host");
    });
    const { id, machines, ...info } = engine.info();
    expect(id).toMatch(/^far-\d{13}$/);
    expect(info).toEqual({
      master: "far://away",
      state: "starting",
      version: "1.0",
      workers: [],
      uiWebUrl: "http://far/",
    });
    expect(machines).toMatchObject([{ endpoint: "local", state: "ready", slots: 3 }]);
    await expect(engine.start()).rejects.toThrow("no route to host");
    await expect(engine.schema({ op: "range", start: "0", end: "1", step: "1" })).rejects.toThrow("no route to host");
    expect(engine.info().state).toBe("failed");
    await engine.close();
    expect(engine.info().state).toBe("stopped");
  });

  it("ends a start that is interrupted", async () => {
    const engine = slow(
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    );
    const starting = expect(engine.start()).rejects.toThrow(CancelledError);
    await engine.interrupt();
    await starting;
  });
});

describe("engines by master URL", () => {
  it("are made for the masters that there are, and their settings are a session's", () => {
    expect(engineFor("local[3]", { conf: () => undefined }).info()).toMatchObject({
      master: "local[3]",
      state: "idle",
      workers: ["worker-1", "worker-2", "worker-3"],
    });
    for (const master of ["mesos://host", "yarn", "spark://host:7077", ""]) {
      expect(() => checkMaster(master)).toThrow(/is not a master URL.*Use "local"/s);
    }
    expect(SETTINGS).toMatchObject(ENGINE_SETTINGS);
  });
});
