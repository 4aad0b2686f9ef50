import { tmpdir } from "node:os";
import { join } from "node:path";
import { PomonaError, throwIfAborted } from "../../errors";
import type { FileStatus, StorageSettings, Url } from "../../storage";
import { connectHost } from "./connection";
import { hostOf } from "./endpoint-host";
import type { EndpointSettings } from "./endpoint-settings";
import { EndpointFilesError, EndpointKernelError } from "./errors";
import { restRequest } from "./rest";
import { seesFolder } from "./same-files";
import { servedFiles } from "./served-files";
import { travel } from "./travel";

/** What there is to know of an endpoint before a session uses it; what was not reached is undefined. */
export interface EndpointCheck {
  readonly endpoint: string;
  readonly url: string;
  /** What makes it of no use, or not as it was asked for. Undefined: a session can use it. */
  readonly error: PomonaError | undefined;
  /** Jupyter's version. */
  readonly jupyter?: string | undefined;
  /** This package's version in its kernel. */
  readonly pomona?: string;
  readonly node?: string;
  /** Tasks that run there at once. */
  readonly slots?: number;
  readonly cores?: number;
  /** Bytes that its processes may use. */
  readonly memory?: number;
  /** A message to its kernel and back: the median, in milliseconds. */
  readonly roundTrip?: number;
  /** Whether it sees the folder. */
  readonly files?: boolean;
  /** Whether it sees the same file at an address. */
  readonly bucket?: boolean;
}

export interface EndpointQuestions {
  /** A folder of this machine. @default none is asked for */
  readonly folder: string | undefined;
  /** Whether an endpoint that does not see it is of no use; else its files travel. */
  readonly isRequired: boolean;
  /** A file as this machine sees it. */
  readonly file: FileStatus | undefined;
  readonly storage: StorageSettings;
}

/** Of so many messages there and back the median counts. */
const ROUND_TRIPS = 9;

/** Its kernel ends by itself after so long without a word: it is used for some seconds. */
const LEASE_MILLISECONDS = 60_000;

/** Starts a kernel behind an endpoint as a session does, asks it, and ends it. Rejects only where it is aborted. */
export async function checkEndpoint(
  settings: EndpointSettings,
  { folder, isRequired, file, storage }: EndpointQuestions,
  signal: AbortSignal,
): Promise<EndpointCheck> {
  const { name: endpoint, url, env } = settings;
  let found: Omit<EndpointCheck, "error"> = { endpoint, url };
  let end = async () => {};
  const onAbort = () => void end();
  try {
    found = { ...found, jupyter: await jupyterVersion(settings, signal) };
    const start = { type: "start", storage, env, leaseMilliseconds: LEASE_MILLISECONDS } as const;
    const connection = await connectHost(settings, start, signal);
    let ending: Promise<void> | undefined;
    const release = connection.hold();
    end = () =>
      (ending ??= connection
        .close()
        .catch(() => undefined)
        .finally(release));
    signal.addEventListener("abort", onAbort, { once: true });
    throwIfAborted(signal);
    const host = hostOf(settings, connection, servedFiles(travel(() => {})));
    const { version: pomona, node, cores, memory } = connection.hello;
    found = { ...found, pomona, node, slots: host.workers.length, cores, memory };
    found = { ...found, roundTrip: await roundTrip(host.probe) };
    if (folder !== undefined) {
      found = { ...found, files: await seesFolder(folder, host.probe) };
      throwIfAborted(signal);
      if (!found.files && isRequired) throw otherFiles(endpoint, folder);
    }
    if (file) {
      found = { ...found, bucket: false };
      await checkFile(endpoint, file, host);
      found = { ...found, bucket: true };
    }
    return { ...found, error: undefined };
  } catch (error) {
    throwIfAborted(signal);
    if (!(error instanceof PomonaError)) throw error;
    return { ...found, error };
  } finally {
    signal.removeEventListener("abort", onAbort);
    await end();
  }
}

/** Undefined where a server does not tell it, such as a gateway. @throws EndpointError where it is none of Jupyter's */
async function jupyterVersion(settings: EndpointSettings, signal: AbortSignal): Promise<string | undefined> {
  const { body } = await restRequest(settings, "GET", "api", { signal });
  const { version } = (body ?? {}) as { readonly version?: unknown };
  return typeof version === "string" ? version : undefined;
}

async function roundTrip(probe: (path: string) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const start = performance.now();
    // Nothing is there to read, so it is the way alone.
    await probe(join(tmpdir(), "pomona-no-such-file"));
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[ROUND_TRIPS >> 1] ?? 0;
}

function otherFiles(endpoint: string, folder: string): EndpointFilesError {
  return new EndpointFilesError(endpoint, `its machine does not see ${folder} of this one.`, {
    remedy: "Its files would travel there. Use s3://, or a folder that all machines share.",
  });
}

/** Looks whether one of its workers sees a file by its own storage. @throws EndpointError */
async function checkFile(endpoint: string, file: FileStatus, host: Pick<ReturnType<typeof hostOf>, "thread">) {
  const { found, error } = await lookThere(endpoint, file.url, host.thread(0));
  if (error !== undefined) {
    throw new EndpointFilesError(endpoint, `its workers can't read ${file.url}: ${error}`, {
      remedy: "Give the session's settings the storage's address and keys (--conf fs.s3a.…), or the machine its own.",
    });
  }
  if (found === null || found === undefined || found === "folder")
    throw new EndpointFilesError(endpoint, `its workers find no ${file.url}, which this machine sees.`, {
      remedy: "Does the storage's address lead to the same server from there? It must not be localhost.",
    });
  if (found.size === file.size && found.modifiedAt === file.modifiedAt) return;
  throw new EndpointFilesError(endpoint, `its workers see another ${file.url} than this machine.`, {
    remedy: "Does the storage's address lead to the same server from there? It must not be localhost.",
  });
}

type Looked = { readonly found?: FileStatus | "folder" | null; readonly error?: string };

function lookThere(endpoint: string, url: Url, thread: ReturnType<ReturnType<typeof hostOf>["thread"]>) {
  return new Promise<Looked>((resolve, reject) => {
    const unlisten = thread.listen({
      message(message) {
        if (message.type !== "looked") return;
        unlisten();
        resolve(message);
      },
      ended: (why) => {
        unlisten();
        reject(new EndpointKernelError(endpoint, `its worker ended: ${why}.`));
      },
    });
    thread.post({ type: "look", url });
  });
}
