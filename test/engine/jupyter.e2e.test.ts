import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { Session } from "pomona";
import { col, udf } from "pomona/functions";
import { mobileNetV2 } from "pomona/models";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { VERSION } from "../../src/version";
import { cutProxy } from "../support/cut-proxy";
import { fakeJupyter, fakeServer } from "../support/fake-jupyter";
import { freePorts } from "../support/free-ports";
import { KERNEL_NAME, kernelspecFolder, type RunningServer, startJupyterServer } from "../support/jupyter-server";
import { startS3 } from "../support/s3-server";

const folder = mkdtempSync(join(tmpdir(), "pomona-endpoints-"));
const images = join(folder, "images");
const out = (name: string) => join(folder, name);
const jupyterPath = kernelspecFolder();
let server: RunningServer;
let session: Session | undefined;

beforeAll(async () => {
  server = await startJupyterServer({ jupyterPath });
  mkdirSync(images);
  for (let i = 0; i < 12; i++) {
    const data = Uint8Array.from({ length: 60 * 60 * 3 }, (_, at) => (at * (i + 3) * 7 + (at >> 5)) % 256);
    const jpeg = await sharp(data, { raw: { width: 60, height: 60, channels: 3 } })
      .jpeg()
      .toBuffer();
    writeFileSync(join(images, `${String(i).padStart(2, "0")}.jpg`), jpeg);
  }
});
afterEach(async () => {
  await session?.stop();
  session = undefined;
});
afterAll(async () => {
  await server?.stop();
  for (const each of [folder, jupyterPath]) rmSync(each, { recursive: true, force: true });
});

const endpointOf = ({ baseUrl, token }: RunningServer, more: object = {}) => ({
  url: baseUrl,
  token,
  slots: 2,
  kernel: KERNEL_NAME,
  ...more,
});

async function start(endpoints: readonly object[], settings: Record<string, string | number> = {}): Promise<Session> {
  session = await Session.builder()
    .master("jupyter")
    .config("pomona.progress", "off")
    .config("pomona.endpoints", JSON.stringify(endpoints))
    .config(settings)
    .getOrCreate();
  return session;
}

async function local(): Promise<Session> {
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
  return session;
}

/** What is wrong with a session's start. */
async function wrong(endpoints: readonly object[]): Promise<Error> {
  const error: unknown = await start(endpoints).then(
    () => new Error("it started"),
    (error: unknown) => error,
  );
  expect(inspect(error)).not.toMatch(/hush|pomona-test/);
  return error as Error;
}

/** The kernels that a server has. */
async function kernels({ baseUrl, token }: RunningServer): Promise<{ id: string }[]> {
  const response = await fetch(`${baseUrl}api/kernels`, { headers: { Authorization: `token ${token}` } });
  return (await response.json()) as { id: string }[];
}

/** The processes that a server started and that run. */
function kernelProcesses({ pid }: RunningServer): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

const partsIn = (path: string) =>
  readdirSync(path)
    .filter((name) => name.startsWith("part-"))
    .sort()
    .map((name) => join(path, name));

const slow = udf(
  (id: number) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    return id;
  },
  { returns: "long" },
);

/** Writes 160 slow rows in 16 parts. */
function writeSlowly(of: Session, path: string): Promise<unknown> {
  const rows = of.range(0, 160).repartition(16);
  return rows.select(slow("id").alias("id")).write.parquet(path);
}

/** The ids, each once, and nothing left of the write. */
async function expectWhole(path: string): Promise<void> {
  await session?.stop();
  const rows = (await (await local()).read.parquet(path).collect()) as { id: number }[];
  expect(rows.map(({ id }) => id).sort((a, b) => a - b)).toEqual(Array.from({ length: 160 }, (_, i) => i));
  expect(readdirSync(path).filter((name) => !name.startsWith("part-"))).toEqual(["_SUCCESS"]);
  expect(partsIn(path)).toHaveLength(16);
}

/** Resolves when the session's tasks are under way. */
function underWay(of: Session): Promise<void> {
  return new Promise((resolve) => {
    let ended = 0;
    of.onEvent((event) => {
      if (event.type === "taskEnded" && ++ended === 2) resolve();
    });
  });
}

describe("a session with its workers behind a Jupyter server", () => {
  it("writes the same bytes as on this machine", async () => {
    const write = async (of: Session, path: string) => {
      const table = { "00": "apple" };
      const label = udf((path: string) => table[path.slice(-6, -4) as "00"] ?? "pear", {
        returns: "string",
        broadcast: { table },
      });
      const rows = of.read.format("binaryFile").load(images).repartition(4);
      const features = mobileNetV2({ weights: "random" })(col("content")).alias("features");
      await rows.select(col("path"), label("path").alias("label"), features).write.parquet(path);
      return partsIn(path).map((part) => readFileSync(part));
    };
    const here = await write(await local(), out("here"));
    await session?.stop();
    const remote = await start([endpointOf(server)]);
    expect(remote.defaultParallelism).toBe(2);
    const workers = new Set<string>();
    remote.onEvent((event) => {
      if (event.type === "taskStarted") workers.add(event.worker);
    });
    const there = await write(remote, out("there"));
    const { host } = new URL(server.baseUrl);
    expect([...workers].sort()).toEqual([`${host}/1`, `${host}/2`]);
    expect(here).toHaveLength(4);
    expect(there.map((bytes, i) => bytes.equals(here[i]!))).toEqual([true, true, true, true]);
    expect(await kernels(server)).toHaveLength(1);
    expect(remote.workers()).toEqual([
      {
        ...{ endpoint: host, state: "ready", slots: 2, running: 0, done: 4, failed: 0, version: VERSION },
        ...{ memory: expect.any(Number), rowsPerSecond: expect.any(Number) },
      },
    ]);
    expect(inspect([remote.conf.getAll(), remote.log(), remote], { depth: 12 })).not.toContain(server.token);
    const [kernel] = kernelProcesses(server);
    await remote.stop();
    expect(await kernels(server)).toEqual([]);
    await expect.poll(() => isAlive(kernel!)).toBe(false);
  });

  it("reads and writes s3:// on the workers, with the session's keys", async () => {
    const s3 = await startS3({ buckets: ["endpoint-bucket"] });
    try {
      const keys = Object.entries(s3.settings).map(([name, value]) => [`spark.hadoop.${name}`, value]);
      const remote = await start([endpointOf(server)], Object.fromEntries(keys));
      const double = udf((id: number) => id * 2, { returns: "long" });
      const at = "s3://endpoint-bucket/numbers";
      await remote.range(0, 20).repartition(4).select(double("id").alias("id")).write.parquet(at);
      const again = await remote.read.parquet(at).select(double("id").alias("id")).collect();
      const ids = (again as { id: number }[]).map(({ id }) => id).sort((a, b) => a - b);
      expect(ids).toEqual(Array.from({ length: 20 }, (_, i) => i * 4));
      expect(remote.workers()).toMatchObject([{ done: 8, failed: 0 }]);
    } finally {
      await session?.stop();
      await s3.stop();
    }
  });

  it("stops its workers within a second, and stays usable", async () => {
    const remote = await start([endpointOf(server)]);
    const started = underWay(remote);
    const written = writeSlowly(remote, out("stopped")).catch((error: Error) => error.name);
    await started;
    const at = Date.now();
    await remote.interruptAll();
    expect(await written).toBe("CancelledError");
    console.log(`stopped after ${Date.now() - at} ms`);
    expect(() => statSync(out("stopped"))).toThrow("ENOENT");
    await writeSlowly(remote, out("after"));
    await expectWhole(out("after"));
  });

  it("tells a function's error with its place on the worker", async () => {
    const remote = await start([endpointOf(server)]);
    const bad = udf(
      (id: number) => {
        if (id === 7) throw new TypeError("no such fruit");
        return id;
      },
      { returns: "long" },
    );
    const collected = remote.range(0, 20).select(bad("id").alias("id")).collect();
    await expect(collected).rejects.toMatchObject({
      name: "TaskFailedError",
      message: expect.stringContaining("no such fruit"),
    });
  });

  it("leaves no kernel where its process is killed, nor where that ends by itself", async () => {
    const run = (path: string) =>
      spawn(process.execPath, [join(__dirname, "jupyter-driver.cjs"), JSON.stringify([endpointOf(server)]), path], {
        stdio: ["ignore", "pipe", "inherit"],
      });
    const killed = run(out("killed"));
    await new Promise((resolve) => killed.stdout.once("data", resolve));
    const [kernel] = kernelProcesses(server);
    expect(isAlive(kernel!)).toBe(true);
    killed.kill("SIGKILL");
    const at = Date.now();
    await expect.poll(() => kernels(server)).toEqual([]);
    await expect.poll(() => isAlive(kernel!)).toBe(false);
    console.log(`its kernel ended ${Date.now() - at} ms after it, with a lease of 4 s`);
    const ended = run(out("killed"));
    expect(await new Promise((resolve) => ended.once("close", resolve))).toBe(0);
    expect(await kernels(server)).toEqual([]);
    expect(partsIn(out("killed"))).toHaveLength(40);
  });
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
    const started = underWay(remote);
    const written = writeSlowly(remote, out("server"));
    await started;
    const orphans = kernelProcesses(second);
    await second.kill();
    await written;
    expect(remote.log().join("\n")).toContain(`Endpoint ${new URL(second.baseUrl).host} was lost`);
    await expect.poll(() => orphans.filter(isAlive)).toEqual([]);
    await remote.stop();
    expect(await kernels(server)).toEqual([]);
    await expectWhole(out("server"));
  });
});

describe("a network", () => {
  it("that is cut for five seconds costs nothing but these", async () => {
    const proxy = await cutProxy(server.baseUrl);
    const remote = await start([endpointOf({ ...server, baseUrl: proxy.baseUrl })]);
    const started = underWay(remote);
    const written = writeSlowly(remote, out("cut"));
    await started;
    proxy.cut();
    await sleep(5000);
    proxy.restore();
    await written;
    expect(remote.workers()).toMatchObject([{ state: "ready", done: 16, failed: 0 }]);
    await remote.stop();
    await proxy.stop();
    expect(await kernels(server)).toEqual([]);
    await expectWhole(out("cut"));
  });

  it("that is cut for good costs the tasks that ran behind it, which run elsewhere; the lease ends the kernel", async () => {
    const proxy = await cutProxy(server.baseUrl);
    const remote = await start([endpointOf({ ...server, baseUrl: proxy.baseUrl }), endpointOf(server)], {
      "pomona.endpoints.leaseSeconds": 5,
      // Second attempts would do it all before the loss is noticed.
      "spark.speculation": "false",
    });
    const started = underWay(remote);
    const written = writeSlowly(remote, out("gone"));
    await started;
    proxy.cut();
    await written;
    expect(remote.log().join("\n")).toContain("nothing was heard of it for 15 s");
    await expect.poll(() => kernels(server)).toHaveLength(1);
    await remote.stop();
    await proxy.stop();
    expect(await kernels(server)).toEqual([]);
    await expectWhole(out("gone"));
  });
});

describe("endpoints", () => {
  it("come and go while a job runs", async () => {
    const second = await startJupyterServer({ jupyterPath });
    const remote = await start([endpointOf(server)]);
    const started = underWay(remote);
    const written = writeSlowly(remote, out("come"));
    await started;
    await remote.addEndpoint(endpointOf(second));
    await expect(remote.addEndpoint(endpointOf(second))).rejects.toThrow("is there already");
    await expect.poll(() => remote.workers()[1]?.running).toBeGreaterThan(0);
    expect(await remote.removeEndpoint(server.baseUrl)).toBe(true);
    expect(await remote.removeEndpoint(server.baseUrl)).toBe(false);
    expect(await kernels(server)).toEqual([]);
    await written;
    expect(remote.workers()).toMatchObject([{ endpoint: new URL(second.baseUrl).host, state: "ready", failed: 0 }]);
    await remote.stop();
    expect(await kernels(second)).toEqual([]);
    await second.stop();
    await expectWhole(out("come"));
    await expect(session!.addEndpoint("http://127.0.0.1:1")).rejects.toThrow("on this machine alone");
  });
});

describe("endpoints that can't be used", () => {
  it("are told by name", async () => {
    const [nobody] = await freePorts(1);
    const page = await fakeServer((_request, response) => response.end("<html>Welcome</html>"));
    const login = await fakeServer((_request, response) => response.writeHead(302, { Location: "/login" }).end());
    const nothing = await fakeServer((_request, response) => response.writeHead(404).end("not found"));
    const broken = await fakeServer((_request, response) => response.writeHead(500).end("oh"));
    const other = await fakeJupyter({ version: "0.0.9", node: "v20", cores: 2, memory: 1, pid: 1 });
    const cases: readonly (readonly [object, string, string])[] = [
      [{ url: `http://127.0.0.1:${nobody}` }, "EndpointUnreachableError", "the connection is refused"],
      [{ url: "http://no-such-host.invalid" }, "EndpointUnreachableError", "there is no host of that name"],
      [endpointOf(server, { token: "hush" }), "EndpointAccessError", "the token is refused (HTTP 403)"],
      [endpointOf(server, { token: undefined }), "EndpointAccessError", "it wants a token, and there is none"],
      [{ url: `http://${page.name}` }, "NotJupyterError", "is no Jupyter server"],
      [{ url: `http://${login.name}` }, "EndpointAccessError", "HTTP 302"],
      [{ url: `http://${nothing.name}` }, "NotJupyterError", "HTTP 404"],
      [{ url: `http://${broken.name}` }, "EndpointUnreachableError", "HTTP 500"],
      [{ url: `${server.baseUrl}elsewhere`, token: server.token }, "NotJupyterError", "HTTP 404"],
      [endpointOf(server, { kernel: "nowhere" }), "EndpointKernelError", 'it has no kernel "nowhere"; there are:'],
      [endpointOf(server, { kernel: "python3" }), "EndpointKernelError", "it is none of Pomona"],
      [{ url: `http://${other.name}` }, "EndpointVersionError", "its kernel is Pomona 0.0.9"],
    ];
    try {
      for (const [endpoint, name, what] of cases) {
        const error = await wrong([endpoint]);
        expect([error.name, error.message]).toEqual([name, expect.stringContaining(what)]);
      }
      expect(other.requests.at(-1)).toBe("DELETE /api/kernels/one");
      const both = await wrong([{ url: `http://127.0.0.1:${nobody}` }, { url: `http://${page.name}` }]);
      expect(both.message).toMatch(/refused.*Nor can the other endpoints be used:\n- .*is no Jupyter server/s);
      expect(await kernels(server)).toEqual([]);
    } finally {
      for (const each of [page, login, nothing, broken, other]) await each.stop();
    }
  });

  it("do not keep a session from the one that can, two of three dead", async () => {
    const [nobody] = await freePorts(1);
    const page = await fakeServer((_request, response) => response.end("<html>Welcome</html>"));
    const dead = [{ url: `http://127.0.0.1:${nobody}` }, { url: `http://${page.name}` }];
    const remote = await start([dead[0]!, endpointOf(server), dead[1]!]);
    await writeSlowly(remote, out("one"));
    expect(remote.log().join("\n")).toMatch(/refused.*The others go on without it/);
    expect(remote.log().join("\n")).toMatch(/is no Jupyter server.*It is left alone/);
    expect(remote.workers().map(({ state }) => state)).toEqual(["lost", "ready", "refused"]);
    await page.stop();
    await expectWhole(out("one"));
  });
});
