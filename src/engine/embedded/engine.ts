import { prepareProcess } from "../../networks/network-backend";
import { type RetryListener, storagesFrom } from "../../storage";
import { VERSION } from "../../version";
import type { Engine, EngineOptions } from "../contract";
import { driver } from "../driver";
import { duckdbRelational } from "../duckdb/relational";
import { openSpool } from "../spool";
import { parseLocalMaster } from "./local-master";
import { workerThreads } from "./worker-threads";

export { LOCAL_MASTERS } from "./local-master";

/** @throws IllegalArgumentError */
export function checkLocalMaster(master: string): void {
  parseLocalMaster(master);
}

/**
 * The engine on this machine: relational work in DuckDB, batch functions on worker threads.
 * @param master `local`, `local[N]` or `local[*]`
 */
export function embeddedEngine(master: string, options: EngineOptions): Engine {
  const parallelism = parseLocalMaster(master);
  const { conf, storage = {} } = options;
  prepareProcess();
  let tellRetry: RetryListener = () => {};
  return driver({
    ...options,
    master,
    about: { name: "local", version: VERSION },
    storages: storagesFrom(storage, (retry) => tellRetry(retry)),
    onStorageRetry(listener) {
      tellRetry = listener;
    },
    workers: workerThreads(parallelism, { storage }),
    openSpool: () => openSpool(conf("pomona.spool.dir")),
    openRelational: (temporaryFolder) =>
      duckdbRelational({ memoryLimit: conf("pomona.duckdb.memory") ?? "", threads: parallelism, temporaryFolder }),
  });
}
