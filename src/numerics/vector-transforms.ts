import { deserialize } from "node:v8";
import { DataType as ArrowType, type Vector } from "apache-arrow";
import { type ColumnFunction, defineBuiltin, type RowError, type WorkerContext } from "../data/batch-function";
import { SPARSE, SparseVector } from "../data/linalg";
import { denseVectors, VectorRowError } from "../data/matrix";
import type { ShippedFile } from "../data/shipped-file";
import { arrayType } from "../data/types";
import { type Matrix, valuesFromVector, vectorFromMatrix, vectorFromValues } from "../data/vectors";
import { IllegalArgumentError } from "../errors";
import { createProjection } from "./project";
import { readRows, vectorResultType } from "./vector-rows";

/** The type of a transformed column of arrays: Spark ML computes in doubles, so do we. A column of vectors gives vectors. */
export const VECTOR_TYPE = arrayType("double");

/** Parameters of `ml.standardScale`. */
export type StandardScaleParams = {
  /** The input column, for messages. */
  readonly column: string;
  /** The broadcast {@link ScalerValues}. */
  readonly values: ShippedFile;
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
  /** The broadcast components: a {@link Matrix} of k rows. */
  readonly components: ShippedFile;
};

/**
 * Column function `ml.standardScale`: (x - mean) * (1 / std), each part as asked for. A column without variance
 * becomes 0, as in Spark's `StandardScalerModel`.
 */
export const standardScale = defineBuiltin<StandardScaleParams>({
  shape: "column",
  name: "ml.standardScale",
  returns: ({ column }, [type]) => vectorResultType(column, type, "StandardScalerModel"),
  async create({ column, values: file, withMean, withStd }, context): Promise<ColumnFunction> {
    const { mean, std } = await readScalerValues(file, context);
    const dimension = mean.length;
    const factor = std.map((s) => (s === 0 ? 0 : 1 / s));
    return {
      apply([vector], rowError) {
        const matrix = readOrFail(vector!, column, dimension, rowError);
        const { values, rows } = matrix;
        for (let row = 0, at = 0; row < rows; row++) {
          for (let j = 0; j < dimension; j++, at++) {
            let x = values[at]!;
            if (withMean) x -= mean[j]!;
            if (withStd) x *= factor[j]!;
            values[at] = x;
          }
        }
        return asResult(vector!, matrix, withMean ? undefined : isSparse);
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
  returns: ({ column }, [type]) => vectorResultType(column, type, "PCAModel"),
  async create({ column, components: url }, context): Promise<ColumnFunction> {
    const components = await readComponents(url, context);
    const projection = createProjection(components);
    return {
      apply([vector], rowError) {
        return asResult(vector!, projection(readOrFail(vector!, column, components.dimension, rowError)));
      },
    };
  },
});

/** The rows; one that is none is named by its path, where it has one. */
function readOrFail(vector: Vector, column: string, dimension: number, rowError: RowError): Matrix<Float64Array> {
  try {
    return readRows(vector, column, dimension);
  } catch (error) {
    if (error instanceof VectorRowError) rowError(error.row, error);
    throw error;
  }
}

/**
 * The result as arrays where the argument has arrays, else as vectors.
 * @param keepSparse the rows that stay as sparse as they were, as far as the scaler leaves zeros zeros
 */
function asResult(argument: Vector, matrix: Matrix<Float64Array>, keepSparse?: (argument: Vector) => boolean): Vector {
  if (!ArrowType.isStruct(argument.type)) return vectorFromMatrix(matrix);
  if (!keepSparse?.(argument)) return denseVectors(matrix);
  const { values, dimension } = matrix;
  const rows = valuesFromVector(argument, "vector").map((row, i) => {
    const scaled = values.subarray(i * dimension, (i + 1) * dimension);
    if (!(row instanceof SparseVector)) return scaled;
    return new SparseVector(
      row.size,
      row.indices,
      Array.from(row.indices, (index) => scaled[index]!),
    );
  });
  return vectorFromValues(rows, "vector");
}

function isSparse(vector: Vector): boolean {
  return Array.from(vector.getChild("type") ?? []).includes(SPARSE);
}

async function readScalerValues(file: ShippedFile, context: WorkerContext): Promise<ScalerValues> {
  const value = deserialize(await context.fetch(file)) as Partial<ScalerValues> | null;
  if (value?.mean instanceof Float64Array && value.std instanceof Float64Array) return value as ScalerValues;
  throw notBroadcast(file.url, "a scaler's mean and standard deviation");
}

async function readComponents(file: ShippedFile, context: WorkerContext): Promise<Matrix<Float64Array>> {
  const value = deserialize(await context.fetch(file)) as Partial<Matrix<Float64Array>> | null;
  const { values, rows, dimension } = value ?? {};
  if (values instanceof Float64Array && rows && dimension && values.length === rows * dimension) {
    return { values, rows, dimension };
  }
  throw notBroadcast(file.url, "the components of a PCA");
}

function notBroadcast(url: string, what: string): IllegalArgumentError {
  return new IllegalArgumentError(`${url} does not hold ${what}.`, {
    remedy: "Fit or load the model again in this session.",
  });
}
