import { IllegalArgumentError, nearest, throwIfAborted } from "../errors";
import { type FileStatus, joinUrl, listed, PathNotFoundError, type Place, type Storage, type Url } from "../storage";
import { mapConcurrently } from "../storage/concurrently";
import { countLines, type LogLine, linesIn, type RunAbout, type RunEnd } from "./log-lines";

export const endName = "end.json";

/** `events-00000.jsonl.gz`. */
export function segmentName(n: number): string {
  return `events-${String(n).padStart(5, "0")}.jsonl.gz`;
}

/** How long logs are kept, and how many bytes of them. */
export interface Retention {
  readonly maxAgeMs: number;
  readonly maxBytes: number;
}

/** Logs beyond this number go too, the oldest first: each is a folder to look into. */
const MOST_LOGS = 1_000;

/** A log that was written so lately may be of a run that goes on: its size is no reason to remove it. */
const FRESH_MS = 3_600_000;

/** The files of one run's log. */
export interface LogFiles {
  readonly id: string;
  /** In their order. */
  readonly segments: readonly FileStatus[];
  /** What its session came to; absent while it runs, and after a crash. */
  readonly end: FileStatus | undefined;
  readonly bytes: number;
  /** Epoch milliseconds. */
  readonly modifiedAt: number;
}

/** When a run began: its id ends with the epoch milliseconds of that. Of another id, when it was written last. */
function startOf({ id, modifiedAt }: LogFiles): number {
  const [, time] = /-(\d{13})(?:-\d+)?$/.exec(id) ?? [];
  return time === undefined ? modifiedAt : Number(time);
}

/** The logs in a folder, the one that began last first. No folder has none. */
export async function logsIn({ storage, url }: Place, signal?: AbortSignal): Promise<LogFiles[]> {
  const byId = new Map<string, FileStatus[]>();
  for (const file of await filesBelow(storage, url, signal)) {
    const [, id, name] = /^(?:.*\/)?([^/]+)\/([^/]+)$/.exec(file.url) ?? [];
    // Other things that lie there are none of ours.
    if (id !== undefined && file.url === joinUrl(url, id, name as string))
      byId.set(id, [...(byId.get(id) ?? []), file]);
  }
  return [...byId].flatMap(([id, files]) => logOf(id, files) ?? []).sort((a, b) => startOf(b) - startOf(a));
}

/** The log of this id, without a look at the others; undefined where there is none. */
export async function logAt({ storage, url }: Place, id: string): Promise<LogFiles | undefined> {
  if (id === "" || id === "." || id === ".." || id.includes("/")) return undefined;
  return logOf(id, await filesBelow(storage, joinUrl(url, id)));
}

async function filesBelow(storage: Storage, url: Url, signal?: AbortSignal): Promise<FileStatus[]> {
  try {
    return await listed(storage, url, { signal });
  } catch (error) {
    if (error instanceof PathNotFoundError) return [];
    throw error;
  }
}

function logOf(id: string, files: readonly FileStatus[]): LogFiles | undefined {
  const segments = files.filter(({ url }) => /\/events-\d{5,}\.jsonl\.gz$/.test(url));
  if (segments.length === 0) return undefined;
  const end = files.find(({ url }) => url.endsWith(`/${endName}`));
  const own = end ? [...segments, end] : segments;
  return {
    ...{ id, segments, end },
    bytes: own.reduce((sum, { size }) => sum + size, 0),
    modifiedAt: Math.max(...own.map(({ modifiedAt }) => modifiedAt)),
  };
}

/** Removes the logs that are too old or too many, but the one that is `kept`. Others may do the same at the same time. */
export async function cleanLogs(
  folder: Place,
  { maxAgeMs, maxBytes }: Retention,
  { kept, signal }: { readonly kept: string; readonly signal?: AbortSignal },
): Promise<void> {
  const now = Date.now();
  let [bytes, count] = [0, 0];
  const logs = await logsIn(folder, signal);
  for (const log of logs.sort((a, b) => b.modifiedAt - a.modifiedAt)) {
    throwIfAborted(signal);
    bytes += log.bytes;
    count++;
    const age = now - log.modifiedAt;
    const isTooMuch = (bytes > maxBytes || count > MOST_LOGS) && age > FRESH_MS;
    if (log.id !== kept && (age > maxAgeMs || isTooMuch)) await removeLog(folder, log);
  }
}

async function removeLog({ storage, url }: Place, { id, segments, end }: LogFiles): Promise<void> {
  // By name: what somebody else has put there stays.
  for (const file of end ? [end, ...segments] : segments) await storage.remove(file.url);
  await storage.removeEmptyFolder(joinUrl(url, id));
}

/**
 * The log that a user means: by its id, by how that begins, or `last`.
 * @throws IllegalArgumentError where there is none, or several
 */
export function logNamed(logs: readonly LogFiles[], name: string, folder: string): LogFiles {
  const exact = name === "last" ? logs[0] : logs.find(({ id }) => id === name);
  if (exact) return exact;
  const fitting = name === "last" ? [] : logs.filter(({ id }) => id.startsWith(name));
  if (fitting.length === 1) return fitting[0] as LogFiles;
  if (logs.length === 0) {
    throw new IllegalArgumentError(`There is no run in ${folder}.`, {
      remedy: "Each session that runs a job leaves one; pomona.history.dir says where.",
    });
  }
  if (fitting.length > 1) {
    const some = fitting.slice(0, 5).map(({ id }) => id);
    throw new IllegalArgumentError(`${fitting.length} runs begin with ${JSON.stringify(name)}: ${some.join(", ")}.`, {
      remedy: "Give more of the id.",
    });
  }
  const near = nearest(
    name,
    logs.map(({ id }) => id),
  )[0];
  throw new IllegalArgumentError(`There is no run ${JSON.stringify(name)} in ${folder}.`, {
    remedy: `${near === undefined ? "" : `Did you mean ${near}? `}pomona history list shows all; last is the last one.`,
  });
}

/** Files of a log that are read at once. */
const READ_AHEAD = 8;

/** The lines of a log's files, file by file. One that is gone meanwhile has none. */
export async function* linesOf(storage: Storage, segments: LogFiles["segments"]): AsyncGenerator<readonly LogLine[]> {
  for (let at = 0; at < segments.length; at += READ_AHEAD) {
    const some = segments.slice(at, at + READ_AHEAD);
    yield* await mapConcurrently(some, storage.filesAtOnce, ({ url }) => segmentLines(storage, url));
  }
}

async function segmentLines(storage: Storage, url: Url): Promise<LogLine[]> {
  try {
    return linesIn(await storage.readFile(url));
  } catch (error) {
    if (error instanceof PathNotFoundError) return [];
    throw error;
  }
}

/** What a list of runs says of one. */
export interface RunSummary extends Omit<RunEnd, "about" | "endedAt"> {
  readonly id: string;
  readonly about: RunAbout | undefined;
  readonly endedAt: number | undefined;
  readonly bytes: number;
  readonly modifiedAt: number;
}

/** Summaries of logs, in their order; a log whose session has not ended is read. */
export async function summaries({ storage }: Place, logs: readonly LogFiles[]): Promise<RunSummary[]> {
  return mapConcurrently(logs, Math.min(8, storage.filesAtOnce), async (log): Promise<RunSummary> => {
    const { id, bytes, modifiedAt } = log;
    const end = log.end && (await endOf(storage, log.end));
    if (end) return { id, bytes, modifiedAt, ...end };
    const count = countLines();
    let about: RunAbout | undefined;
    let endedAt: number | undefined;
    for await (const lines of linesOf(storage, log.segments)) {
      for (const line of lines) {
        count.add(line);
        if (line.type === "run") about = line;
        if (line.type === "runEnded") endedAt = line.time;
      }
    }
    return { id, bytes, modifiedAt, about, endedAt, counts: count.counts() };
  });
}

async function endOf(storage: Storage, { url }: FileStatus): Promise<RunEnd | undefined> {
  try {
    const end = JSON.parse(Buffer.from(await storage.readFile(url)).toString()) as RunEnd;
    return end.about.type === "run" && typeof end.counts.jobs === "number" ? end : undefined;
  } catch {
    // The log itself says it, too.
    return undefined;
  }
}
