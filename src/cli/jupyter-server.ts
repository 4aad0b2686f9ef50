import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { UsageError } from "./command";
import { killTree } from "./process-tree";

/** The folder of the package. */
export const PACKAGE_ROOT = join(__dirname, "..", "..");
const JUPYTER_SIDE = join(PACKAGE_ROOT, "kernel-ext", "python");
/** How long a server that is asked to end may save what its notebooks have shown and end its kernels. */
const ENDS_WITHIN_MS = 20_000;
/** After how long it is said that we wait. */
const SAID_AFTER_MS = 3_000;

/** A server that runs in the foreground; it and its kernels end with this process, also by a second Ctrl-C. */
export interface JupyterServer {
  readonly process: ChildProcess;
  /** Its exit code; null where a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Asks it to end. It does within 20 s, else it is killed with its kernels. */
  end(note: (text: string) => void): void;
}

/** Starts a server of Jupyter's. */
export function startJupyterServer(command: string, args: readonly string[], options: SpawnOptions): JupyterServer {
  const server = spawn(command, args, options);
  const timers: NodeJS.Timeout[] = [];
  const kill = () => server.pid !== undefined && killTree(server.pid);
  let hasEnded = false;
  // Before its folders are removed, into which it would write.
  process.prependOnceListener("exit", kill);
  const ended = new Promise<number | null>((done, fail) => server.once("exit", done).once("error", fail)).finally(
    () => {
      hasEnded = true;
      process.off("exit", kill);
      timers.forEach(clearTimeout);
    },
  );
  return {
    process: server,
    ended,
    end(note) {
      if (hasEnded) return;
      server.kill("SIGTERM");
      const told = `The server saves and ends, which may take ${ENDS_WITHIN_MS / 1000} s; Ctrl-C ends it at once.`;
      timers.push(
        setTimeout(() => note(told), SAID_AFTER_MS),
        setTimeout(kill, ENDS_WITHIN_MS),
      );
    },
  };
}

/** Folders that Jupyter looks in before those that the environment names. */
export interface JupyterFolders {
  readonly config?: readonly string[];
  readonly data?: readonly string[];
}

/** The variables by which a server finds these folders, and our side of Jupyter, which needs no pip install that way. */
export function jupyterVariables({ config = [], data = [] }: JupyterFolders): Record<string, string> {
  const lists = {
    JUPYTER_CONFIG_PATH: [...config, process.env.JUPYTER_CONFIG_PATH],
    JUPYTER_PATH: [...data, process.env.JUPYTER_PATH],
    PYTHONPATH: [join(JUPYTER_SIDE, "src"), process.env.PYTHONPATH],
  };
  const joined = Object.entries(lists).map(([name, list]) => [name, list.filter(Boolean).join(delimiter)]);
  return Object.fromEntries(joined.filter(([, list]) => list !== "")) as Record<string, string>;
}

/** The folder with the server's extensions and what its pages load of them. */
export const SERVER_EXTENSIONS = join(JUPYTER_SIDE, "jupyter");

/** @throws UsageError where this is root and is not told that this is meant */
export function refuseRoot(isAllowed: boolean): void {
  if (process.getuid?.() !== 0 || isAllowed) return;
  throw new UsageError("Jupyter does not start as root unless told to.", { remedy: "--allow-root tells it to." });
}
