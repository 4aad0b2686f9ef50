import { spawnSync } from "node:child_process";
import { join } from "node:path";

const peerScript = join(__dirname, "..", "..", "scripts", "setup", "peer.mjs");
/** A JVM that lives for a minute or two is quickest without its second compiler and the threads of its collector. */
const JVM = { SPARK_SUBMIT_OPTS: "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC" };
/**
 * The end of a program, without the interpreter's own: Arrow's threads may abort the process there, whose work is done by then.
 * @see https://github.com/apache/arrow/issues/34314
 */
const END = `
import atexit, os, sys
atexit._run_exitfuncs()
sys.stdout.flush()
os._exit(0)`;
let made: { readonly python: string; readonly env: Readonly<Record<string, string>> } | undefined;

/**
 * The Python that results are compared with: TensorFlow, Keras, PySpark, Pillow, pandas, pyarrow, DuckDB. Makes its
 * environment where it is missing, which takes minutes; `npm test` does that before the tests start.
 */
export function peerPython(): string {
  return peer().python;
}

/**
 * Runs a Python program in the peer environment and gives its stdout.
 * @param source the program's text
 * @param args its `sys.argv[1:]`
 * @throws Error with the program's stderr when it ends with a code other than 0
 */
export function runPython(source: string, args: string[] = []): string {
  const { python, env } = peer();
  return output(python, ["-c", source + END, ...args], { ...process.env, ...JVM, ...env });
}

function peer(): NonNullable<typeof made> {
  made ??= JSON.parse(output(process.execPath, [peerScript])) as NonNullable<typeof made>;
  return made;
}

function output(command: string, args: string[], env: NodeJS.ProcessEnv = process.env): string {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    env,
    maxBuffer: 1 << 28,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${signal ?? status}:\n${stderr.slice(-4000)}`);
  return stdout;
}
