import { deserialize } from "node:v8";
import { type ColumnFunction, defineBuiltin, type WorkerContext } from "../data/batch-function";
import { arrayType } from "../data/types";
import { type Matrix, vectorFromMatrix } from "../data/vectors";
import { IllegalArgumentError } from "../errors";
import { createProjection } from "./project";
import { readRows } from "./vector-column";

/** The type of a transformed column: Spark ML computes in doubles, so do we. */
export const VECTOR_TYPE = arrayType("double");

/** Parameters of `ml.standardScale`. */
export type StandardScaleParams = {
  /** The input column, for messages. */
  readonly column: string;
  /** URL of the broadcast {@link ScalerValues}. */
  readonly values: string;
  readonly withMean: boolean;
  readonly withStd: boolean;
};

/** Mean and sample standard deviation of each column. */
export interface ScalerValues {
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

/** Parameters of `ml.project`. */
export type ProjectParams = {
  /** The input column, for messages. */
  readonly column: string;
  /** URL of the broadcast components: a {@link Matrix} of k rows. */
  readonly components: string;
};

/**
 * Column function `ml.standardScale`: (x - mean) * (1 / std), each part as asked for. A column without variance
 * becomes 0, as in Spark's `StandardScalerModel`.
 */
export const standardScale = defineBuiltin<StandardScaleParams>({
  shape: "column",
  name: "ml.standardScale",
  returns: () => VECTOR_TYPE,
  async create({ column, values: url, withMean, withStd }, context): Promise<ColumnFunction> {
    const { mean, std } = await readScalerValues(url, context);
    const dimension = mean.length;
    const factor = std.map((s) => (s === 0 ? 0 : 1 / s));
    return {
      apply([vector]) {
        const matrix = readRows(vector!, column, dimension);
        const { values, rows } = matrix;
        for (let row = 0, at = 0; row < rows; row++) {
          for (let j = 0; j < dimension; j++, at++) {
            let x = values[at]!;
            if (withMean) x -= mean[j]!;
            if (withStd) x *= factor[j]!;
            values[at] = x;
          }
        }
        return vectorFromMatrix(matrix);
      },
    };
  },
});

/**
 * Column function `ml.project`: the inner products of a vector with each component. The vector is not centred first,
 * as in Spark's `PCAModel.transform`.
 */
export const project = defineBuiltin<ProjectParams>({
  shape: "column",
  name: "ml.project",
  returns: () => VECTOR_TYPE,
  async create({ column, components: url }, context): Promise<ColumnFunction> {
    const components = await readComponents(url, context);
    const projection = createProjection(components);
    return { apply: ([vector]) => vectorFromMatrix(projection(readRows(vector!, column, components.dimension))) };
  },
});

async function readScalerValues(url: string, context: WorkerContext): Promise<ScalerValues> {
  const value = deserialize(await context.readFile(url)) as Partial<ScalerValues> | null;
  if (value?.mean instanceof Float64Array && value.std instanceof Float64Array) return value as ScalerValues;
  throw notBroadcast(url, "a scaler's mean and standard deviation");
}

async function readComponents(url: string, context: WorkerContext): Promise<Matrix<Float64Array>> {
  const value = deserialize(await context.readFile(url)) as Partial<Matrix<Float64Array>> | null;
  const { values, rows, dimension } = value ?? {};
  if (values instanceof Float64Array && rows && dimension && values.length === rows * dimension) {
    return { values, rows, dimension };
  }
  throw notBroadcast(url, "the components of a PCA");
}

function notBroadcast(url: string, what: string): IllegalArgumentError {
  return new IllegalArgumentError(`${url} does not hold ${what}.`, {
    remedy: "Fit or load the model again in this session.",
  });
}
