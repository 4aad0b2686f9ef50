import { randomBytes } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Session } from "pomona";
import { col, udf } from "pomona/functions";
import { mobileNetV2 } from "pomona/models";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cutProxy } from "../support/cut-proxy";
import { type RunningServer, startJupyterServer } from "../support/jupyter-server";
import { allReady, endpointOf, endpointSessions, kernelProcesses, partsIn } from "./endpoint-sessions";

/* Workers behind a server that sees another folder under this one's path, as on a machine that shares none. */

const { out, jupyterPath, local, stop, ...sessions } = endpointSessions();
const folder = out("");
/** The workers' machine has this one in its place. */
const elsewhere = mkdtempSync(join(tmpdir(), "pomona-elsewhere-"));
/** Both see this one. */
const shared = mkdtempSync(join(tmpdir(), "pomona-shared-"));
const images = join(folder, "images");
const cache = join(elsewhere, "cache");
const start: typeof sessions.start = (endpoints, settings) =>
  sessions.start(endpoints, { "pomona.spool.dir": folder, ...settings });
let server: RunningServer;

beforeAll(async () => {
  mkdirSync(images);
  for (let i = 0; i < 8; i++) {
    const data = Uint8Array.from({ length: 330 * 330 * 3 }, (_, at) => (at * at * (i + 3) + (at >> 3)) % 251);
    const png = await sharp(data, { raw: { width: 330, height: 330, channels: 3 } })
      .png({ compressionLevel: 0 })
      .toBuffer();
    writeFileSync(join(images, `${i}.png`), png);
  }
  server = await startJupyterServer({
    jupyterPath,
    env: { POMONA_CACHE_DIR: cache },
    mounts: [["--bind", elsewhere, folder]],
  });
});
afterAll(async () => {
  await server?.stop();
  for (const each of [elsewhere, shared]) rmSync(each, { recursive: true, force: true });
});

async function writeFeatures(of: Session, path: string): Promise<Buffer[]> {
  const table = { "0": "apple" };
  const label = udf((path: string) => table[path.slice(-5, -4) as "0"] ?? "pear", {
    returns: "string",
    broadcast: { table },
  });
  const rows = of.read.format("binaryFile").load(images).repartition(4);
  const features = mobileNetV2({ weights: "random" })(col("content")).alias("features");
  const labelled = rows.select(col("path"), label("path").alias("label"), features);
  await labelled.write.parquet(path);
  // A stage between: what it makes is read again.
  await labelled.filter(col("label").isNotNull()).orderBy("path").write.parquet(`${path}-sorted`);
  return [...partsIn(path), ...partsIn(`${path}-sorted`)].map((part) => readFileSync(part));
}

const noise = udf(
  (id: number) => {
    const bytes = Buffer.alloc(192 * 1024);
    let state = id + 1;
    for (let at = 0; at < bytes.length; at++) {
      state = (state * 1103515245 + 12345) % 2147483648;
      bytes[at] = state >> 16;
    }
    return bytes.toString("base64");
  },
  { returns: "string" },
);

/** Writes 8 parts of 4 MB. */
function writeNoise(of: Session, path: string): Promise<unknown> {
  return of.range(0, 128).repartition(8).select(col("id"), noise("id").alias("noise")).write.parquet(path);
}

/** Resolves when a part of an output is there by half. */
async function halfWritten(path: string): Promise<void> {
  for (;;) {
    const halves = existsSync(path) ? (readdirSync(path, { recursive: true }) as string[]) : [];
    for (const name of halves.filter((name) => name.endsWith(".tmp"))) {
      if ((statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0) > 300_000) return;
    }
    await sleep(2);
  }
}

async function expectNoise(path: string): Promise<void> {
  await stop();
  if (!existsSync(out("noise"))) await writeNoise(await local(), out("noise"));
  const [wanted, found] = [partsIn(out("noise")), partsIn(path)];
  expect(found).toHaveLength(8);
  for (const [i, part] of found.entries()) expect(readFileSync(part).equals(readFileSync(wanted[i]!))).toBe(true);
  expect(readdirSync(path).filter((name) => !name.startsWith("part-"))).toEqual(["_SUCCESS"]);
}

describe("workers on a machine that sees other files", () => {
  it("make the same bytes of what travels to them, and leave nothing there", async () => {
    const here = await writeFeatures(await local(), out("here"));
    await stop();
    const remote = await start([endpointOf(server)]);
    const there = await writeFeatures(remote, out("there"));
    expect(there.map((bytes, i) => bytes.equals(here[i]!))).toEqual([true, true, true, true, true]);
    expect(readdirSync(out("there")).filter((name) => !name.startsWith("part-"))).toEqual(["_SUCCESS"]);
    expect(readdirSync(elsewhere)).toEqual(["cache"]);
    expect(remote.log().join("\n")).toMatch(/Files travel from this machine to 127.0.0.1:\d+, which does not see them/);
    expect(remote.workers()).toMatchObject([{ failed: 0 }]);
  });

  it("read a file of their own only where it is the one that was listed", async () => {
    const other = join(elsewhere, "texts");
    const texts = join(folder, "texts");
    for (const at of [other, texts]) mkdirSync(at);
    const day = new Date(2026, 0, 1);
    const put = (at: string, name: string, text: string, changed = day) => {
      writeFileSync(join(at, name), text);
      utimesSync(join(at, name), changed, changed);
    };
    for (const [name, text] of Object.entries({ same: "pear", size: "apple", time: "plum", gone: "fig" }))
      put(texts, name, text);
    // Nobody can tell this one by its size and time: that it is taken shows that it is read there.
    put(other, "same", "PEAR");
    put(other, "size", "other apple");
    put(other, "time", "PLUM", new Date(2026, 0, 2));
    const remote = await start([endpointOf(server)]);
    const text = udf((content: Uint8Array) => Buffer.from(content).toString(), { returns: "string" });
    const rows = remote.read.format("binaryFile").load(texts).select(text("content").alias("text"));
    const found = (await rows.collect()) as { text: string }[];
    expect(found.map(({ text }) => text).sort()).toEqual(["PEAR", "apple", "fig", "plum"]);
    rmSync(other, { recursive: true });
  });

  it("read Parquet of their own by the same rule", async () => {
    const double = udf((id: number) => 2 * id, { returns: "long" });
    const doubled = async (of: Session) => {
      const rows = (await of.read.parquet(out("numbers")).select(double("id").alias("id")).collect()) as {
        id: number;
      }[];
      return rows.map(({ id }) => id);
    };
    const here = await local();
    for (const first of [4000, 5000])
      await here
        .range(first, first + 3)
        .coalesce(1)
        .write.parquet(out(`from-${first}`));
    const [[numbers], [others]] = [partsIn(out("from-4000")), partsIn(out("from-5000"))] as [[string], [string]];
    // Two files of one size.
    expect(statSync(numbers).size).toBe(statSync(others).size);
    for (const [at, part] of [
      [out("numbers"), numbers],
      [join(elsewhere, "numbers"), others],
    ] as const) {
      mkdirSync(at);
      cpSync(part, join(at, "part.parquet"));
      utimesSync(join(at, "part.parquet"), new Date(2026, 0, 1), new Date(2026, 0, 1));
    }
    expect(await doubled(here)).toEqual([8000, 8002, 8004]);
    await here.stop();
    const again = await start([endpointOf(server)]);
    expect(await doubled(again)).toEqual([10_000, 10_002, 10_004]);
    const tomorrow = new Date(2026, 0, 2);
    utimesSync(join(elsewhere, "numbers", "part.parquet"), tomorrow, tomorrow);
    expect(await doubled(again)).toEqual([8000, 8002, 8004]);
    rmSync(join(elsewhere, "numbers"), { recursive: true });
  });

  it("get what is shipped once a machine, and not again in the next session", async () => {
    const proxy = await cutProxy(server.baseUrl);
    const value = randomBytes(4_000_000).toString("base64");
    const run = async () => {
      const remote = await start([endpointOf({ ...server, baseUrl: proxy.baseUrl })]);
      const before = proxy.sent;
      const size = udf((id: number) => value.length + id, { returns: "long", broadcast: { value } });
      const sizes = await remote.range(0, 8).repartition(4).select(size("id").alias("size")).collect();
      expect((sizes as { size: number }[]).map(({ size }) => size - value.length).sort()).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7,
      ]);
      await remote.stop();
      return proxy.sent - before;
    };
    const [first, second] = [await run(), await run()];
    await proxy.stop();
    console.log(`a value of ${value.length} bytes: ${first} bytes sent for two slots, ${second} in the next session`);
    expect(first).toBeGreaterThan(value.length);
    expect(first).toBeLessThan(1.5 * value.length);
    expect(second).toBeLessThan(0.2 * value.length);
  });

  it("write into a folder that they see by themselves", async () => {
    const remote = await start([endpointOf(server)], { "pomona.spool.dir": shared });
    await writeNoise(remote, join(shared, "noise"));
    expect(remote.log().join("\n")).not.toMatch(/travel|In this job/);
    await expectNoise(join(shared, "noise"));
  });

  it("that are killed in the middle of an upload leave nothing, and others make its part", async () => {
    const remote = await start([endpointOf(server)]);
    const written = writeNoise(remote, out("killed"));
    await halfWritten(out("killed"));
    for (const pid of kernelProcesses(server)) process.kill(pid, "SIGKILL");
    await written;
    expect(remote.workers()[0]!.failed).toBeGreaterThan(0);
    await expectNoise(out("killed"));
  });

  it("go on where the network was cut for five seconds in the middle of an upload", async () => {
    const proxy = await cutProxy(server.baseUrl);
    const remote = await start([endpointOf({ ...server, baseUrl: proxy.baseUrl })]);
    const written = writeNoise(remote, out("cut"));
    await halfWritten(out("cut"));
    proxy.cut();
    await sleep(5000);
    proxy.restore();
    await written;
    expect(remote.log().join("\n")).toMatch(/What is written travels from .* MB\/s/);
    expect(remote.workers()).toMatchObject([{ done: 8, failed: 0 }]);
    await expectNoise(out("cut"));
    await proxy.stop();
  });

  it("are replaced by others where it is cut for good", async () => {
    const proxy = await cutProxy(server.baseUrl);
    const behind = endpointOf({ ...server, baseUrl: proxy.baseUrl });
    const remote = await start([behind, endpointOf(server)], { "pomona.endpoints.leaseSeconds": 5 });
    await allReady(remote);
    const written = writeNoise(remote, out("gone"));
    await halfWritten(out("gone"));
    proxy.cut();
    await written;
    await expectNoise(out("gone"));
    await proxy.stop();
  });

  it("fail by name where their disk is full, and others do the work", async () => {
    const full = join(elsewhere, "full");
    mkdirSync(full);
    const small = await startJupyterServer({
      jupyterPath,
      env: { POMONA_CACHE_DIR: full },
      mounts: [
        ["-t", "tmpfs", "-o", "size=64k", "tmpfs", full],
        ["--bind", elsewhere, folder],
      ],
    });
    try {
      const value = randomBytes(300_000).toString("base64");
      const size = udf((id: number) => value.length + id, { returns: "long", broadcast: { value } });
      const write = (of: Session, path: string) =>
        of.range(0, 8).repartition(4).select(size("id").alias("size")).write.parquet(path);
      const alone = await start([endpointOf(small)]);
      await expect(write(alone, out("full"))).rejects.toThrow(/no space left on the device.*POMONA_CACHE_DIR/s);
      expect(existsSync(out("full"))).toBe(false);
      await alone.stop();
      const both = await start([endpointOf(small), endpointOf(server)]);
      await allReady(both);
      await write(both, out("full"));
      expect(partsIn(out("full"))).toHaveLength(4);
    } finally {
      await stop();
      await small.stop();
    }
  });
});
