import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import type { Session } from "pomona";
import { col, udf } from "pomona/functions";
import { mobileNetV2 } from "pomona/models";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VERSION } from "../../src/version";
import { endpointClient } from "../support/endpoint-client";
import { fakeJupyter, fakeServer } from "../support/fake-jupyter";
import { freePorts } from "../support/free-ports";
import { type RunningServer, startJupyterServer } from "../support/jupyter-server";
import { isAlive } from "../support/processes";
import { startS3 } from "../support/s3-server";
import {
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
const images = out("images");
let server: RunningServer;

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
afterAll(() => server?.stop());

/** What is wrong with a session's start. */
async function wrong(endpoints: readonly object[]): Promise<Error> {
  const error: unknown = await start(endpoints).then(
    () => new Error("it started"),
    (error: unknown) => error,
  );
  expect(inspect(error)).not.toMatch(/hush|pomona-test/);
  return error as Error;
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
    await stop();
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
    // It tells of its memory every second, which may be longer than the job.
    await expect.poll(() => remote.workers()[0]?.memory).toBeGreaterThan(0);
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
      await stop();
      await s3.stop();
    }
  });

  it("has a kernel without a compiler, until somebody sends it a cell", async () => {
    await start([endpointOf(server)]);
    const [kernel] = kernelProcesses(server);
    const megabytes = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${kernel}/status`, "utf8"))?.[1]) / 1024;
    const before = megabytes();
    const line = await endpointClient(server.baseUrl.slice(0, -1), server.token).connect(
      (await kernels(server))[0]!.id,
    );
    expect(await line.execute("const six: number = 6; six * 7")).toBe("42");
    line.cut();
    expect(megabytes() - before).toBeGreaterThan(50);
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
    const killed = startDriver([endpointOf(server)], out("killed"));
    await killed.underWay;
    const [kernel] = kernelProcesses(server);
    expect(isAlive(kernel!)).toBe(true);
    killed.kill("SIGKILL");
    const at = Date.now();
    await expect.poll(() => kernels(server)).toEqual([]);
    await expect.poll(() => isAlive(kernel!)).toBe(false);
    console.log(`its kernel ended ${Date.now() - at} ms after it, with a lease of 4 s`);
    const ended = startDriver([endpointOf(server)], out("killed"), {}, true);
    expect([await ended.code, ended.errors()]).toEqual([0, ""]);
    expect(await kernels(server)).toEqual([]);
    expect(partsIn(out("killed"))).toHaveLength(4);
  });
});

describe("endpoints", () => {
  it("come and go while a job runs", async () => {
    const second = await startJupyterServer({ jupyterPath });
    const remote = await start([endpointOf(server)]);
    // However long the other takes to come, the job waits for it.
    writeFileSync(out("held"), "");
    const written = writeSlowly(remote, out("come"), out("held"));
    await expect.poll(() => remote.workers()[0]?.running).toBe(2);
    await remote.addEndpoint(endpointOf(second));
    await expect(remote.addEndpoint(endpointOf(second))).rejects.toThrow("is there already");
    await expect.poll(() => remote.workers()[1]?.running).toBe(2);
    expect(await remote.removeEndpoint(server.baseUrl)).toBe(true);
    expect(await remote.removeEndpoint(server.baseUrl)).toBe(false);
    expect(await kernels(server)).toEqual([]);
    rmSync(out("held"));
    await written;
    expect(remote.workers()).toMatchObject([{ endpoint: new URL(second.baseUrl).host, state: "ready", failed: 0 }]);
    await remote.stop();
    expect(await kernels(second)).toEqual([]);
    await second.stop();
    const here = await expectWhole(out("come"));
    await expect(here.addEndpoint("http://127.0.0.1:1")).rejects.toThrow("on this machine alone");
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
    expect(remote.workers().map(({ state, problem }) => [state, problem])).toEqual([
      ["unreachable", "no Jupyter server answers: the connection is refused"],
      ["ready", undefined],
      ["refused", expect.stringContaining("is no Jupyter server")],
    ]);
    // A server that can be used takes the place of what refused there.
    await page.stop();
    await expect(remote.addEndpoint(dead[1]!)).rejects.toThrow("the connection is refused");
    expect(remote.workers()[2]).toMatchObject({ state: "refused" });
    const instead = await startJupyterServer({ jupyterPath, port: Number(page.name.split(":")[1]) });
    await remote.addEndpoint(endpointOf(instead));
    expect(remote.workers().map(({ state }) => state)).toEqual(["unreachable", "ready", "ready"]);
    expect(await remote.removeEndpoint(page.name)).toBe(true);
    await instead.stop();
    await expectWhole(out("one"));
  });
});
