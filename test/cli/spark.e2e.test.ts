import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePorts } from "../support/free-ports";
import { descendants, isAlive } from "../support/processes";
import { type S3Server, startS3 } from "../support/s3-server";
import { sparkPython, sparkServer, startSpark, stopSpark } from "../support/spark";
import { expectError, resultOf, until, workplace } from "./command-line";

const at = workplace();
/** Where the installations are; a workplace has a home of its own. */
const CACHE = process.env.POMONA_CACHE_DIR || join(process.env.HOME ?? "", ".cache", "pomona");
const env = { POMONA_CACHE_DIR: CACHE };

let s3: S3Server;
beforeAll(async () => {
  s3 = await startS3({ buckets: ["spark-servers"] });
});
afterAll(async () => {
  await s3.stop();
});

/** What executors have of PySpark, compiled. */
const COMPILED = ["pyspark.zip", "pyspark", "__init__.pyc"];

const SETTINGS = () => JSON.stringify({ ...s3.settings, "fs.s3a.connection.ssl.enabled": "false" });

/** PySpark's own client: SQL, a function beside the executors, and a file of a bucket there and back. */
const PROGRAM = `
import json, sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
answer = spark.sql("SELECT 1 + 1 AS two").first().two
def same(batches):
    yield from batches
rows = spark.range(0, 100, 1, 2).mapInArrow(same, "id long").count()
def place(batches):
    import pyarrow, pyspark
    for _ in batches: yield pyarrow.RecordBatch.from_pydict({"place": [pyspark.__file__]})
place = spark.range(0, 1, 1, 1).mapInArrow(place, "place string").first().place
if len(sys.argv) > 1:
    for name, value in json.loads(sys.argv[1]).items(): spark.conf.set(name, value)
    lines = [row.value for row in spark.read.text("s3a://spark-servers/lines.txt").collect()]
    spark.range(0, 10, 1, 2).write.parquet("s3://spark-servers/" + sys.argv[2])
    back = spark.read.parquet("s3a://spark-servers/" + sys.argv[2]).count()
else: lines, back = None, None
# pandas counts in 3.5.
print(json.dumps([spark.version, answer, int(rows), place.split("/")[-3:], lines, back and int(back)]))
`;

it("starts a cluster that answers SQL, runs Python, reads and writes S3; stop leaves none of its processes", async () => {
  await s3.put("spark-servers/lines.txt", "one\ntwo\n");
  const events = at.path("events");
  mkdirSync(events);
  const conf = { "spark.eventLog.enabled": "true", "spark.eventLog.dir": `file://${events}` };
  const server = await startSpark("cluster", { conf });
  const answered = JSON.parse(await sparkPython(server, PROGRAM, [SETTINGS(), "numbers"]));
  expect(answered).toEqual(["4.0.2", 2, 100, COMPILED, ["one", "two"], 10]);
  expect((await s3.keys("spark-servers")).filter((key) => key.startsWith("numbers/part-")).length).toBeGreaterThan(0);

  const status = await at.pomona(["spark", "status", "--port", String(server.port), "--json"], { env });
  expect(resultOf(status)).toMatchObject({ servers: [{ state: "ready", workers: 2, version: "4.0.2", s3a: true }] });
  expect(server.processes.map(({ role }) => role).sort()).toEqual(["history", "master", "server", "worker", "worker"]);
  // A client finds the pages by the server's settings.
  const executors = (await (await fetch(`${server.pages.ui}/api/v1/applications`)).json()) as { id: string }[];
  expect(executors).toHaveLength(1);
  const history = await fetch(`${server.pages.history}/api/v1/applications?status=running`);
  expect(history.ok).toBe(true);

  const all = server.processes.flatMap(({ pid }) => [pid, ...descendants(pid)]);
  // With two executors and a Python daemon at least.
  expect(all.length).toBeGreaterThanOrEqual(8);
  const stopped = await at.pomona(["spark", "stop", "--port", String(server.port)], { env });
  expect(stopped).toMatchObject({ code: 0, stdout: `Ended: ${server.url}.\n` });
  expect(all.filter(isAlive)).toEqual([]);
  expect(existsSync(server.folder)).toBe(false);
  // What ran there can still be looked at.
  expect(readdirSync(events)).toHaveLength(1);
  expectError(await at.pomona(["spark", "stop", "--port", String(server.port)], { env }), "NoSparkServerError", [
    `No Spark was started here at port ${server.port}.`,
  ]);
});

it("runs Spark 3.5, and Sail, each with PySpark as its client", async () => {
  const [older, sail] = await Promise.all([sparkServer("3.5"), sparkServer("sail")]);
  await s3.put("spark-servers/lines.txt", "one\ntwo\n");
  expect(JSON.parse(await sparkPython(older, PROGRAM, [SETTINGS(), "older"]))).toEqual([
    "3.5.6",
    2,
    100,
    COMPILED,
    ["one", "two"],
    10,
  ]);
  const [, two, rows] = JSON.parse(await sparkPython(sail, PROGRAM)) as unknown[];
  expect([two, rows]).toEqual([2, 100]);
});

it("says what a port, Java or a setting is in the way of, before anything is installed or started", async () => {
  const listener = createServer();
  await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
  const { port } = listener.address() as { port: number };
  const start = (...args: string[]) => at.pomona(["spark", "start", "--port", "0", ...args], { env });
  expectError(await start("--port", String(port)), "UsageError", [`Port ${port} is taken.`, "--port names another"], 2);
  listener.close();
  const shared = await sparkServer("sail");
  expectError(
    await start("--port", String(shared.port)),
    "UsageError",
    [`Sail 0.7.2 runs at ${shared.url} already.`, `pomona spark stop --port ${shared.port} ends it`],
    2,
  );

  // A folder with what the command itself needs, and no Java.
  const path = at.path("bin");
  mkdirSync(path);
  symlinkSync(process.execPath, join(path, "node"));
  const withoutJava = { ...env, PATH: path, JAVA_HOME: "" };
  const none = await at.pomona(["spark", "start", "--port", "0"], { env: withoutJava });
  expectError(none, "JavaMissingError", ["Spark 4.0.2 needs Java 17 to 22; there is none on PATH", "apt-get install"]);
  const { stdout } = await at.pomona(["doctor", "--json"], { env: withoutJava });
  const { findings } = JSON.parse(stdout) as { findings: { what: string; ok: boolean; found: string }[] };
  expect(findings.find(({ what }) => what.startsWith("Spark"))).toMatchObject({
    ok: false,
    found: expect.stringContaining("needs Java 17"),
  });
  at.file("old/bin/java", "#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n");
  execFileSync("chmod", ["+x", at.path("old", "bin", "java")]);
  const old = await at.pomona(["spark", "start", "--port", "0"], { env: { ...env, JAVA_HOME: at.path("old") } });
  expectError(old, "JavaMissingError", ["Spark 4.0.2 needs Java 17 to 22", "is 11.0.2"]);

  for (const [args, says] of [
    [["--version", "4"], /--version is one of 4\.0, 3\.5/],
    [["--memory", "lots"], '--memory is a size from 472m, such as 800m or 2g, not "lots".'],
    [["--conf", "spark.master=yarn"], "--conf spark.master: --workers decides that."],
    [["--conf", "fs.s3a.endpoint=x"], "Did you mean spark.hadoop.fs.s3a.endpoint"],
    [["--sail", "--workers", "2"], "--sail takes no --workers"],
  ] as const)
    expectError(await start(...args), "UsageError", [says], 2);
});

it("installs nothing in a dry run, and tells why an installation failed", async () => {
  const cache = at.path("cache");
  const dry = await at.pomona(["spark", "start", "--port", "0", "--dry-run"], { env: { POMONA_CACHE_DIR: cache } });
  expect(dry.stdout).toContain(`To be installed into ${cache}: Spark 4.0.2 from PyPI, 900 MB`);
  expect(existsSync(cache)).toBe(false);

  // No registry there: pip itself fails.
  const unreachable = { POMONA_CACHE_DIR: cache, PIP_INDEX_URL: "http://127.0.0.1:9/simple", PIP_RETRIES: "0" };
  const failed = await at.pomona(["spark", "start", "--sail", "--port", "0", "-q"], { env: unreachable });
  expectError(failed, "SparkInstallError", [/-m pip install .* pysail==0\.7\.2/, "exit code 1", "was not reached"]);
  expect(readdirSync(cache)).toEqual([]);
});

/** A start whose server process is there, and does not answer yet. */
async function starting() {
  const [port = 0] = await freePorts(1);
  const shape = ["--workers", "1", "--cores", "1", "--conf", "spark.eventLog.enabled=false"];
  const running = at.start(["spark", "start", "--port", String(port), ...shape], { env });
  const record = join(CACHE, "spark-servers", hostname(), String(port), "server.json");
  const processes = () => {
    const text = existsSync(record) ? readFileSync(record, "utf8") : '{ "processes": [] }';
    return (JSON.parse(text) as { processes: { role: string; pid: number }[] }).processes;
  };
  await until(() => processes().some(({ role }) => role === "server"), "that its server is being started");
  const pids = processes().flatMap(({ role, pid }) => (role === "start" ? [] : [pid]));
  expect(pids.length).toBe(3);
  const server = processes().find(({ role }) => role === "server")?.pid as number;
  const stop = () => at.pomona(["spark", "stop", "--port", String(port), "-q"], { env });
  const states = async () => {
    const { stdout } = await at.pomona(["spark", "status", "--json"], { env });
    const { servers } = JSON.parse(stdout) as { servers: { port: number; state: string }[] };
    return servers.flatMap((each) => (each.port === port ? [each.state] : []));
  };
  return { ...running, port, pids, server, stop, states };
}

it("ends what it has started on Ctrl-C, or lets it be ended where it was killed", async () => {
  const interrupted = await starting();
  interrupted.process.kill("SIGINT");
  expect(await interrupted.ended).toMatchObject({ code: 130, stdout: "" });
  expect(interrupted.pids.filter(isAlive)).toEqual([]);
  expect(await interrupted.states()).toEqual([]);

  const killed = await starting();
  // Its server is not there before it has been looked at.
  process.kill(killed.server, "SIGSTOP");
  try {
    expect(await killed.states()).toEqual(["starting"]);
    killed.process.kill("SIGKILL");
    await killed.ended;
    expect(await killed.states()).toEqual(["was left half-started"]);
    expect(killed.pids.every(isAlive)).toBe(true);
  } finally {
    process.kill(killed.server, "SIGCONT");
  }
  expect(await killed.stop()).toMatchObject({ code: 0, stdout: `Ended: sc://127.0.0.1:${killed.port}.\n` });
  expect(killed.pids.filter(isAlive)).toEqual([]);
});

it("tells of a setting that Spark does not start with, and of a server that has ended", async () => {
  const wrong = ["--workers", "0", "--cores", "1", "--conf", "spark.serializer=no.such.Serializer", "-q"];
  const refused = await at.pomona(["spark", "start", "--port", "0", ...wrong], { env });
  expectError(refused, "SparkStartError", ["The Spark Connect server has ended at its start", "no.such.Serializer"]);

  const { port, processes, url } = await startSpark("sail");
  for (const { pid } of processes) process.kill(pid, "SIGKILL");
  const status = await at.pomona(["spark", "status", "--port", String(port)], { env });
  expect(status.stdout).toMatch(/has ended; its logs: /);
  expect(status.code).toBe(1);
  // What is left of it is in nobody's way.
  const again = await startSpark("sail", { port });
  expect(again.url).toBe(url);
  await stopSpark(again);
});
