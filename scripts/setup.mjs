#!/usr/bin/env node
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { installKernel } from "./setup/kernelspec.mjs";
import { installPackages } from "./setup/npm-packages.mjs";
import { cacheDir } from "./setup/paths.mjs";
import { installJupyter, installJupyterSide } from "./setup/python-packages.mjs";
import { findCompiler, findPython, nodeProblem } from "./setup/requirements.mjs";
import { installTensorflow, tensorflowProblem } from "./setup/tensorflow.mjs";

const help = `npm run setup [-- --force]

Makes this checkout ready to work: npm packages, the TensorFlow addon, dist, a .venv with Jupyter, and the kernel
"TypeScript (Pomona)" in it. What is there and up to date is left alone. Needs Node 20.19 or newer; for notebooks
Python 3.10 or newer (POMONA_PYTHON may name it), for the tfjs-node backend a C++ compiler (CXX may name it).

  --force   do every step again
  --help    this text

Heavy parts are kept in ${cacheDir} (POMONA_CACHE_DIR moves it).
Exit code 0 when images can be featurized from the command line, even where a part marked "left out" is missing.`;

/**
 * What setup does, in order. `problem` says why a step cannot be done here; `without` says what will not work then.
 * A step without `without` is one the main job cannot do without.
 */
const steps = [
  { name: "packages", run: installPackages },
  {
    name: "tfjs-node",
    run: installTensorflow,
    problem: tensorflowProblem,
    without: "The backend tfjs-node; onnxruntime-node and tfjs-wasm are there.",
  },
  { name: "build", run: build },
  {
    name: "jupyter",
    run: installJupyter,
    problem: ({ python }) => (python ? undefined : "Python 3.10 or newer with venv was not found"),
    without: "Notebooks, and with them npm run quickstart; the command line works.",
  },
  {
    name: "papermill",
    run: installJupyterSide,
    problem: ({ python }) => (python ? undefined : "there is no .venv for it"),
    without: "Parameters by papermill; pomona run -p works. Plain nbconvert's HTML shows no widgets without a network.",
  },
  {
    name: "kernel",
    run: installKernel,
    problem: ({ python }) => (python ? undefined : "there is no .venv to register it in"),
    without: "Notebooks.",
  },
];

/**
 * Runs every step.
 * @returns {Promise<{ ready: boolean, missing: string[] }>} `ready` where the main job can run; the steps left out
 */
export async function setup({ force = false } = {}) {
  const problem = nodeProblem();
  if (problem) {
    console.error(problem);
    return { ready: false, missing: steps.map((step) => step.name) };
  }
  const tools = { python: findPython(), compiler: findCompiler() };
  report("tools", 0, [
    `node ${process.versions.node}`,
    toolText("Python", tools.python),
    toolText("C++", tools.compiler),
  ]);
  const missing = [];
  for (const step of steps) {
    const started = performance.now();
    const reason = step.problem?.(tools) ?? (await attempt(step, { ...tools, force }, started));
    if (reason === undefined) continue;
    missing.push(step.name);
    if (step.without === undefined) {
      console.error(`${step.name}: ${reason}`);
      return { ready: false, missing };
    }
    report(step.name, started, [`left out: ${reason}`]);
    console.log(`           What will not work: ${step.without}`);
  }
  return { ready: true, missing };
}

/** Runs a step and reports it. @returns the reason where it failed */
async function attempt(step, options, started) {
  try {
    report(step.name, started, [await step.run(options)]);
    return undefined;
  } catch (error) {
    return error.message;
  }
}

function report(name, started, parts) {
  const seconds = started ? ((performance.now() - started) / 1000).toFixed(1) : "0.0";
  console.log(`${name.padEnd(10)} ${seconds.padStart(5)} s  ${parts.join(", ")}`);
}

const toolText = (name, tool) => (tool ? `${name} ${tool.version} (${tool.command})` : `no ${name}`);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { force: { type: "boolean" }, help: { type: "boolean", short: "h" } } });
  if (values.help) console.log(help);
  else {
    const { ready, missing } = await setup(values);
    if (ready) console.log(missing.length ? `Ready, without ${missing.join(", ")}.` : "Ready.");
    process.exitCode = ready ? 0 : 1;
  }
}
