import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePorts } from "./free-ports";
import { isAlive } from "./processes";
import { SPARK_RUN, STARTED } from "./spark-run";

const MAIN = join(__dirname, "..", "..", "dist", "cli", "main.js");

/**
 * `local`: Spark 4.0 in one JVM, two tasks at once. `cluster`: Spark 4.0, standalone, two workers of one core. `3.5`: as `local`.
 * `sail`: no Java.
 */
export type SparkKind = "local" | "cluster" | "3.5" | "sail";

/** A server with Spark Connect on this machine. */
export interface SparkServer {
  /** sc://127.0.0.1:PORT */
  readonly url: string;
  readonly port: number;
  /** Such as "4.0.2". */
  readonly version: string;
  /** The interpreter of its environment, with PySpark and its client. */
  readonly python: string;
  readonly pages: { readonly ui?: string; readonly master?: string; readonly history?: string };
  /** Executors and Python workers are those that the workers, or a local server, have started. */
  readonly processes: readonly { readonly role: "master" | "worker" | "history" | "server"; readonly pid: number }[];
  /** With its logs: logs/server-0.log, logs/worker-1.log and so on. */
  readonly folder: string;
}

export interface SparkOptions {
  /** Settings of Spark that win over these tests'. */
  readonly conf?: Readonly<Record<string, string>>;
  /** Variables of its processes beside those of this one. */
  readonly env?: Readonly<Record<string, string>>;
  /** @default one that is free */
  readonly port?: number;
  /** Options of `pomona spark start` that come last, and win. */
  readonly args?: readonly string[];
}

const OPTIONS: Readonly<Record<SparkKind, readonly string[]>> = {
  local: ["--workers", "0", "--cores", "2"],
  cluster: ["--workers", "2", "--cores", "1"],
  "3.5": ["--version", "3.5", "--workers", "0", "--cores", "2"],
  sail: ["--sail"],
};

/** JVMs that live for minutes are quickest without the second compiler and the threads of the collector; no history server. */
const JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";
const CONF = {
  "spark.eventLog.enabled": "false",
  "spark.driver.extraJavaOptions": JVM,
  "spark.executor.extraJavaOptions": JVM,
};

/**
 * The one server of a kind (and of settings) that all test files of this run share; the first that asks starts it, and it ends with
 * the run. Whoever uses S3 with it names buckets that no other test has: Spark keeps a bucket's endpoint and keys for all sessions.
 */
export async function sparkServer(kind: SparkKind, conf: SparkOptions["conf"] = {}): Promise<SparkServer> {
  const folder = runFolder();
  const name = `${kind}-${createHash("sha256").update(JSON.stringify(conf)).digest("hex").slice(0, 8)}`;
  const [lock, file, failed] = ["lock", "json", "error"].map((ending) => join(folder, `${name}.${ending}`)) as [
    string,
    string,
    string,
  ];
  if (takes(lock)) {
    try {
      const server = await startSpark(kind, { conf });
      writeFileSync(`${file}.tmp`, JSON.stringify(server));
      renameSync(`${file}.tmp`, file);
    } catch (error) {
      writeFileSync(failed, String(error));
    }
  }
  for (;;) {
    if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as SparkServer;
    if (existsSync(failed)) throw new Error(readFileSync(failed, "utf8"));
    const starter = Number(readFileSync(lock, "utf8"));
    if (starter > 0 && !isAlive(starter)) throw new Error(`Process ${starter}, which was to start ${name}, has ended.`);
    await sleep(250);
  }
}

/** Starts a server for one test, which kills things, on a port of its own. What a test leaves ends with the run. */
export async function startSpark(kind: SparkKind, options: SparkOptions = {}): Promise<SparkServer> {
  for (let others = 3; ; others--) {
    try {
      return await startAt(options.port ?? (await freePorts(1))[0] ?? 0, kind, options);
    } catch (error) {
      // A port that was free seconds ago may be another test's by now.
      if (options.port !== undefined || others === 0 || !/took the port|is taken/.test(String(error))) throw error;
    }
  }
}

async function startAt(
  port: number,
  kind: SparkKind,
  { conf = {}, env = {}, args = [] }: SparkOptions,
): Promise<SparkServer> {
  const at = String(port);
  // Before it is there, so that it ends also where this process is killed.
  writeFileSync(join(runFolder(), at + STARTED), "");
  const settings =
    kind === "sail" ? [] : Object.entries({ ...CONF, ...conf }).map(([name, value]) => `${name}=${value}`);
  const given = [...OPTIONS[kind], "--port", at, ...settings.flatMap((one) => ["--conf", one]), ...args];
  const stdout = await pomona(["spark", "start", "--json", "--quiet", ...given], env);
  return JSON.parse(stdout) as SparkServer;
}

/** Ends a server that {@link startSpark} has started. */
export async function stopSpark({ port }: Pick<SparkServer, "port">): Promise<void> {
  await pomona(["spark", "stop", "--port", String(port)]);
}

/**
 * Runs a Python program with PySpark as the server's client, as `SparkSession.builder.getOrCreate()` gives it.
 * @returns its stdout @throws Error with its stderr
 */
export async function sparkPython(server: SparkServer, source: string, args: readonly string[] = []): Promise<string> {
  const env = { ...process.env, SPARK_REMOTE: server.url, PYTHONPATH: "" };
  const { stdout } = await promisify(execFile)(server.python, ["-W", "ignore", "-c", source, ...args], {
    env,
    maxBuffer: 1 << 28,
  });
  return stdout;
}

function runFolder(): string {
  const folder = process.env[SPARK_RUN];
  if (folder !== undefined) return folder;
  throw new Error("test/support/spark-run.ts is to be among vitest's globalSetup.");
}

async function pomona(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  return (await promisify(execFile)(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } })).stdout;
}

function takes(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
