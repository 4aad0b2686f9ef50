import type { BuiltinFunction, DriverContext, FunctionSpec, SourceFunction } from "../data/batch-function";
import { prepareSourceFunction } from "../user-functions";
import { builtinFunction } from "../worker/registry";
import type { Step } from "../worker/task";

/** Steps in which everything is decided: weights found, backend chosen, broadcast values written. */
export interface PreparedSteps {
  readonly steps: readonly Step[];
  /** What the functions say about themselves, for the Parquet footer. */
  readonly metadata: Readonly<Record<string, string>>;
  /** For progress and messages. */
  readonly name: string;
}

/** Runs the functions' preparation on the driver. */
export async function preparedSteps(steps: readonly Step[], driver: DriverContext): Promise<PreparedSteps> {
  const prepared: Step[] = [];
  const metadata: Record<string, string> = {};
  const names: string[] = [];
  for (const step of steps) {
    if (step.kind === "select") {
      prepared.push(step);
      continue;
    }
    const fn = await preparedFunction(step.fn, driver);
    if (fn.kind === "builtin") Object.assign(metadata, builtinFunction(fn).metadata?.(fn.params));
    if (fn.name !== "binaryFile.content" || steps.length === 1) names.push(fn.name);
    prepared.push({ ...step, fn });
  }
  return { steps: prepared, metadata, name: names.join(" + ") || "copy" };
}

async function preparedFunction(fn: FunctionSpec, driver: DriverContext): Promise<FunctionSpec> {
  if (fn.kind === "source") return prepareSourceFunction(fn, driver.ship);
  const builtin: BuiltinFunction = builtinFunction(fn);
  const params = builtin.prepare ? await builtin.prepare(fn.params, driver) : fn.params;
  if (!fn.uses) return { ...fn, params };
  const uses: Record<string, SourceFunction> = {};
  for (const [name, used] of Object.entries(fn.uses)) uses[name] = await prepareSourceFunction(used, driver.ship);
  return { ...fn, params, uses };
}
