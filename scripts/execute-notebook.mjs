import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { inRoot, venvPython } from "./setup/paths.mjs";
import { run } from "./setup/processes.mjs";

/**
 * Executes a notebook with nbconvert on the kernel `pomona`, in the notebook's own folder.
 * @param {string} source the notebook
 * @param {string} executed where the executed copy goes
 * @param {Record<string, string>} env for the kernel
 * @throws {CommandError} with the failed cell and its error
 */
export async function executeNotebook(source, executed, env = {}) {
  mkdirSync(dirname(executed), { recursive: true });
  const options = ["--ExecutePreprocessor.kernel_name=pomona", "--ExecutePreprocessor.timeout=1800"];
  await jupyter(["nbconvert", "--to", "notebook", "--execute", source, "--output", executed, ...options], env);
}

/** Runs a command of the Jupyter in `.venv`. */
export function jupyter(args, env = {}) {
  return run(venvPython(inRoot(".venv")), ["-m", "jupyter", ...args], { env });
}
