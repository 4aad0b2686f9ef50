import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type SparkServer, startSpark, stopSpark } from "../../support/spark";

/** The built package, whose functions travel. */
const dist = (path: string) => require(join(__dirname, "../../../dist", path));
const { Session } = dist("index") as typeof import("../../../src/index");
const { col, udf } = dist("functions") as typeof import("../../../src/functions");

let folder: string;
let server: SparkServer;
let session: import("../../../src/index").Session;

/** This machine has one Python: what Spark compares by is another version. */
const SAYS_3_10 = `import collections, sys
version = collections.namedtuple("version_info", "major minor micro releaselevel serial")
sys.version_info = version(3, 10, *sys.version_info[2:])
`;

/** A server whose executors' Python is another one than we suppose and has no package at all, and that takes messages of 400 kB at most. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-spark-lack-"));
  execFileSync("python3", ["-m", "venv", "--without-pip", join(folder, "bare")]);
  const lib = join(folder, "bare", "lib");
  writeFileSync(join(lib, readdirSync(lib)[0] ?? "", "site-packages", "sitecustomize.py"), SAYS_3_10);
  const conf = {
    "spark.pyspark.python": join(folder, "bare", "bin", "python"),
    "spark.connect.grpc.maxInboundMessageSize": String(400 * 1024),
  };
  server = await startSpark("local", { conf });
  session = await Session.builder().appName("lack").master(server.url).config("pomona.progress", "off").getOrCreate();
});

afterAll(async () => {
  await session?.stop();
  if (server) await stopSpark(server);
  rmSync(folder, { recursive: true, force: true });
});

it("executors whose Python is another one are asked by its version, and told where it has no pyarrow, and the session goes on", async () => {
  const twice = udf((id: number) => 2 * id, { returns: "long" });
  const failure = await session
    .range(3)
    .select(twice(col("id")))
    .collect()
    .catch((error: Error) => error);
  expect(failure).toMatchObject({ name: "ExecutorPythonError" });
  expect(String(failure)).toMatch(/pyarrow[\s\S]*pip install pyarrow/);
  expect(await session.range(3).count()).toBe(3);
});

it("a file that is above what the server takes in one message is told by its sizes, and the session goes on", async () => {
  const large = "x".repeat(2_000_000);
  const failure = await session.runtime
    .broadcast(large)
    .then(() => undefined)
    .catch((error: Error) => error);
  expect(failure).toMatchObject({ name: "MessageTooLargeError", limit: 400 * 1024 });
  expect(await session.range(4).count()).toBe(4);
});
