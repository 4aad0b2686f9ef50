import { availableParallelism, tmpdir } from "node:os";
import { prepareProcess } from "../../networks/network-backend";
import { type RetryListener, storagesFrom } from "../../storage";
import { fileUrl } from "../../storage/location";
import { VERSION } from "../../version";
import type { Endpoints, Engine, EngineOptions } from "../contract";
import { driver } from "../driver";
import { duckdbRelational } from "../duckdb/relational";
import { openSpool } from "../spool";
import { endpointName, endpointOf, endpointSettings, generalToken } from "./endpoint-settings";
import { baseAddress, parseJupyterMaster } from "./master";
import { endpointPool } from "./pool";
import { servedFiles } from "./served-files";
import { travel } from "./travel";

export { JUPYTER_SETTINGS } from "./endpoint-settings";
export { isJupyterMaster, JUPYTER_MASTERS } from "./master";

/** @throws IllegalArgumentError */
export function checkJupyterMaster(master: string): void {
  parseJupyterMaster(master);
}

/**
 * The engine whose workers are kernels behind Jupyter servers: relational work in DuckDB on this machine, batch functions there.
 * @param master `jupyter://host:port,host2:port`, `jupyters://…`, or `jupyter` with the setting `pomona.endpoints`
 * @throws IllegalArgumentError
 */
export function jupyterEngine(master: string, options: EngineOptions): Engine {
  const { conf, storage = {}, secretSettings = {} } = options;
  const endpoints = endpointSettings(master, secretSettings);
  const spoolParent = conf("pomona.spool.dir") ?? tmpdir();
  prepareProcess();
  let tellRetry: RetryListener = () => {};
  let tellUser: (text: string) => void = () => {};
  const served = servedFiles(travel((text) => tellUser(text)));
  const pool = endpointPool(endpoints, {
    storage,
    leaseMilliseconds: Number(conf("pomona.endpoints.leaseSeconds")) * 1000,
    spoolParent,
    served,
    warn: (text) => tellUser(text),
  });
  const engine = driver({
    ...options,
    master,
    about: { name: "jupyter", version: VERSION },
    start: pool.connect,
    storages: storagesFrom(storage, (retry) => tellRetry(retry)),
    onStorageRetry(listener) {
      tellRetry = listener;
    },
    onNote(listener) {
      tellUser = listener;
    },
    workers: pool,
    workersElsewhere: true,
    openSpool() {
      const spool = openSpool(spoolParent, { isShared: true });
      served.spool = fileUrl(spool.folder);
      return spool;
    },
    openRelational: (temporaryFolder) =>
      duckdbRelational({
        memoryLimit: conf("pomona.duckdb.memory") ?? "",
        threads: availableParallelism(),
        temporaryFolder,
      }),
  });
  engine.subscribe((event) => {
    if (event.type === "jobEnded") served.jobEnded(event.jobId);
  });
  const own: Endpoints = {
    async add(options, signal = new AbortController().signal) {
      await engine.start(signal);
      await pool.add(endpointOf({ ...options }, generalToken(secretSettings)), signal);
    },
    async remove(url) {
      const address = baseAddress(url) ?? baseAddress(`http://${url}`);
      return address !== undefined && pool.remove(endpointName(address));
    },
  };
  return Object.assign(engine, { endpoints: own });
}
