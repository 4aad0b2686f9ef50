import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's root. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Where heavy things that several checkouts share are kept: `POMONA_CACHE_DIR`, else `~/.cache/pomona`. */
export const cacheDir =
  process.env.POMONA_CACHE_DIR || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pomona");

/** A path inside the checkout. */
export const inRoot = (...parts) => join(root, ...parts);

/** The interpreter of a Python virtual environment. */
export const venvPython = (venv) =>
  process.platform === "win32" ? join(venv, "Scripts", "python.exe") : join(venv, "bin", "python");
