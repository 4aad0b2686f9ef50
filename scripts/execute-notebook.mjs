import { inRoot } from "./setup/paths.mjs";
import { run } from "./setup/processes.mjs";

/**
 * Executes a notebook on the kernel `pomona` by the command line, `pomona run`.
 * @param {string} source the notebook
 * @param {string} executed where the executed copy goes; an HTML copy goes beside it
 * @param {{ env?: Record<string, string>, parameters?: Record<string, string> }} options variables of the kernel's
 *   environment, and of the notebook's cell tagged `parameters`
 * @throws {CommandError} with the failed cell and its error
 */
export async function executeNotebook(source, executed, { env = {}, parameters = {} } = {}) {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => ["-p", name, value]);
  await run(process.execPath, [inRoot("dist", "cli", "main.js"), "run", source, "-o", executed, "--html", ...pairs], {
    live: true,
    env,
  });
}
