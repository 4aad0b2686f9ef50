import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inRoot } from "./paths.mjs";

/** Registers the kernel `pomona` in `.venv`. @returns {Promise<string>} what was done, for the progress line */
export async function installKernel() {
  return writeKernelspec(inRoot(".venv", "share", "jupyter"), process.execPath)
    ? '"TypeScript (Pomona)"'
    : "up to date";
}

/**
 * Writes the kernel's specification below a Jupyter data folder.
 * @param {string} dataDir such as `.venv/share/jupyter`
 * @param {string} node the Node that runs the kernel
 * @returns whether anything changed
 */
export function writeKernelspec(dataDir, node) {
  const folder = join(dataDir, "kernels", "pomona");
  const file = join(folder, "kernel.json");
  const text = `${JSON.stringify(kernelspec(node), null, 2)}\n`;
  if (existsSync(file) && readFileSync(file, "utf8") === text) return false;
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, text);
  return true;
}

/** Absolute paths throughout, because a Jupyter front end may not have the shell's PATH. */
function kernelspec(node) {
  const tslab = inRoot("node_modules", "tslab", "bin", "tslab");
  return {
    // The two last are apart because tslab takes `--config-path=` followed by a space for a path of its own.
    argv: [node, tslab, "kernel", "--config-path", "{connection_file}"],
    display_name: "TypeScript (Pomona)",
    language: "typescript",
    interrupt_mode: "signal",
    env: { POMONA_KERNEL: "tslab", POMONA_HOME: inRoot() },
  };
}
