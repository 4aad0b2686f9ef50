import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cacheEntry } from "./cache.mjs";
import { inRoot, venvPython } from "./paths.mjs";
import { run } from "./processes.mjs";
import { findPython } from "./requirements.mjs";
import { filesBelow, fingerprint, isStamped, writeStamp } from "./stamp.mjs";

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

/**
 * Puts the project's own pip package into `.venv`, and the order in which nbconvert's HTML prefers forms of an output.
 * Needs dist; loads nothing. @returns {Promise<string>} what was done, for the progress line
 */
export async function installJupyterSide({ force }) {
  const venv = inRoot(".venv");
  const source = inRoot("kernel-ext", "python");
  const config = join(venv, "etc", "jupyter", "jupyter_nbconvert_config.json");
  const text = nbconvertConfig();
  const files = filesBelow(source).filter((file) => /\.(js|json|py|toml)$/.test(file));
  const stamp = join(venv, ".pomona-jupyter-stamp");
  const print = fingerprint({ values: [text], files });
  if (!force && isStamped(stamp, print) && existsSync(config)) return "up to date";
  // From a copy, because setuptools builds beside the sources.
  const copy = mkdtempSync(join(tmpdir(), "pomona-jupyter-"));
  try {
    cpSync(source, copy, { recursive: true });
    const options = ["--quiet", "--disable-pip-version-check", "--no-input", "--force-reinstall"];
    // Without isolation setuptools is the one in .venv, pinned like the rest.
    const offline = ["--no-index", "--no-deps", "--no-build-isolation"];
    await run(venvPython(venv), ["-m", "pip", "install", ...options, ...offline, copy]);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  mkdirSync(dirname(config), { recursive: true });
  writeFileSync(config, text);
  writeStamp(stamp, print);
  return "papermill's parameters in TypeScript, notebooks in S3, outputs that outlive their page, nbconvert's settings";
}

/** As `pomona run --html` has it, for whoever calls nbconvert. */
function nbconvertConfig() {
  const { HTML_PRIORITY } = createRequire(import.meta.url)(inRoot("dist", "cli", "html-priority.js"));
  const [section, name] = HTML_PRIORITY.setting.split(".");
  return `${JSON.stringify({ [section]: { [name]: HTML_PRIORITY.types } }, null, 2)}\n`;
}

/**
 * Gives the interpreter of an environment in the cache folder, with the packages of `NAME.txt` at the versions of `NAME.lock.txt`;
 * makes it where it is missing.
 * @param {{ name: string, below: number, what: string }} options `below`: the first Python 3 that it does not work with; `what` it is, for messages
 * @returns {Promise<string>}
 */
export async function cachedEnvironment({ name, below, what }) {
  const [requirements, locked] = ["txt", "lock.txt"].map((ending) => inRoot("scripts", "setup", `${name}.${ending}`));
  const venv = await cacheEntry(`${name}-${fingerprint({ files: [requirements, locked] })}`, async (folder) => {
    const python = findPython({ below });
    if (!python) throw new Error(`${what} needs Python 3.10 to 3.${below - 1} (POMONA_PYTHON may name it).`);
    console.error(`Making the environment of ${what} (once) in ${folder}`);
    await createVenv({ python, venv: folder, requirements, locked });
  });
  return venvPython(venv);
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
