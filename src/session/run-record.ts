import { availableParallelism, hostname, totalmem } from "node:os";
import { join } from "node:path";
import type { Engine } from "../engine/contract";
import type { EventListener } from "../engine/events";
import { milliseconds } from "../engine/scheduler/policy";
import { firstLine, IllegalArgumentError } from "../errors";
import { cacheFolder } from "../kernel/cache-folder";
import { factsOf, pageOfRun, runLog, type SessionReport, sessionReport } from "../record";
import { type Place, storageSettings, storagesFrom } from "../storage";
import { VERSION } from "../version";
import type { RuntimeConfig } from "./configuration";

/** What a session keeps of its run. */
export interface RunRecord {
  readonly record: EventListener;
  /** Where a server of this user shows the run. */
  readonly page: string | undefined;
  report(path: string | undefined): Promise<SessionReport>;
  close(): Promise<void>;
}

/** The record of a session's run; undefined where its settings want none. @throws IllegalArgumentError for a folder that no storage serves */
export function runRecord(conf: RuntimeConfig, engine: Engine): RunRecord | undefined {
  if (conf.get("spark.eventLog.enabled")?.toLowerCase() !== "true") return undefined;
  const folder = historyFolder(conf);
  const startedAt = Date.now();
  const log = runLog({
    folder,
    about: () => ({
      id: engine.info().id,
      appName: conf.get("spark.app.name") ?? "",
      master: engine.master,
      parallelism: engine.parallelism,
      startedAt,
      versions: versionsOf(engine),
      host: hostname(),
      pid: process.pid,
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      settings: Object.fromEntries(conf.changed().map(({ name, value }) => [name, value])),
      ...(engine.dialect === "spark" ? { spark: { page: engine.info().uiWebUrl } } : {}),
    }),
    tell: engine.note,
    retention: () => ({
      maxAgeMs: milliseconds(conf.get("spark.history.fs.cleaner.maxAge") ?? "", "s") ?? Number.POSITIVE_INFINITY,
      maxBytes: bytesOf(conf.get("pomona.history.maxSize") ?? ""),
    }),
  });
  return {
    record: log.record,
    get page() {
      return log.id === undefined ? undefined : pageOfRun(folder.url, log.id);
    },
    async report(path) {
      // Looked up first: a wrong path is no reason to read a log.
      const to = path === undefined ? undefined : engine.storages.at(path);
      await log.flush();
      if (log.id === undefined) {
        const why = log.problem && firstLine(log.problem);
        throw new IllegalArgumentError(
          why === undefined ? "No job has run in this session." : `The record of this run could not be written: ${why}`,
          { remedy: "A report is of jobs whose work is cut into tasks: features, user functions, writes." },
        );
      }
      return sessionReport(await factsOf(folder, log.id), to);
    },
    close: log.close,
  };
}

/** The folder of the records of runs, on a storage of its own: the session's would tell of the log's requests as of its data's. */
function historyFolder(conf: RuntimeConfig): Place {
  const dir = conf.get("pomona.history.dir") ?? join(cacheFolder(), "history");
  return storagesFrom(storageSettings(conf.unmasked())).at(dir);
}

function versionsOf(engine: Engine): Record<string, string> {
  const { version } = engine.info();
  return {
    Pomona: VERSION,
    ...(version === VERSION ? {} : { [engine.dialect === "spark" ? "Spark" : "engine"]: version }),
    "Node.js": process.version,
    system: `${process.platform} ${process.arch}`,
  };
}

const UNITS = { K: 1, M: 2, G: 3, T: 4 } as const;

/** `200MB` and `200MiB` as bytes, as `SIZE` in the settings takes them. */
function bytesOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT])(i?)B$/i.exec(text.trim());
  if (!match) return Number.POSITIVE_INFINITY;
  const power = UNITS[match[2]?.toUpperCase() as keyof typeof UNITS];
  return Number(match[1]) * (match[3] ? 1024 : 1000) ** power;
}
