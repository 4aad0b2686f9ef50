import { IllegalArgumentError } from "../errors";
import type { Plan } from "./plan";
import type { AnyRow } from "./row-types";
import type { Runtime } from "./runtime";

/** What is left of a DataFrame's RDD here: how many partitions its rows are computed in. */
export interface FrameRdd {
  /**
   * How many partitions the rows are computed in: as many as `repartition` asked for, else as many tasks as the engine makes. What
   * it takes to know that runs: the stages before the last one, as in Spark, and the query that the last one reads.
   */
  getNumPartitions(options?: { readonly signal?: AbortSignal }): Promise<number>;
}

/** @throws IllegalArgumentError, when anything else of an RDD is touched, with the way here */
export function frameRdd(plan: Plan, runtime: Runtime): FrameRdd & AnyRow {
  const offered: FrameRdd = { getNumPartitions: ({ signal } = {}) => runtime.partitions(plan, signal) };
  return new Proxy(offered, {
    get(target, name, receiver) {
      if (typeof name === "symbol" || name in target || ASKED_OF_ALL.has(name))
        return Reflect.get(target, name, receiver);
      throw new IllegalArgumentError(`A DataFrame has no RDD here, so no rdd.${name}.`, {
        remedy:
          "What map does, a user function does: df.select(udf(fn, { returns })(column)), or df.mapBatches(fn, { schema }) for whole " +
          "rows; rdd.getNumPartitions() is there.",
      });
    },
  });
}

/** What JavaScript asks of any object that is awaited or printed. */
const ASKED_OF_ALL = new Set(["then", "toJSON", "constructor"]);
