import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { throwIfAborted } from "../../errors";
import { cacheFolder } from "../../kernel/cache-folder";
import { freePorts } from "../ports";
import { endProcesses, isRunning, killTree, processId } from "../process-tree";
import { pageAnswered, versionAnswered } from "./answers";
import { SparkStartError } from "./errors";
import type { InstalledSpark } from "./installation";
import {
  removeRecord,
  type ServerProcess,
  type ServerRecord,
  type ServerRole,
  serverFolder,
  writeRecord,
} from "./server-record";
import { propertiesText, settingsOf } from "./settings";

/** A machine with much else to do takes more than a minute. */
const START_MS = 300_000;
const LOOK_EVERY_MS = 250;
/** How long one answer may take. */
const ANSWER_MS = 10_000;
/** How long a server may take to end by itself: it closes its event log. */
const END_MS = 20_000;
const LOG_LINES = 15;
/** Functions beside the executors find this installation there, and need not be sent. */
const POMONA_HOME = process.env.POMONA_HOME ?? join(__dirname, "..", "..", "..");
const HOST = "127.0.0.1";
/** For a Java program that does little. */
const SMALL_JVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1";
/** Master, workers and history server; Spark Connect's server would take it for its own. */
const DAEMON = { SPARK_DAEMON_MEMORY: "256m", SPARK_DAEMON_JAVA_OPTS: SMALL_JVM };

/** What the steps of a start do. */
interface Launch {
  /** Starts one of its processes. */
  spawn(role: ServerRole, command: string, args: readonly string[], variables?: NodeJS.ProcessEnv): void;
  /** Waits until something is there. @throws SparkStartError where a process ends before, or it takes too long; CancelledError */
  until(holds: () => Promise<boolean>, what: string): Promise<void>;
}

interface LaunchOptions {
  readonly signal: AbortSignal;
  /** How many seconds it has taken. */
  readonly onWait: (seconds: number) => void;
}

export interface SparkLaunch extends LaunchOptions {
  readonly port: number;
  readonly version: string;
  readonly installed: InstalledSpark;
  /** 0: everything is in the server's own process. */
  readonly workers: number;
  readonly cores: number;
  readonly memory: string;
  /** Settings that win over ours. */
  readonly conf: Readonly<Record<string, string>>;
}

/** Starts Spark with Spark Connect, whose folder has been taken. @returns its record, once it answers @throws SparkStartError, CancelledError */
export async function launchSpark(wanted: SparkLaunch): Promise<ServerRecord> {
  const { port, installed, workers, cores, memory, conf } = wanted;
  const folder = serverFolder(port);
  const events = join(cacheFolder(), "spark-events");
  for (const each of ["conf", "logs", "work", "local", "warehouse"]) mkdirSync(join(folder, each), { recursive: true });
  mkdirSync(events, { recursive: true });
  const [masterPort = 0, masterPage = 0, uiPort = 0, historyPort = 0] = await freePorts(4);
  const master = workers === 0 ? `local[${cores}]` : `spark://${HOST}:${masterPort}`;
  const s3a = installed.s3a;
  const settings = settingsOf({ port, master, cores, memory, uiPort, historyPort, events, folder, s3a }, conf);
  writeFileSync(join(folder, "conf", "spark-defaults.conf"), propertiesText(settings), { mode: 0o600 });
  const history = settings["spark.history.ui.port"];
  const pages = {
    ...(settings["spark.ui.enabled"] === "false" ? {} : { ui: pageAt(settings["spark.ui.port"]) }),
    ...(workers === 0 ? {} : { master: pageAt(masterPage) }),
    ...(history === undefined ? {} : { history: pageAt(history) }),
  };
  const about = {
    engine: "spark",
    version: wanted.version,
    python: installed.python,
    workers,
    pages,
    s3a: s3a !== undefined,
  } as const;
  return launch(about, port, sparkEnvironment(installed, folder, conf), wanted, async ({ spawn, until }) => {
    const program = (name: string) => join(installed.home, "bin", name);
    const daemon = (role: ServerRole, type: string, ...args: string[]) =>
      spawn(role, program("spark-class"), [`org.apache.spark.deploy.${type}`, ...args], DAEMON);
    if (workers > 0) {
      const at = ["--host", HOST, "--port", String(masterPort), "--webui-port", String(masterPage)];
      daemon("master", "master.Master", ...at);
      await until(async () => (await pageAnswered(`${pages.master}/json/`, ANSWER_MS)) !== undefined, "its master");
    }
    for (let i = 0; i < workers; i++) {
      const own = ["--host", HOST, "--webui-port", "0", "-c", String(cores), "-m", memory, "-d", join(folder, "work")];
      daemon("worker", "worker.Worker", ...own, master);
    }
    if (history !== undefined) daemon("history", "history.HistoryServer");
    const service = ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"];
    spawn("server", program("spark-submit"), service);
    if (workers > 0) await until(async () => (await workersAt(`${pages.master}/json/`)) === workers, "its workers");
    await until(async () => (await versionAnswered(port, ANSWER_MS)) !== undefined, "its Spark Connect server");
    if (pages.history !== undefined)
      await until(async () => (await pageAnswered(pages.history ?? "", ANSWER_MS)) !== undefined, "its history server");
  });
}

/** Starts Sail, whose folder has been taken. @throws SparkStartError, CancelledError */
export async function launchSail(
  wanted: LaunchOptions & {
    readonly port: number;
    readonly version: string;
    readonly installed: { readonly python: string; readonly sail: string };
  },
): Promise<ServerRecord> {
  const { port, installed, version } = wanted;
  mkdirSync(join(serverFolder(port), "logs"), { recursive: true });
  const about = { engine: "sail", version, python: installed.python, workers: 0, pages: {}, s3a: true } as const;
  const env = { ...process.env, PYTHONPATH: undefined, PYTHONHOME: undefined, POMONA_HOME };
  return launch(about, port, env, wanted, async ({ spawn, until }) => {
    spawn("server", installed.sail, ["spark", "server", "--ip", HOST, "--port", String(port)]);
    await until(async () => (await versionAnswered(port, ANSWER_MS)) !== undefined, "Sail");
  });
}

/** Ends a server, and all that it has started. @returns once nothing of it is left */
export async function endServer(record: Pick<ServerRecord, "processes" | "port">): Promise<void> {
  const of = (...roles: readonly ServerRole[]) => record.processes.filter(({ role }) => roles.includes(role));
  // One that is being started would go on starting.
  await endProcesses(
    of("start").filter(({ pid }) => pid !== process.pid),
    END_MS,
  );
  // Its master and workers are there while it ends.
  await endProcesses(of("server"), END_MS);
  await endProcesses(of("worker", "history"), END_MS);
  await endProcesses(of("master"), END_MS);
  removeRecord(record.port);
}

/** Runs `steps`; what they have started is ended again where one fails, also by a Ctrl-C and a second one. */
async function launch(
  about: Pick<ServerRecord, "engine" | "version" | "python" | "workers" | "pages" | "s3a">,
  port: number,
  env: NodeJS.ProcessEnv,
  { signal, onWait }: LaunchOptions,
  steps: (launch: Launch) => Promise<void>,
): Promise<ServerRecord> {
  const folder = serverFolder(port);
  const began = Date.now();
  const starter = { role: "start", pid: process.pid, start: processId(process.pid)?.start ?? "" } as const;
  const processes: ServerProcess[] = [];
  const record = (isReady: boolean): ServerRecord => ({
    port,
    url: `sc://${HOST}:${port}`,
    ...about,
    startedAt: new Date(began).toISOString(),
    folder,
    isReady,
    processes: isReady ? processes : [starter, ...processes],
  });
  writeRecord(record(false));
  const kill = () => {
    for (const id of processes) if (isRunning(id)) killTree(id.pid);
    removeRecord(port);
  };
  process.once("exit", kill);
  const started: Launch = {
    spawn(role, command, args, variables = {}) {
      throwIfAborted(signal);
      const file = join(folder, "logs", `${role}-${processes.filter((each) => each.role === role).length}.log`);
      const log = openSync(file, "a");
      // In a group of its own, so that a terminal's Ctrl-C reaches this command alone, which ends it in order.
      const child = spawn(command, args, {
        cwd: folder,
        env: { ...env, ...variables },
        detached: true,
        stdio: ["ignore", log, log],
      });
      closeSync(log);
      child.on("error", () => {});
      child.unref();
      const id = child.pid === undefined ? undefined : processId(child.pid);
      if (id === undefined) throw new SparkStartError(`${command} did not start.\n${endOf(file)}`.trimEnd());
      processes.push({ role, ...id });
      writeRecord(record(false));
    },
    async until(holds, what) {
      while (!(await holds())) {
        throwIfAborted(signal);
        const ended = processes.findIndex((id) => !isRunning(id));
        if (ended >= 0) throw startError(folder, processes, ended);
        const waited = Date.now() - began;
        if (waited > START_MS)
          throw new SparkStartError(
            `After ${START_MS / 1000} s there is no answer from ${what}.\n${logsOf(folder, processes)}`,
          );
        onWait(Math.round(waited / 1000));
        await sleep(LOOK_EVERY_MS);
      }
    },
  };
  try {
    await steps(started);
    throwIfAborted(signal);
    const ready = record(true);
    writeRecord(ready);
    return ready;
  } catch (error) {
    await endServer({ port, processes });
    throw error;
  } finally {
    process.off("exit", kill);
  }
}

function startError(folder: string, processes: readonly ServerProcess[], ended: number): SparkStartError {
  const role = processes[ended]?.role ?? "server";
  const nth = processes.slice(0, ended).filter((each) => each.role === role).length;
  const log = endOf(join(folder, "logs", `${role}-${nth}.log`));
  const isTaken = /BindException|Address already in use/i.test(log);
  return new SparkStartError(
    `The ${role === "server" ? "Spark Connect server" : role} has ended at its start:\n${log}`,
    isTaken
      ? { remedy: "Another program took the port meanwhile: start it again, or choose another one by --port." }
      : {},
  );
}

/** The lines that tell what is wrong, else the last ones. */
function endOf(file: string): string {
  try {
    const lines = readFileSync(file, "utf8").trim().split("\n");
    const telling = lines.filter(
      (line) => /ERROR|FATAL|Exception|Error:|error:|^Caused by/.test(line) && !/^\s+at /.test(line),
    );
    return (telling.length > 0 ? telling : lines).slice(-LOG_LINES).join("\n");
  } catch {
    return "";
  }
}

function logsOf(folder: string, processes: readonly ServerProcess[]): string {
  const roles = [...new Set(processes.map(({ role }) => role))];
  return roles.map((role) => `${role}: ${endOf(join(folder, "logs", `${role}-0.log`))}`).join("\n");
}

const pageAt = (port: number | string | undefined) => `http://${HOST}:${port}`;

async function workersAt(page: string): Promise<number> {
  const text = await pageAnswered(page, ANSWER_MS);
  return text === undefined ? 0 : ((JSON.parse(text) as { aliveworkers?: number }).aliveworkers ?? 0);
}

/** The variables that Spark's scripts and its Python workers read; those of another Spark, Hadoop or Python would mislead them. */
function sparkEnvironment(
  { home, python: own }: InstalledSpark,
  folder: string,
  conf: Readonly<Record<string, string>>,
): NodeJS.ProcessEnv {
  // Of a server by Spark Connect functions have the Python of this variable, whatever the setting says.
  const python = conf["spark.pyspark.python"] ?? own;
  const misleading = /^(SPARK_|PYSPARK_|HADOOP_CONF_DIR$|YARN_CONF_DIR$|PYTHONPATH$|PYTHONHOME$)/;
  const others = Object.entries(process.env).filter(([name]) => !misleading.test(name));
  return {
    ...Object.fromEntries(others),
    SPARK_HOME: home,
    SPARK_CONF_DIR: join(folder, "conf"),
    // Where pages listen.
    SPARK_LOCAL_IP: HOST,
    SPARK_LOCAL_DIRS: join(folder, "local"),
    PYSPARK_PYTHON: python,
    PYSPARK_DRIVER_PYTHON: python,
    POMONA_HOME,
    SPARK_LAUNCHER_OPTS: SMALL_JVM,
  };
}
