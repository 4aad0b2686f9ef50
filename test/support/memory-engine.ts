import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WorkerContext } from "../../src/data/batch-function";
import type { Engine } from "../../src/engine/contract";
import { driver } from "../../src/engine/driver";
import { duckdbRelational } from "../../src/engine/duckdb/relational";
import { AttemptFailedError } from "../../src/engine/scheduler/errors";
import { openSpool } from "../../src/engine/spool";
import type { TaskWorker, WorkerPool } from "../../src/engine/workers";
import { DataFrameReader } from "../../src/frame/reader";
import { RuntimeConfig } from "../../src/session/configuration";
import type { Session } from "../../src/session/session";
import { type Storages, storages, storagesFrom, urlOf } from "../../src/storage";
import { runTask } from "../../src/worker/run-task";
import { remoteError } from "../../src/worker/task-errors";
import { workerFiles } from "../../src/worker/worker-files";
import { type MemoryStorage, memoryStorage } from "./memory-storage";

/** Workers in this process: a thread would not see the store. */
function workersHere(count: number, table: Storages): WorkerPool {
  const workers = Array.from({ length: count }, (_, i): TaskWorker => {
    const functions = new Map();
    return {
      name: `here-${i + 1}`,
      beats: true,
      async run(task, signal, listener) {
        const worker: WorkerContext = { signal, log: listener.onLog, ...workerFiles(table) };
        try {
          return await runTask(JSON.parse(JSON.stringify(task)), worker, table, functions, listener.onProgress);
        } catch (error) {
          throw new AttemptFailedError(remoteError(error));
        }
      },
    };
  });
  return {
    parallelism: count,
    workers,
    watch(listener) {
      for (const worker of workers) listener.joined(worker);
      return () => {};
    },
    start() {},
    prepare() {},
    forget() {},
    close: async () => {},
  };
}

/** An engine beside object storage in memory, where its workers are too. */
export interface MemoryEngine {
  readonly store: MemoryStorage;
  readonly engine: Engine;
  /** A folder of this machine. */
  readonly folder: string;
  /** What reading and `validate` need of a session. */
  session(): Session;
  close(): Promise<void>;
}

export function memoryEngine(): MemoryEngine {
  const folder = mkdtempSync(join(tmpdir(), "pomona-object-storage-"));
  const store = memoryStorage();
  const table = storages({ memory: store, file: storagesFrom().for(urlOf(folder)) });
  const conf = new RuntimeConfig();
  const engine = driver({
    master: "here[2]",
    about: { name: "here", version: "1" },
    conf: (key) => conf.get(key),
    workers: workersHere(2, table),
    storages: table,
    openSpool: () => openSpool(folder),
    openRelational: (temporaryFolder) => duckdbRelational({ memoryLimit: "256MB", threads: 1, temporaryFolder }),
  });
  return {
    store,
    engine,
    folder,
    session: () => ({ runtime: engine, read: new DataFrameReader(engine) }) as unknown as Session,
    async close() {
      await engine.close();
      rmSync(folder, { recursive: true });
    },
  };
}
