import { writeFileSync } from "node:fs";
import type { Session } from "pomona";
import { udf } from "pomona/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { storagesFrom } from "../../src/storage";
import { assertWhole, IncompleteWriteError } from "../../src/storage/commit";
import { cleanLeftovers } from "../../src/storage/leftovers";
import { type RunningServer, startJupyterServer } from "../support/jupyter-server";
import { isAlive } from "../support/processes";
import { type S3FaultProxy, startFaultProxy } from "../support/s3-fault-proxy";
import type { S3Request } from "../support/s3-requests";
import { type S3Server, startS3 } from "../support/s3-server";
import { allReady, endpointOf, endpointSessions, kernelProcesses, kernels, startDriver } from "./endpoint-sessions";

/* A commit into S3 is requests, so it can be interrupted at each of them: by the end of a kernel, of a server, of the driver. */

const BUCKET = "commit-bucket";
const { out, jupyterPath, start, local, stop } = endpointSessions();
let server: RunningServer;
let s3: S3Server;
let proxy: S3FaultProxy;
let settings: Record<string, string>;

beforeAll(async () => {
  [server, s3] = await Promise.all([startJupyterServer({ jupyterPath }), startS3({ buckets: [BUCKET] })]);
  proxy = await startFaultProxy(s3.endpoint);
  const byProxy = { ...s3.settings, "fs.s3a.endpoint": proxy.endpoint };
  settings = Object.fromEntries(Object.entries(byProxy).map(([name, value]) => [`spark.hadoop.${name}`, value]));
});
afterAll(async () => {
  await Promise.all([server?.stop(), proxy?.stop(), s3?.stop()]);
});

const is = (operation: string, key: RegExp, n = 1) => {
  let seen = 0;
  return (request: S3Request) => request.operation === operation && key.test(request.key) && ++seen === n;
};

/** Does something at a request, before that reaches the storage. */
function at(isIt: (request: S3Request) => boolean, act: () => void): () => number {
  let times = 0;
  proxy.reset();
  proxy.fault({
    when(request) {
      if (isIt(request)) {
        times++;
        act();
      }
      return false;
    },
    fault: { kind: "drop" },
  });
  return () => times;
}

const plus = udf((id: number) => id + 1_000, { returns: "long" });

/** Writes 40 rows in 4 parts. */
const write = (of: Session, url: string) =>
  of.range(0, 40).repartition(4).select(plus("id").alias("id")).write.parquet(url);

/** The ids from `first` on, each once, in 4 parts, and nothing else of the write. */
async function expectWhole(name: string, first: number): Promise<void> {
  const rows = (await (await local(settings)).read.parquet(`s3://${BUCKET}/${name}`).collect()) as {
    id: number;
  }[];
  await stop();
  expect(rows.map(({ id }) => id).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => first + i));
  const keys = (await s3.keys(BUCKET)).filter((key) => key.startsWith(`${name}/`));
  expect(keys.map((key) => key.replace(/.*\//, "").replace(/-[0-9a-f-]{36}-/, "-"))).toEqual([
    "_SUCCESS",
    ...Array.from({ length: 4 }, (_, i) => `part-0000${i}-c000.snappy.parquet`),
  ]);
  expect(await uploadsOf(name)).toEqual([]);
}

const uploadsOf = async (name: string) => (await s3.uploads(BUCKET)).filter((key) => key.startsWith(`${name}/`));

const MOMENTS = [
  ["while a worker sends a part", () => is("UploadPart", /part-/)],
  ["while a task is put on record", () => is("PutObject", /task-\d+\.json$/, 2)],
  ["while the job commits", () => is("CompleteMultipartUpload", /part-/, 2)],
] as const;

describe("where it is killed", () => {
  it.each(MOMENTS)("a kernel costs nothing but its tasks %s", async (moment, isIt) => {
    const name = `kernel ${moment}`.replaceAll(" ", "-");
    const remote = await start([endpointOf(server)], settings);
    const times = at(isIt(), () => {
      for (const pid of kernelProcesses(server)) process.kill(pid, "SIGKILL");
    });
    await write(remote, `s3://${BUCKET}/${name}`);
    expect(times()).toBe(1);
    console.log(`${moment}: ${JSON.stringify(remote.workers().map(({ done, failed }) => ({ done, failed })))}`);
    await stop();
    await expectWhole(name, 1_000);
  });

  it.each([MOMENTS[0], MOMENTS[2]])("a server costs nothing but its tasks %s", async (moment, isIt) => {
    const name = `server ${moment}`.replaceAll(" ", "-");
    const dying = await startJupyterServer({ jupyterPath });
    const remote = await start([endpointOf(dying), endpointOf(server)], settings);
    await allReady(remote);
    const orphans = kernelProcesses(dying);
    let killed: Promise<void> | undefined;
    at(isIt(), () => {
      killed ??= dying.kill();
    });
    await write(remote, `s3://${BUCKET}/${name}`);
    expect(killed).toBeDefined();
    await killed;
    await stop();
    // Its kernel outlives it for a moment, and may begin an upload after the commit has removed all others.
    await expect.poll(() => orphans.filter(isAlive)).toEqual([]);
    const begun = await uploadsOf(name);
    console.log(`${moment}: the lost machine began ${begun.length} uploads after the commit`);
    const left = await cleanLeftovers(storagesFrom(s3.settings).at(`s3://${BUCKET}/${name}`), { olderThan: 0 });
    expect(left.map(({ kind, kept }) => [kind, kept])).toEqual(begun.map(() => ["upload", undefined]));
    await expectWhole(name, 1_000);
  });

  it.each([
    ["while a task is put on record", () => is("PutObject", /task-\d+\.json$/, 2), false],
    ["while the job commits", () => is("CompleteMultipartUpload", /part-/, 2), true],
  ] as const)(
    "the driver shows nothing %s, and the same program again gives everything once",
    async (moment, isIt, committing) => {
      const name = `driver ${moment}`.replaceAll(" ", "-");
      const url = `s3://${BUCKET}/${name}`;
      let isDead = false;
      const first = startDriver([endpointOf(server)], url, settings, true);
      const isAt = isIt();
      proxy.reset();
      const when = (request: S3Request) => {
        if (!isDead && isAt(request)) isDead = first.kill("SIGKILL");
        return isDead;
      };
      proxy.fault({ when, fault: { kind: "drop" } });
      expect([await first.code, first.errors()]).toEqual([null, ""]);
      proxy.reset();
      const place = storagesFrom(s3.settings).at(url);
      if (committing) await expect(assertWhole(place)).rejects.toThrow(IncompleteWriteError);
      else expect((await s3.keys(BUCKET)).filter((key) => /part-/.test(key) && key.startsWith(`${name}/`))).toEqual([]);
      const second = startDriver([endpointOf(server)], url, settings, true);
      expect([await second.code, second.errors()]).toEqual([0, ""]);
      await expectWhole(name, 0);
      await expect.poll(() => kernels(server)).toEqual([]);
    },
  );
});

describe("clocks that differ by an hour", () => {
  it("change nothing: what is written, the lease, progress", async () => {
    const shim = out("hour.cjs");
    writeFileSync(shim, HOUR);
    const ahead = await startJupyterServer({ jupyterPath, env: { NODE_OPTIONS: `--require ${shim}` } });
    try {
      const remote = await start([endpointOf(ahead)], { ...settings, "pomona.endpoints.leaseSeconds": 5 });
      const clock = udf((_id: number) => Date.now(), { returns: "long" });
      const [there] = (await remote.range(0, 1).select(clock("id").alias("now")).collect()) as { now: number }[];
      expect(there!.now - Date.now()).toBeGreaterThan(3_000_000);
      const times: number[] = [];
      remote.onEvent((event) => times.push(event.time));
      const before = Date.now();
      await write(remote, `s3://${BUCKET}/hour`);
      const waiting = udf(
        (id: number) => {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6_000);
          return id;
        },
        { returns: "long" },
      );
      // Longer than the lease.
      await remote.range(0, 2).repartition(2).select(waiting("id").alias("id")).write.parquet(out("hour"));
      expect(remote.workers()).toMatchObject([{ state: "ready", done: 7, failed: 0 }]);
      expect(times.every((time) => time >= before && time <= Date.now())).toBe(true);
    } finally {
      await stop();
      await ahead.stop();
    }
    await expectWhole("hour", 1_000);
  });
});

/** Shifts what `Date` says in a process and its threads; timers go on as they do. */
const HOUR = `
const now = () => Reflect.apply(Real.now, Real, []) + 3_600_000;
const Real = Date;
globalThis.Date = new Proxy(Real, {
  construct: (target, args, made) => Reflect.construct(target, args.length > 0 ? args : [now()], made),
  get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
});
`;
