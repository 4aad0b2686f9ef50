import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { PomonaError } from "../errors";

/** There is no Jupyter to execute notebooks with. */
export class JupyterMissingError extends PomonaError {}

/**
 * The virtual environment with Jupyter: the one that `POMONA_VENV` names, the one that a checkout's set-up made, the one that
 * is active, or `.venv` in the current folder.
 */
export function jupyterVenv(): string {
  if (process.env.POMONA_VENV) return process.env.POMONA_VENV;
  const own = join(__dirname, "..", "..", ".venv");
  const active = process.env.VIRTUAL_ENV ? [process.env.VIRTUAL_ENV] : [];
  const found = [own, ...active].find((venv) => existsSync(join(venv, "bin", "python")));
  return found ?? resolve(".venv");
}

/** The Python of {@link jupyterVenv}. @throws JupyterMissingError */
export function jupyterPython(): string {
  const venv = jupyterVenv();
  const python = join(venv, "bin", "python");
  if (existsSync(python)) return python;
  throw new JupyterMissingError(`There is no Jupyter in ${venv}.`, {
    remedy:
      "Name a virtual environment with jupyterlab in POMONA_VENV, or make one: python3 -m venv .venv && .venv/bin/pip install jupyterlab (in a checkout: npm run setup).",
  });
}

/** The data folder below a prefix such as a virtual environment, `/usr/local` or `/opt/conda`. */
export const dataDirOf = (prefix: string): string => join(resolve(prefix), "share", "jupyter");

/** The prefix of a Python: its virtual environment, conda environment or system folder. @throws JupyterMissingError */
export async function prefixOf(python: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(python, ["-c", "import sys; print(sys.prefix)"]);
    return stdout.trimEnd();
  } catch (cause) {
    throw new JupyterMissingError(`${python} is not a Python that starts.`, { cause });
  }
}

/**
 * The user's own data folder.
 * @see https://docs.jupyter.org/en/latest/use/jupyter-directories.html#data-files
 */
export function userDataDir(env: NodeJS.ProcessEnv = process.env, platform: string = process.platform): string {
  if (env.JUPYTER_DATA_DIR) return env.JUPYTER_DATA_DIR;
  const home = env.HOME || homedir();
  if (platform === "darwin") return join(home, "Library", "Jupyter");
  if (platform === "win32") return join(env.APPDATA || join(home, "AppData", "Roaming"), "jupyter");
  return join(env.XDG_DATA_HOME || join(home, ".local", "share"), "jupyter");
}

/**
 * The data folders that the Jupyter of a virtual environment looks in, in its order: `JUPYTER_PATH`, the environment, the
 * user's, the system's.
 */
export function searchedDataDirs(venv: string, env: NodeJS.ProcessEnv = process.env): string[] {
  const named = (env.JUPYTER_PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const system = ["/usr/local/share/jupyter", "/usr/share/jupyter"];
  return [...new Set([...named, dataDirOf(venv), userDataDir(env), ...system].map((folder) => resolve(folder)))];
}
