import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inRoot, venvPython } from "./paths.mjs";
import { run } from "./processes.mjs";
import { fingerprint, isStamped, writeStamp } from "./stamp.mjs";

const requirements = inRoot("scripts", "setup", "jupyter.txt");
const locked = inRoot("scripts", "setup", "jupyter.lock.txt");
const stampFile = join(inRoot(".venv"), ".pomona-stamp");

/** Makes `.venv` with the pinned Jupyter. @returns {Promise<string>} what was done, for the progress line */
export async function installJupyter({ python, force }) {
  const venv = inRoot(".venv");
  // The path is part of it: a virtual environment that was moved or copied does not work.
  const print = fingerprint({ values: [python.version, venv], files: [requirements, locked] });
  if (!force && isStamped(stampFile, print) && existsSync(venvPython(venv))) return "up to date";
  rmSync(venv, { recursive: true, force: true });
  await createVenv({ python, venv, requirements, locked });
  writeStamp(stampFile, print);
  return `JupyterLab in .venv (Python ${python.version})`;
}

/** A virtual environment with the packages of a requirements file, at the versions of a lock file (`pip freeze`). */
export async function createVenv({ python, venv, requirements, locked }) {
  await run(python.command, ["-m", "venv", venv]);
  const options = ["--quiet", "--disable-pip-version-check", "--no-input", "--prefer-binary"];
  const constraints = isLockFor(locked, python) ? ["-c", locked] : [];
  await run(venvPython(venv), ["-m", "pip", "install", ...options, "-r", requirements, ...constraints]);
}

/** A lock holds for the Python versions its first line names; elsewhere only the direct requirements are pinned. */
function isLockFor(locked, python) {
  const [, first, last] = /# Python 3\.(\d+) to 3\.(\d+)/.exec(readFileSync(locked, "utf8")) ?? [];
  const minor = Number(python.version.split(".")[1]);
  return minor >= Number(first) && minor <= Number(last);
}
