import { createRequire } from "node:module";
import { inRoot } from "./paths.mjs";

/** Registers the kernel `pomona` in `.venv`. @returns {Promise<string>} what was done, for the progress line */
export async function installKernel() {
  const changed = await writeKernelspec(inRoot(".venv", "share", "jupyter"), process.execPath);
  return changed ? '"TypeScript (Pomona)"' : "up to date";
}

/**
 * Writes the kernel's specification below a Jupyter data folder, as `pomona kernel install` does. Needs dist.
 * @param {string} dataDir such as `.venv/share/jupyter`
 * @param {string} node the Node that runs the kernel
 * @returns {Promise<boolean>} whether anything changed
 */
export async function writeKernelspec(dataDir, node) {
  const { installKernelspec } = createRequire(import.meta.url)(inRoot("dist", "cli", "kernelspec.js"));
  return (await installKernelspec({ dataDir, node })).changed;
}
