import { PomonaError } from "../../errors";
import type { RemoteError } from "../../worker/task";
import { TaskFailedError } from "../scheduler/errors";
import { FAILED } from "./executor-python";

/** The executors' Python does not do: another version than is needed, or without pyarrow. */
export class ExecutorPythonError extends PomonaError {
  constructor(problem: string, options: { readonly cause?: unknown } = {}) {
    super(`Functions can't run on Spark's executors: ${problem}`, {
      remedy:
        "Spark hands rows to functions by Python: executors need one from 3.8 on with the package pyarrow (pip install pyarrow), which " +
        "spark.pyspark.python or PYSPARK_PYTHON of the cluster names.",
      ...options,
    });
  }
}

/** Executors have no Node, or one that is too old, and this machine's does not run there. */
export class ExecutorNodeError extends PomonaError {
  constructor(problem: string) {
    super(`Functions can't run on Spark's executors: ${problem}`, {
      remedy:
        "Install Node 20.19 or newer on the executors' PATH, say by a bootstrap action, or the package with npm install --prefix /opt/pomona; " +
        "or run the session on a machine of their kind, whose Node is sent to them.",
    });
  }
}

/** The server takes no files, which functions travel by. */
export class ArtifactsUnsupportedError extends PomonaError {
  constructor(address: string, cause: unknown) {
    super(
      `Spark at ${address} takes no files from its clients, which functions, networks and broadcast values travel by.`,
      {
        remedy: "Sail is such a server: use Spark's own, for example pomona spark start.",
        cause,
      },
    );
  }
}

/**
 * The error that a job's text tells of: what the program beside an executor failed with, as on any other engine, or what the
 * executors lack. Undefined for a text that tells of neither.
 * @param text all that Spark says of the failed job, Python's words among it
 * @param stage what ran there, for the message
 */
export function errorFromSpark(text: string, stage = "functions"): PomonaError | undefined {
  const remote = remoteIn(text);
  if (remote?.name === "ExecutorNodeError") return new ExecutorNodeError(remote.message);
  if (remote) {
    const { host, stage: stageId = 0, partition = 0, attempt = 0 } = remote.place ?? {};
    return new TaskFailedError(
      stage,
      { stageId, partition, attempt },
      host ? `executor on ${host}` : "an executor",
      remote,
    );
  }
  const version = workerPython(text);
  if (version !== undefined) return new ExecutorPythonError(`they have Python ${version}, and had another before.`);
  const problem = /^.*(?:No module named 'pyarrow'|PyArrow >= \S+ must be installed).*$/m.exec(text)?.[0];
  return problem === undefined ? undefined : new ExecutorPythonError(problem.trim());
}

/** The executors' version of Python, such as `3.9`, where Spark says that it is another one than it was told. */
export function workerPython(text: string): string | undefined {
  const [, major, minor] = /different version:?\s*\(?(\d+)(?:\.|,\s*)(\d+)/.exec(text) ?? [];
  return major && `${major}.${minor}`;
}

/** What the Python side raises. @property place where it happened, in Spark's numbers */
interface Failure extends RemoteError {
  readonly place?: {
    readonly host: string;
    readonly stage?: number;
    readonly partition?: number;
    readonly attempt?: number;
  };
}

function remoteIn(text: string): Failure | undefined {
  const at = text.indexOf(FAILED);
  if (at < 0) return undefined;
  const [line = ""] = text.slice(at + FAILED.length).split("\n", 1);
  try {
    return JSON.parse(line) as Failure;
  } catch {
    // Spark cuts what is long where it tells it without details.
    const message = /"message": "((?:[^"\\]|\\.)*)/.exec(line)?.[1] ?? line;
    return {
      name: /"name": "(\w+)"/.exec(line)?.[1] ?? "Error",
      message: unescaped(message),
      stack: "",
      retryable: false,
    };
  }
}

function unescaped(json: string): string {
  try {
    return JSON.parse(`"${json}"`) as string;
  } catch {
    return json;
  }
}
