import type { Runtime } from "../frame/runtime";
import type { StorageSettings } from "../storage";
import type { EngineState, EventListener } from "./events";

/**
 * An engine runs plans. There is one contract for all of them: on this machine, on kernels behind Jupyter endpoints, on
 * Spark. Its results, errors and events are the same everywhere: `test/conformance` runs on each of them.
 *
 * Where results may differ from engine to engine, by operation:
 * - `sample`, `rand`, `randomSplit`, `balancedSample`: which rows and numbers a seed draws; on one engine they are the same
 *   for the same rows, whatever its parallelism.
 * - rows without a `sort`, and rows of equal sort keys: their order, and so what `limit`, `first`, `last`, `take` and
 *   `dropDuplicates` pick among them, and the order of `collect_list`; `collect_set` has none.
 * - `monotonicallyIncreasingId`, `getNumPartitions`: how many partitions there are where no `repartition` says so; Spark Connect tells
 *   of those that have rows.
 * - `repartition`, `coalesce`: which rows meet in a partition and a file, not how many partitions there are.
 * - sums, means and what is made of them over floating numbers: the last digits, by the order of addition; functions of the
 *   mathematical library: the last digit.
 * - `sql` and `filter` with text: the dialect that the plan names; an engine that does not speak it refuses.
 * - `mode("overwrite")`: when the old data is removed, at the commit or as the job starts; whether a write that was broken off is taken up.
 * - a written file's metadata: which weights made it, where the engine writes its files itself.
 * - `onError: "null"`: files that can't be read at all, where the engine does not read them itself, fail the job.
 * - events: single tasks, or stages and how many tasks of them are done.
 * - what an engine cannot do it refuses by a name that its line in the suite lists.
 */
export interface Engine extends Runtime {
  /** The master URL it was made from, such as `local[2]`. */
  readonly master: string;
  /** How many tasks run at once; it may change while the engine runs. */
  readonly parallelism: number;
  /**
   * Gets ready: may take a minute and may fail; then it can be tried again. The first action starts what nobody has started.
   * @throws CancelledError, and what the engine says of why it can't run
   */
  start(signal?: AbortSignal): Promise<void>;
  /** What it is and how it stands, now. */
  info(): EngineInfo;
  /** Calls `listener` on every event; returns a function that ends it. */
  subscribe(listener: EventListener): () => void;
  /**
   * Stops everything that runs now; it ends in a `CancelledError`. Done once that work has taken back what it had written. The
   * engine stays usable.
   */
  interrupt(): Promise<void>;
  /** The machines that run its tasks, where they can come and go. */
  readonly endpoints?: Endpoints;
  /** Stops everything and frees threads, memory and temporary files. */
  close(): Promise<void>;
}

/** One Jupyter server whose machine runs tasks, as a user writes it. */
export interface EndpointOptions {
  /** The server's address, such as `http://host:8888`. */
  readonly url: string;
  /** @default the one in `tokenFile`, `pomona.endpoints.token`, `POMONA_ENDPOINT_TOKEN` */
  readonly token?: string;
  /** A file with the token. */
  readonly tokenFile?: string;
  /** How many tasks run there at once. @default what its `pomona worker --slots` says, else one for each of its cores */
  readonly slots?: number;
  /** The name of its kernelspec. @default the first that is this package's */
  readonly kernel?: string;
  /** Variables for its workers. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Machines that come and go. */
export interface Endpoints {
  /** Connects to one, which takes tasks then; it takes the place of one of that address that takes none. @throws IllegalArgumentError, EndpointError */
  add(endpoint: EndpointOptions, signal?: AbortSignal): Promise<void>;
  /** Takes one away: what runs there runs elsewhere. @param url or `host:port` @returns false where there is none of that address */
  remove(url: string): Promise<boolean>;
}

/** A machine that runs an engine's tasks. */
export interface WorkerMachine {
  /** `host:port` of its Jupyter server; `local` for this one. */
  readonly endpoint: string;
  /**
   * `connecting` until it is there, `ready` while it takes tasks, `draining` while it only does those that it has since its server is
   * about to end, `left` once that has ended after them; `lost` where it ended otherwise, `unreachable` where it was never there, all of
   * which are tried again; `refused` where that has no use.
   */
  readonly state: "connecting" | "ready" | "draining" | "left" | "lost" | "unreachable" | "refused";
  /** How many tasks it runs at once. */
  readonly slots: number;
  /** Bytes that the process of its workers has in use; undefined where it is not there. */
  readonly memory: number | undefined;
  /** This package's there; undefined where that is not known. */
  readonly version: string | undefined;
  /** Why it takes no tasks, in a few words such as `the token is refused (HTTP 403)`; undefined where it does, or may soon. */
  readonly problem: string | undefined;
  /** What it says itself of the tasks that it has, those of other sessions among them, where an engine does not tell of single tasks. */
  readonly tasks?: { readonly running: number; readonly done: number; readonly failed: number };
}

/** What an engine says of itself. */
export interface EngineInfo {
  /** Names this run of it: Spark's application id, `local-<epoch milliseconds>` for the local engine. */
  readonly id: string;
  readonly master: string;
  readonly state: EngineState;
  /** Of what computes: this package's, or the cluster's. */
  readonly version: string;
  /** The names of the workers that are there now; none for an engine that does not tell. */
  readonly workers: readonly string[];
  /** Where those are; none for an engine that does not tell. */
  readonly machines: readonly WorkerMachine[];
  /** Where a browser shows its jobs. */
  readonly uiWebUrl: string | undefined;
}

/** What an engine is made from. */
export interface EngineOptions {
  /** `session.conf`, defaults included: engines read their settings from it by name, each time they need one. */
  readonly conf: (key: string) => string | undefined;
  /** The session's settings with the secrets, which `conf` hides: for what connects with them. @default none */
  readonly secretSettings?: Readonly<Record<string, string | undefined>>;
  /** All of the session's settings as they are now, with the secrets. @default none */
  readonly settings?: () => Readonly<Record<string, string | undefined>>;
  /** Fetches the token by which a server knows the session, whenever there is none or the one there was refused. @default the master's */
  readonly token?: () => Promise<string>;
  /** What storages are made from, here and by workers, for as long as the engine lives. @default none */
  readonly storage?: StorageSettings;
}
