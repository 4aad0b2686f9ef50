import { probe } from "./processes.mjs";

export const minimumNode = [20, 19];
export const minimumPython = [3, 10];

/** Why this Node cannot be used, or undefined. */
export function nodeProblem() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1])) return undefined;
  return `Node ${minimumNode.join(".")} or newer is needed; this is ${process.versions.node}.`;
}

/**
 * Finds a Python that can make virtual environments: `POMONA_PYTHON`, else the first fit one on PATH.
 * @param {{ below?: number }} options `below`: the first minor version of Python 3 that is too new
 * @returns {{ command: string, version: string } | undefined}
 */
export function findPython({ below = 99 } = {}) {
  const named = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];
  const candidates = process.env.POMONA_PYTHON ? [process.env.POMONA_PYTHON] : named;
  for (const command of candidates) {
    const version = probe(command, ["-c", "import venv, ensurepip, sys; print('%d.%d.%d' % sys.version_info[:3])"]);
    if (version === undefined) continue;
    const [major, minor] = version.split(".").map(Number);
    if (major === minimumPython[0] && minor >= minimumPython[1] && minor < below) return { command, version };
  }
  return undefined;
}

/**
 * Finds a C++ compiler: `CXX`, else the first of the usual names.
 * @returns {{ command: string, version: string } | undefined}
 */
export function findCompiler() {
  for (const command of process.env.CXX ? [process.env.CXX] : ["g++", "c++", "clang++"]) {
    const version = probe(command, ["--version"]);
    if (version !== undefined) return { command, version: version.split("\n")[0] };
  }
  return undefined;
}
