import { create } from "@bufbuild/protobuf";
import type { SparkClient } from "./client";
import { ExecutorPythonError, errorFromSpark, workerPython } from "./executor-errors";
import { type BesideExecutor, type ExecutorFound, proberSource } from "./executor-python";
import { type Relation, RelationSchema } from "./protos/spark/connect/relations_pb";
import { pythonFunction } from "./python-function";
import { batchesOf } from "./results";

/** What the executors have. */
export interface Executors {
  /** Of their Python, such as `3.11`: Spark refuses functions that say another one. */
  readonly pythonVersion: string;
  /** Each kind once. */
  readonly found: readonly ExecutorFound[];
}

/** The first guess: EMR's. A wrong one costs a failed task. */
const PYTHON_VERSION = "3.11";

/** Enough that each core of a small cluster is asked; executors are mostly alike. */
const QUESTIONS = 64n;

/** Asks the executors in one small job. @throws ExecutorPythonError */
export async function probeExecutors(
  client: SparkClient,
  beside: BesideExecutor,
  signal: AbortSignal,
): Promise<Executors> {
  const ask = (pythonVersion: string) => answersTo(client, beside, pythonVersion, signal);
  let pythonVersion = PYTHON_VERSION;
  let found: ExecutorFound[];
  try {
    found = await ask(pythonVersion);
  } catch (error) {
    const actual = workerPython(textOf(error));
    if (actual === undefined) throw errorFromSpark(textOf(error)) ?? error;
    pythonVersion = actual;
    found = await ask(actual);
  }
  for (const { host, python, problem } of found) {
    const [major = 0, minor = 0] = python.split(".").map(Number);
    if (major < 3 || (major === 3 && minor < 8)) throw new ExecutorPythonError(`${host} has Python ${python}.`);
    if (problem !== undefined)
      throw new ExecutorPythonError(`on ${host} pyarrow does not load in Python ${python} (${problem}).`);
  }
  return { pythonVersion, found };
}

/** All that an error of the client's says. */
export function textOf(error: unknown): string {
  const { details } = error as { readonly details?: string };
  return `${error instanceof Error ? error.message : error}\n${details ?? ""}`;
}

async function answersTo(
  client: SparkClient,
  beside: BesideExecutor,
  pythonVersion: string,
  signal: AbortSignal,
): Promise<ExecutorFound[]> {
  const answers = new Set<string>();
  const plan = { opType: { case: "root", value: question(beside, pythonVersion) } } as const;
  for await (const batch of batchesOf(client.execute(plan, { signal })))
    for (const answer of batch.getChildAt(0) ?? []) answers.add(String(answer));
  return [...answers].map((answer) => JSON.parse(answer) as ExecutorFound);
}

function question(beside: BesideExecutor, pythonVersion: string): Relation {
  const input = create(RelationSchema, { relType: { case: "range", value: { end: QUESTIONS, step: 1n } } });
  const source = proberSource(beside);
  const asked = pythonFunction("pomona_probe", "row", ["id"], source, "string", pythonVersion);
  const expressions = [{ exprType: { case: "commonInlineUserDefinedFunction", value: asked } } as const];
  return create(RelationSchema, { relType: { case: "project", value: { input, expressions } } });
}
