import type { SpawnSyncReturns } from "node:child_process";

const TRIES = 10;
const PAUSE_MS = 60_000;

/**
 * Runs something that lets npm choose versions. A registry that is taking in a release of many packages has some of them before those
 * that they need (ETARGET), for some minutes: then it is run again, without what npm has kept of the registry's answers.
 * @param run is given variables for npm
 */
export function withRegistry(
  run: (env: Readonly<Record<string, string>>) => SpawnSyncReturns<string>,
): SpawnSyncReturns<string> {
  for (let tries = 1; ; tries++) {
    const ended = run(tries === 1 ? {} : { npm_config_prefer_online: "true", npm_config_prefer_offline: "false" });
    if (tries === TRIES || !/code ETARGET/.test(ended.stderr)) return ended;
    console.warn(`npm's registry lacks a version that another package needs; trying again in ${PAUSE_MS / 1000} s`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
}

/** Room for all tries, for hooks and tests. */
export const REGISTRY_TIMEOUT = TRIES * PAUSE_MS + 600_000;
