import { availableParallelism } from "node:os";
import { cacheFolder } from "../../kernel/cache-folder";
import { counted } from "../../showing/quantities";
import {
  type Command,
  type CommandContext,
  type OptionValues,
  SHARED_OPTIONS,
  UsageError,
  wholeNumber,
} from "../command";
import { freePorts, refuseTaken } from "../ports";
import { progressLine } from "../progress-line";
import { givenSettings } from "../session-for";
import { asInstallError, SparkStartError } from "./errors";
import { hasSail, installSail, installSpark, missingOf } from "./installation";
import { javaFor } from "./java";
import { launchSail, launchSpark } from "./launch";
import { RELEASES, SAIL, type SparkLine } from "./releases";
import { isThere, nameOf, recordAt, removeRecord, type ServerRecord, takeFolder, toldOf } from "./server-record";
import { OPTIONS_DECIDE } from "./settings";

/** Spark's own. */
const DEFAULT_PORT = 15002;
const DEFAULT_WORKERS = 2;

/** `pomona spark start`. */
export const start: Command = {
  name: "spark start",
  about: "Start Spark with Spark Connect on this machine, installed at its first use; it runs until it is stopped.",
  positionals: [],
  options: {
    version: { type: "string", value: "V", choices: Object.keys(RELEASES), about: "which Spark (default: 4.0)" },
    workers: {
      type: "string",
      value: "N",
      about: `of its standalone cluster; 0: none, all runs in the server's process (default: ${DEFAULT_WORKERS})`,
    },
    cores: { type: "string", value: "N", about: "of each worker (default: those of the machine, shared out)" },
    memory: { type: "string", value: "SIZE", about: "of each worker's executor, such as 1g or 800m (default: 1g)" },
    port: {
      type: "string",
      value: "N",
      about: `where it listens, on 127.0.0.1; 0: one that is free (default: ${DEFAULT_PORT})`,
    },
    conf: {
      type: "string",
      value: "NAME=VALUE",
      multiple: true,
      about: "a setting of Spark, such as spark.sql.session.timeZone=UTC; may come again",
    },
    sail: {
      type: "boolean",
      about: "Sail instead, which needs no Java and is there within seconds, for trying things",
    },
    "dry-run": { type: "boolean", about: "tell what would be installed and started; do neither" },
    json: SHARED_OPTIONS.json,
    quiet: SHARED_OPTIONS.quiet,
    help: SHARED_OPTIONS.help,
  },
  examples: [
    "pomona spark start",
    "pomona spark start --workers 0 --cores 2 --port 0 --json",
    "pomona spark start --version 3.5 --workers 3 --memory 2g --port 15003",
    "pomona spark start --sail --port 15010",
    "",
    "Without a history server: --conf spark.eventLog.enabled=false.",
  ],
  async run(context) {
    const { options, signal, print, note } = context;
    const wanted = wantedOf(context);
    await refuseRunning(wanted.port);
    await refuseTaken("127.0.0.1", wanted.port, "--port names another one; 0 takes one that is free.");
    if (wanted.engine === "spark") await javaFor(wanted.release);
    if (options["dry-run"]) {
      print(options.json ? JSON.stringify(dryRun(wanted)) : dryRunText(wanted));
      return 0;
    }
    const port = wanted.port === 0 ? ((await freePorts(1))[0] ?? 0) : wanted.port;
    const line = (name: string) => progressLine(name, options.quiet === true);
    const packages = line(`packages`);
    const installing = { signal, note, onPackages: packages.update };
    const seconds = line("starting, seconds");
    const launching = { port, signal, onWait: (s: number) => seconds.update(s) };
    try {
      if (wanted.engine === "sail") {
        const installed = await installSail(installing);
        packages.end();
        takeOrRefuse(port);
        note(`Starting Sail ${SAIL.version} …`);
        const record = await launchSail({ ...launching, version: SAIL.version, installed });
        seconds.end();
        tell(context, record);
        return 0;
      }
      const { release, workers, cores, memory, conf } = wanted;
      const installed = await installSpark(release, installing);
      packages.end();
      takeOrRefuse(port);
      note(`Starting Spark ${release.version} ${shapeText(wanted)} …`);
      const { version } = release;
      const record = await launchSpark({ ...launching, version, installed, workers, cores, memory, conf });
      seconds.end();
      tell(context, record);
      if (release.listensEverywhere)
        note(
          `Spark ${version} listens on every address of this machine and asks for no password: whoever reaches port ${port} runs code as you.`,
        );
      return 0;
    } catch (error) {
      throw asInstallError(error);
    } finally {
      packages.end();
      seconds.end();
    }
  },
};

type Wanted = { readonly port: number } & (
  | { readonly engine: "sail" }
  | {
      readonly engine: "spark";
      readonly release: (typeof RELEASES)[SparkLine];
      readonly workers: number;
      readonly cores: number;
      readonly memory: string;
      readonly conf: Readonly<Record<string, string>>;
    }
);

/** @throws UsageError */
function wantedOf(context: CommandContext): Wanted {
  const { options } = context;
  const port = wholeNumber(options, "port", 0) ?? DEFAULT_PORT;
  if (port > 65_535) throw new UsageError(`--port is at most 65535, not ${port}.`);
  if (options.sail) {
    const others = ["version", "workers", "cores", "memory", "conf"].filter((name) => options[name] !== undefined);
    if (others.length === 0) return { engine: "sail", port };
    throw new UsageError(`--sail takes no --${others.join(", no --")}: those are Spark's.`);
  }
  const release = RELEASES[(options.version as SparkLine | undefined) ?? "4.0"];
  const workers = wholeNumber(options, "workers", 0) ?? DEFAULT_WORKERS;
  const shared = Math.max(1, Math.floor(availableParallelism() / Math.max(1, workers)));
  const cores = wholeNumber(options, "cores") ?? shared;
  return { engine: "spark", port, release, workers, cores, memory: memoryOf(options), conf: confOf(context) };
}

/** @throws UsageError */
function memoryOf({ memory = "1g" }: OptionValues): string {
  const [, number, unit] = /^(\d+)([mg])b?$/i.exec(String(memory)) ?? [];
  const megabytes = Number(number) * (unit?.toLowerCase() === "g" ? 1024 : 1);
  // Spark's own least for a heap.
  if (megabytes >= 472) return `${megabytes}m`;
  throw new UsageError(`--memory is a size from 472m, such as 800m or 2g, not ${JSON.stringify(memory)}.`);
}

/** @throws UsageError */
function confOf(context: CommandContext): Readonly<Record<string, string>> {
  const given = givenSettings(context);
  for (const name of Object.keys(given)) {
    const option = OPTIONS_DECIDE[name];
    if (option !== undefined) throw new UsageError(`--conf ${name}: ${option} decides that.`);
    if (name.startsWith("spark.")) continue;
    throw new UsageError(`--conf ${name}: the settings of Spark begin with "spark.".`, {
      remedy: `Did you mean ${name.startsWith("fs.") ? "spark.hadoop" : "spark"}.${name}?`,
    });
  }
  return given;
}

/** @throws UsageError where one that was started here has the port */
async function refuseRunning(port: number): Promise<void> {
  const record = recordAt(port);
  if (record === undefined || !isThere(record)) return;
  throw new UsageError(`${nameOf(record)} ${record.isReady ? "runs" : "is being started"} at ${record.url} already.`, {
    remedy: `pomona spark stop --port ${port} ends it; --port names another port for this one.`,
  });
}

/** Takes the folder of a port; what a machine that failed has left of another server goes. @throws SparkStartError */
function takeOrRefuse(port: number): void {
  if (takeFolder(port)) return;
  const record = recordAt(port);
  if (record === undefined || !isThere(record)) {
    removeRecord(port);
    if (takeFolder(port)) return;
  }
  throw new SparkStartError(`Another server is being started at port ${port}.`, {
    remedy: "--port names another one.",
  });
}

function tell({ options, print, note }: CommandContext, record: ServerRecord): void {
  if (options.json) print(JSON.stringify(toldOf(record)));
  else print(readyText(record));
  if (record.engine === "sail") note(`What Sail lacks: ${SAIL.lacks}.`);
}

function readyText(record: ServerRecord): string {
  const pages = Object.entries({
    "Its jobs": record.pages.ui,
    "Its workers": record.pages.master,
    History: record.pages.history,
  });
  return [
    `${nameOf(record)} is ready: ${record.url}`,
    ...pages.flatMap(([name, url]) => (url === undefined ? [] : [`  ${`${name}:`.padEnd(13)}${url}`])),
    "",
    `In a notebook: master("${record.url}"). \`pomona spark stop --port ${record.port}\` ends it.`,
  ].join("\n");
}

function shapeText({ workers, cores, memory }: { workers: number; cores: number; memory: string }): string {
  if (workers === 0) return `with ${counted(cores, "core")}, ${memory}`;
  return `with ${counted(workers, "worker")} of ${counted(cores, "core")}, ${memory}`;
}

function dryRun(wanted: Wanted) {
  if (wanted.engine === "sail")
    return {
      install: hasSail() ? [] : [`Sail ${SAIL.version} from PyPI, 600 MB`],
      into: cacheFolder(),
      start: ["sail"],
      port: wanted.port,
    };
  const { workers, conf } = wanted;
  const start = [
    ...(workers > 0 ? ["master", ...Array.from({ length: workers }, () => "worker")] : []),
    ...(conf["spark.eventLog.enabled"] === "false" ? [] : ["history"]),
    "server",
  ];
  return { install: missingOf(wanted.release), into: cacheFolder(), start, port: wanted.port };
}

function dryRunText(wanted: Wanted): string {
  const { install, into, start, port } = dryRun(wanted);
  const what =
    wanted.engine === "sail" ? `Sail ${SAIL.version}` : `Spark ${wanted.release.version} ${shapeText(wanted)}`;
  return [
    install.length === 0 ? "All is installed." : `To be installed into ${into}: ${install.join("; ")}.`,
    `To be started: ${what}, at port ${port}: ${start.join(", ")}. Nothing was done.`,
  ].join("\n");
}
