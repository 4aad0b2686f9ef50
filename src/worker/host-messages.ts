import type { StorageSettings } from "../storage";
import type { FileAnswer, FileRequest } from "./file-messages";
import type { FromWorker, ToWorker } from "./task";

/** The comm target that a kernel takes for a driver. */
export const WORKER_TARGET = "pomona.worker";

/**
 * How the Jupyter sessions of kernels that a driver starts are called: `pomona-worker-<lease in ms>-<UUID>`. A kernel knows by that
 * what it is for before anybody has spoken to it.
 */
export const WORKER_SESSION = "pomona-worker";

/** What a machine says of itself when a driver opens a comm. */
export interface HostHello {
  /** This package's. */
  readonly version: string;
  /** Node's. */
  readonly node: string;
  readonly cores: number;
  /** How many tasks it wants to run at once, where its owner has said so (`pomona worker --slots`). */
  readonly slots?: number;
  /** Bytes that its processes may use. */
  readonly memory: number;
  /** Its kernel's process. */
  readonly pid: number;
}

/** The variable by which `pomona worker --slots` tells its kernels. */
export const SLOTS_VARIABLE = "POMONA_WORKER_SLOTS";

/** Messages from a driver to a host of threads. A slot is a thread, by its number from 0. */
export type ToHost =
  /** The first one. */
  | {
      readonly type: "start";
      /** What their storages are made from, credentials included: a task has none. */
      readonly storage: StorageSettings;
      /** Variables beside those of the kernel. */
      readonly env: Readonly<Record<string, string>>;
      /** Without a word of the driver for so long, the threads and the kernel end. */
      readonly leaseMilliseconds: number;
    }
  /** Starts a thread before its first message, so that it loads meanwhile. */
  | { readonly type: "thread"; readonly slot: number }
  | { readonly type: "task"; readonly slot: number; readonly message: ToWorker }
  /** Ends a thread by force. */
  | { readonly type: "terminate"; readonly slot: number }
  | { readonly type: "alive" }
  /** Not from the driver but from the server (`pomona worker --drain`), which is about to end. */
  | { readonly type: "drain" }
  /** Answers what was asked of the driver's files; what was read is the message's buffer. */
  | { readonly type: "files"; readonly id: number; readonly answer: FileAnswer }
  /** Asks for a small file's text, to know whether both see the same files. */
  | { readonly type: "probe"; readonly id: string; readonly path: string };

/** Messages from a host of threads to its driver. */
export type FromHost =
  | { readonly type: "hello"; readonly hello: HostHello }
  /** Every second. @property memory bytes that the kernel has in use */
  | { readonly type: "alive"; readonly memory: number }
  | { readonly type: "task"; readonly slot: number; readonly message: FromWorker }
  | { readonly type: "ended"; readonly slot: number; readonly why: string }
  /** It is about to end: what runs may come to its end, and the driver closes it then. */
  | { readonly type: "draining" }
  /**
   * Asks for files of the driver's, for a slot's task or for the host itself; what is written is the message's buffer.
   * @property waited milliseconds in which something was on its way, since the start
   * @property moved bytes that have arrived in that time, there or here
   */
  | {
      readonly type: "files";
      readonly id: number;
      readonly slot?: number | undefined;
      readonly request: FileRequest;
      readonly waited: number;
      readonly moved: number;
    }
  /** @property text null where there is no such file */
  | { readonly type: "probed"; readonly id: string; readonly text: string | null };
