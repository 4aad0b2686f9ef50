import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Session } from "pomona";
import { udf } from "pomona/functions";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { endpointSettings } from "../../src/engine/jupyter/endpoint-settings";
import { startKernel } from "../../src/engine/jupyter/kernels";
import { cutProxy } from "../support/cut-proxy";
import { type RunningServer, startGateway, startJupyterServer } from "../support/jupyter-server";
import { isAlive } from "../support/processes";
import {
  allReady,
  endpointOf,
  endpointSessions,
  kernelProcesses,
  kernels,
  partsIn,
  startDriver,
  underWay,
  writeSlowly,
} from "./endpoint-sessions";

const { out, jupyterPath, start, local, stop, expectWhole } = endpointSessions();
let server: RunningServer;
let second: RunningServer;

beforeAll(async () => {
  // So little memory that a function is soon out of it.
  const env = { NODE_OPTIONS: "--max-old-space-size=256" };
  [server, second] = await Promise.all([startJupyterServer({ jupyterPath }), startJupyterServer({ jupyterPath, env })]);
});
afterAll(() => Promise.all([server?.stop(), second?.stop()]));

const UNSCHEDULABLE = "spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout";
const soon = { timeout: 120_000, interval: 100 };
const hostOf = ({ baseUrl }: RunningServer) => new URL(baseUrl).host;

/** Ids from 0, by a function that does nothing else: whether a session is of use still. */
async function expectUsable(of: Session): Promise<void> {
  const same = udf((id: number) => id, { returns: "long" });
  const rows = (await of.range(0, 8).repartition(8).select(same("id").alias("id")).collect()) as { id: number }[];
  expect(rows.map(({ id }) => id).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
}

describe("a session", () => {
  afterEach(async () => {
    await stop();
    // A session that has ended leaves no process behind.
    for (const each of [server, second]) await expect.poll(() => kernelProcesses(each), soon).toEqual([]);
  });

  describe("workers that are lost", () => {
    it("are made up for where a kernel is killed", async () => {
      const remote = await start([endpointOf(server)]);
      const started = underWay(remote);
      const lost: string[] = [];
      remote.onEvent((event) => {
        if (event.type === "workerLost") lost.push(event.worker);
      });
      const written = writeSlowly(remote, out("kernel"));
      await started;
      for (const pid of kernelProcesses(server)) process.kill(pid, "SIGKILL");
      await written;
      expect(new Set(lost).size).toBe(2);
      expect(remote.workers()).toMatchObject([{ state: "ready", slots: 2, running: 0, done: 16, failed: 2 }]);
      await remote.stop();
      expect(await kernels(server)).toEqual([]);
      await expectWhole(out("kernel"));
    });

    it("are made up for by others where a whole server is killed", async () => {
      const second = await startJupyterServer({ jupyterPath });
      const remote = await start([endpointOf(second), endpointOf(server)]);
      await allReady(remote);
      const started = underWay(remote);
      const written = writeSlowly(remote, out("server"));
      await started;
      const orphans = kernelProcesses(second);
      await second.kill();
      await written;
      // Once for the machine, with what becomes of its tasks: nothing of its single workers, nor of memory.
      const log = remote.log().join("\n");
      const gone = hostOf(second);
      expect(log.match(/ was lost in the middle of \d tasks?, which runs? again: /g)).toHaveLength(1);
      expect(log).toContain(`Endpoint ${gone} was lost`);
      expect(log).not.toMatch(/memory|gets no task|for good| failed on /);
      expect(remote.workers()[0]).toMatchObject({ endpoint: gone, state: "lost", problem: expect.any(String) });
      await expect.poll(() => orphans.filter(isAlive)).toEqual([]);
      await remote.stop();
      expect(await kernels(server)).toEqual([]);
      await expectWhole(out("server"));
    });

    it.each([
      ["kills its kernel", () => server, () => void process.kill(process.pid, "SIGKILL"), /its kernel ended/],
      ["takes all memory", () => second, takeAllMemory, /ERR_WORKER_OUT_OF_MEMORY|heap out of memory/],
    ])(
      "fail a task by name whose function %s, after four of them, and the session goes on",
      async (_, on, end, why) => {
        const remote = await start([endpointOf(on())]);
        const lost: string[] = [];
        remote.onEvent((event) => {
          if (event.type === "workerLost") lost.push(event.error);
        });
        const bad = udf(end, { returns: "long" });
        const failure = await remote
          .range(0, 1)
          .select(bad("id").alias("id"))
          .collect()
          .catch((error: Error) => error);
        expect(failure).toMatchObject({ name: "TaskFailedError", message: expect.stringMatching(why) });
        expect(String(failure)).toMatch(/, attempt 4\n4 workers were lost with this task/);
        expect(lost).toHaveLength(4);
        console.log(String(failure));
        await expectUsable(remote);
      },
    );
  });

  describe("a machine far slower", () => {
    it("holds nobody up: its tasks get second attempts elsewhere, and each is committed once", async () => {
      const remote = await start([endpointOf(server), endpointOf(second, { env: { PAUSE: "600000" } })]);
      await allReady(remote);
      const pausing = udf(
        (id: number) => {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.env.PAUSE ?? 1_500));
          return id;
        },
        { returns: "long" },
      );
      const attempts: { partition: number; attempt: number; worker: string; status?: string }[] = [];
      remote.onEvent((event) => {
        if (event.type !== "taskEnded") return;
        const { partition, attempt, worker, status } = event;
        attempts.push({ partition, attempt, worker, status });
      });
      const at = Date.now();
      await remote.range(0, 8).repartition(8).select(pausing("id").alias("id")).write.parquet(out("slow"));
      console.log(`8 tasks of 1.5 s, two of them on a machine where each takes ten minutes: ${Date.now() - at} ms`);
      const succeeded = attempts.filter(({ status }) => status === "succeeded");
      expect(succeeded.map(({ partition }) => partition).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(new Set(succeeded.map(({ worker }) => worker.split("/")[0]))).toEqual(new Set([hostOf(server)]));
      const cancelled = attempts.filter(({ status }) => status === "cancelled");
      expect(cancelled.map(({ worker }) => worker).sort()).toEqual([`${hostOf(second)}/1`, `${hostOf(second)}/2`]);
      expect(partsIn(out("slow"))).toHaveLength(8);
      await expectUsable(remote);
    });
  });

  describe("an interrupt", () => {
    it.each([
      [
        "loops",
        () => {
          for (;;);
        },
      ],
      ["computes in a native library", nativeCall],
    ])("ends a job whose function %s, and its workers take others at once", async (what, busy) => {
      const remote = await start([endpointOf(server)]);
      const [kernel] = kernelProcesses(server);
      const calls = remote
        .range(0, 2)
        .repartition(2)
        .select(udf(busy, { returns: "long" })("id").alias("id"));
      const running = new Promise<void>((resolve) => {
        let tasks = 0;
        remote.onEvent((event) => {
          if (event.type === "taskStarted" && ++tasks === 2) resolve();
        });
      });
      const collected = calls.collect().catch((error: Error) => error.name);
      await running;
      // The function is called a moment after its task has begun.
      await sleep(1_500);
      const at = Date.now();
      await remote.interruptAll();
      expect(await collected).toBe("CancelledError");
      console.log(`a function that ${what}: interrupted after ${Date.now() - at} ms`);
      await expectUsable(remote);
      console.log(`and its workers have done other tasks ${Date.now() - at} ms after it`);
      expect(kernelProcesses(server)).toEqual([kernel]);
    });
  });
});

describe.concurrent("a driver in a process of its own", () => {
  it("goes on when it wakes that stood still for longer than its lease", async () => {
    const driver = startDriver([endpointOf(server)], out("asleep"));
    try {
      await driver.underWay;
      const [kernel] = kernelProcesses(server);
      driver.kill("SIGSTOP");
      await vi.waitFor(() => expect(isAlive(kernel!)).toBe(false), soon);
      await vi.waitFor(async () => expect(await kernels(server)).toEqual([]), soon);
      driver.kill("SIGCONT");
      expect(await driver.code).toBe(0);
    } finally {
      driver.kill("SIGKILL");
    }
  });

  it("leaves no kernel where it is killed before its first word to that", async () => {
    const [endpoint] = endpointSettings("jupyter", { "pomona.endpoints": JSON.stringify([endpointOf(second)]) });
    const kernel = await startKernel(endpoint!, 4_000, new AbortController().signal);
    const at = Date.now();
    expect((await kernels(second)).map(({ id }) => id)).toContain(kernel);
    await vi.waitFor(async () => expect((await kernels(second)).map(({ id }) => id)).not.toContain(kernel), soon);
    console.log(`a kernel that nobody spoke to ended after ${Date.now() - at} ms`);
  });

  it("loses nothing by a network that is cut for five seconds", async () => {
    const proxy = await cutProxy(second.baseUrl);
    const settings = { "pomona.endpoints.leaseSeconds": 60 };
    const driver = startDriver([endpointOf({ ...second, baseUrl: proxy.baseUrl })], out("cut"), settings);
    await driver.underWay;
    proxy.cut();
    await sleep(5000);
    proxy.restore();
    expect([await driver.code, driver.errors()]).toEqual([0, ""]);
    expect(driver.output()).not.toContain("was lost");
    await proxy.stop();
  });

  it("has its tasks run elsewhere where a network is cut for good, behind which the lease ends the kernel", async () => {
    const [proxy, third] = [await cutProxy(second.baseUrl), await startJupyterServer({ jupyterPath })];
    const driver = startDriver(
      [endpointOf({ ...second, baseUrl: proxy.baseUrl }), endpointOf(third)],
      out("gone"),
      // Second attempts would do it all before the loss is noticed.
      { "spark.speculation": "false" },
    );
    await driver.underWay;
    const behind = kernelProcesses(second);
    proxy.cut();
    await vi.waitFor(() => expect(behind.filter(isAlive)).toEqual([]), soon);
    expect([await driver.code, driver.errors()]).toEqual([0, ""]);
    expect(driver.output()).toContain("nothing was heard of it for 15 s");
    expect(await kernels(third)).toEqual([]);
    await Promise.all([proxy.stop(), third.stop()]);
  });

  it("leaves no kernel behind a gateway either, which starts again what ends", async () => {
    const script = join(__dirname, "..", "..", "scripts", "setup", "kernel-gateway.mjs");
    const { stdout } = await promisify(execFile)(process.execPath, [script]);
    const gateway = await startGateway("kernel_gateway", stdout.trim(), { jupyterPath });
    try {
      const driver = startDriver([endpointOf(gateway)], out("gateway"));
      await driver.underWay;
      driver.kill("SIGKILL");
      const at = Date.now();
      await vi.waitFor(async () => expect(await kernels(gateway)).toEqual([]), soon);
      await vi.waitFor(() => expect(kernelProcesses(gateway)).toEqual([]), soon);
      console.log(`a killed driver's kernel was given up by a gateway after ${Date.now() - at} ms`);
    } finally {
      await gateway.stop();
    }
  });

  it.each([
    ["comes to its end where its server starts again in mid-job", "restarted", "pomona-test"],
    ["ends by name where its token is refused from then on, and shows nothing", "revoked", "another"],
  ])("%s", async (_, name, token) => {
    const first = await startJupyterServer({ jupyterPath });
    const driver = startDriver([endpointOf(first)], out(name), {
      [UNSCHEDULABLE]: token === first.token ? "120s" : "30s",
    });
    // It is refused before the 30 s are over, however long a server takes to start: that one runs by then, elsewhere.
    const other = token === first.token ? undefined : await startJupyterServer({ jupyterPath, token });
    const inFront = createServer((client) => {
      const there = connect(Number(new URL(other!.baseUrl).port), "127.0.0.1");
      pipeline(client, there, client, () => undefined);
    });
    let again: RunningServer | undefined;
    try {
      await driver.underWay;
      await first.stop();
      const port = Number(new URL(first.baseUrl).port);
      if (other) await new Promise<void>((resolve) => inFront.listen(port, "127.0.0.1", resolve));
      else again = await startJupyterServer({ jupyterPath, token, port });
      const code = await driver.code;
      expect([code, driver.errors()]).toEqual(
        token === first.token
          ? [0, ""]
          : [
              1,
              expect.stringMatching(
                /NoWorkersError: There is no worker .* none joined for 30 s\. .*the token is refused[\s\S]*addEndpoint/,
              ),
            ],
      );
      console.log(driver.errors().split("\n")[0]);
      const waiting = /There is no worker: stage \d+ \(.*\) waits up to (\d+) s for one to join\./.exec(
        driver.output(),
      );
      expect(waiting?.[1]).toBe(token === first.token ? "120" : "30");
    } finally {
      driver.kill("SIGKILL");
      inFront.close();
      await Promise.all([again?.stop(), other?.stop()]);
    }
    if (token !== first.token) expect(existsSync(out(name))).toBe(false);
  });
});

it.each(["asleep", "restarted", "cut", "gone"])(
  "a driver that went on (%s) has written each row once",
  async (name) => {
    const ids = (await (await local()).read.parquet(out(name)).orderBy("id").collect()) as { id: number }[];
    expect(ids.map(({ id }) => id)).toEqual(Array.from({ length: 400 }, (_, i) => i));
    expect(partsIn(out(name))).toHaveLength(40);
  },
);

/** Some 30 s in one call. */
function nativeCall(): number {
  const crypto = process.getBuiltinModule("node:crypto");
  return crypto.pbkdf2Sync("password", "salt", 40_000_000, 64, "sha512").length;
}

function takeAllMemory(): number {
  const kept: number[][] = [];
  for (;;) kept.push(new Array(100_000).fill(Math.random()));
}
