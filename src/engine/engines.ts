import { IllegalArgumentError } from "../errors";
import type { Engine, EngineOptions } from "./contract";
import { checkLocalMaster, embeddedEngine, LOCAL_MASTERS } from "./embedded/engine";
import {
  checkJupyterMaster,
  isJupyterMaster,
  JUPYTER_MASTERS,
  JUPYTER_SETTINGS,
  jupyterEngine,
} from "./jupyter/engine";
import { DRIVER_SETTINGS, type Setting } from "./settings";
import { isConnectUrl, parseConnectUrl } from "./spark/connect-url";
import { sparkEngine } from "./spark/engine";

/** A kind of engine, chosen by the master URL. */
interface EngineKind {
  /** True for the masters it takes, right or wrong. */
  readonly takes: (master: string) => boolean;
  /** For the remedy where no kind takes a master. */
  readonly masters: string;
  /** @throws IllegalArgumentError for one that is its, but wrong */
  readonly check: (master: string) => void;
  readonly open: (master: string, options: EngineOptions) => Engine;
}

const KINDS: readonly EngineKind[] = [
  {
    takes: (master) => master.startsWith("local"),
    masters: LOCAL_MASTERS,
    check: checkLocalMaster,
    open: embeddedEngine,
  },
  {
    takes: isJupyterMaster,
    masters: JUPYTER_MASTERS,
    check: checkJupyterMaster,
    open: jupyterEngine,
  },
  {
    takes: isConnectUrl,
    masters: 'Or "sc://host:15002" (a Spark cluster, by Spark Connect).',
    check: (master) => void parseConnectUrl(master),
    open: sparkEngine,
  },
];

/** The settings that engines take, of every kind: a session knows them whichever of them runs. */
export const ENGINE_SETTINGS = { ...DRIVER_SETTINGS, ...JUPYTER_SETTINGS } satisfies Record<string, Setting>;

/** Makes the engine of a master URL; it starts with its first action, or by `start`. @throws IllegalArgumentError */
export function engineFor(master: string, options: EngineOptions): Engine {
  return kindOf(master).open(master, options);
}

/** @throws IllegalArgumentError for what is no master URL */
export function checkMaster(master: string): void {
  kindOf(master).check(master);
}

/** Whether a master is a Spark cluster. */
export function isSparkMaster(master: string): boolean {
  return isConnectUrl(master);
}

/** Whether a master's tasks run on other machines. */
export function hasRemoteWorkers(master: string): boolean {
  return isJupyterMaster(master) || isConnectUrl(master);
}

function kindOf(master: string): EngineKind {
  const kind = KINDS.find(({ takes }) => takes(master));
  if (kind) return kind;
  throw new IllegalArgumentError(`${JSON.stringify(master)} is not a master URL.`, {
    remedy: KINDS.map(({ masters }) => masters).join(" "),
  });
}
