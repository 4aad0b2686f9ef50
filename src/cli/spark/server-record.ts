import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "../../kernel/cache-folder";
import { isRunning, type ProcessId } from "../process-tree";

/** What a process of a server does; `start` is the command that starts it. */
export type ServerRole = "start" | "master" | "worker" | "history" | "server";

export interface ServerProcess extends ProcessId {
  readonly role: ServerRole;
}

/** A server that was started on this machine, as its file in the cache folder tells it. */
export interface ServerRecord {
  readonly port: number;
  /** Such as sc://127.0.0.1:15002. */
  readonly url: string;
  readonly engine: "spark" | "sail";
  /** Such as "4.0.2". */
  readonly version: string;
  readonly startedAt: string;
  /** 0: everything is in the server's own process. */
  readonly workers: number;
  /** Addresses of pages. */
  readonly pages: Readonly<Partial<Record<"ui" | "master" | "history", string>>>;
  /** Whether s3:// and s3a:// work. */
  readonly s3a: boolean;
  /** The interpreter of its environment, which has PySpark. */
  readonly python: string;
  /** Its logs, settings and scratch files; removed when it is stopped. */
  readonly folder: string;
  /** True once it has answered. */
  readonly isReady: boolean;
  readonly processes: readonly ServerProcess[];
}

const FILE = "server.json";

/** By machine, since several may share a home. */
const recordsFolder = () => join(cacheFolder(), "spark-servers", hostname());

/** The folder of the server at a port. */
export const serverFolder = (port: number): string => join(recordsFolder(), String(port));

/** Whether any of its processes runs. */
export const isThere = ({ processes }: ServerRecord): boolean => processes.some(isRunning);

export const nameOf = ({ engine, version }: Pick<ServerRecord, "engine" | "version">): string =>
  `${engine === "sail" ? "Sail" : "Spark"} ${version}`;

/** What `--json` tells. */
export function toldOf({ isReady: _, ...record }: ServerRecord): Omit<ServerRecord, "isReady"> {
  return record;
}

/** Takes the folder for a new server. @returns false where another has it */
export function takeFolder(port: number): boolean {
  mkdirSync(recordsFolder(), { recursive: true });
  try {
    // It holds settings, which may have secrets in them.
    mkdirSync(serverFolder(port), { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Whole or not at all, since others read it meanwhile. */
export function writeRecord(record: ServerRecord): void {
  const file = join(record.folder, FILE);
  writeFileSync(`${file}.tmp`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.tmp`, file);
}

/** Forgets a server. */
export const removeRecord = (port: number): void => rmSync(serverFolder(port), { recursive: true, force: true });

/** The server at a port; undefined where none was started, or one is only about to be. */
export function recordAt(port: number): ServerRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(serverFolder(port), FILE), "utf8")) as ServerRecord;
  } catch {
    return undefined;
  }
}

/** Every server that was started on this machine, by port. */
export function allRecords(): readonly ServerRecord[] {
  try {
    const ports = readdirSync(recordsFolder())
      .map(Number)
      .sort((a, b) => a - b);
    return ports.flatMap((port) => recordAt(port) ?? []);
  } catch {
    return [];
  }
}
