import { IllegalArgumentError } from "../errors";
import { javaDouble } from "./java-number";

/** The two kinds of Spark's vectors, as their struct's `type` says. */
export const SPARSE = 0;
export const DENSE = 1;

/**
 * A vector with all its values, as Spark ML's: a `Float64Array` with Spark's methods. What takes numbers takes it too.
 * @see https://spark.apache.org/docs/latest/api/python/reference/api/pyspark.ml.linalg.DenseVector.html
 */
export class DenseVector extends Float64Array {
  /** How many values there are. */
  get size(): number {
    return this.length;
  }

  /** The values, as a copy. */
  toArray(): DenseVector {
    return this.slice() as DenseVector;
  }

  /** Sums from the first value on, as numpy's `cumsum`: the last is the sum of all. */
  cumsum(): DenseVector {
    let sum = 0;
    return this.map((value) => {
      sum += value;
      return sum;
    }) as DenseVector;
  }

  /** The sum of all values. */
  sum(): number {
    return this.reduce((sum, value) => sum + value, 0);
  }

  /** The inner product with a vector of the same length. @throws IllegalArgumentError */
  dot(other: MLVector | ArrayLike<number>): number {
    const values = sameLength(this, other);
    return this.reduce((sum, value, i) => sum + value * values[i]!, 0);
  }

  /** The length of the vector by the p-norm. @param p 1, 2, ... or Infinity */
  norm(p = 2): number {
    return normOf(this, p);
  }

  /** How many values are not 0. */
  numNonzeros(): number {
    return this.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
  }

  /** As Spark prints it: `[1.0,2.0]`. */
  override toString(): string {
    return `[${Array.from(this, javaDouble).join(",")}]`;
  }
}

/**
 * A vector that holds only some of its values; the others are 0.
 * @see https://spark.apache.org/docs/latest/api/python/reference/api/pyspark.ml.linalg.SparseVector.html
 */
export class SparseVector {
  /** How many values the vector has, those that are 0 among them. */
  readonly size: number;
  /** Where the held values stand, rising. */
  readonly indices: Int32Array;
  readonly values: Float64Array;

  /** @throws IllegalArgumentError for indices that do not rise or lie outside, or another number of values */
  constructor(size: number, indices: ArrayLike<number>, values: ArrayLike<number>) {
    checkSparse(size, indices, values);
    this.size = size;
    this.indices = Int32Array.from(indices);
    this.values = Float64Array.from(values);
  }

  /** As many as values, for code that takes arrays. */
  get length(): number {
    return this.size;
  }

  /** The value at a place, 0 where none is held. */
  get(index: number): number {
    const at = this.indices.indexOf(index);
    return at < 0 ? 0 : this.values[at]!;
  }

  /** All values. */
  toArray(): DenseVector {
    const all = new DenseVector(this.size);
    this.indices.forEach((index, i) => {
      all[index] = this.values[i]!;
    });
    return all;
  }

  /** The inner product with a vector of the same length. @throws IllegalArgumentError */
  dot(other: MLVector | ArrayLike<number>): number {
    return this.toArray().dot(other);
  }

  /** The length of the vector by the p-norm. @param p 1, 2, ... or Infinity */
  norm(p = 2): number {
    return normOf(this.values, p);
  }

  numNonzeros(): number {
    return this.values.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
  }

  [Symbol.iterator](): Iterator<number> {
    return this.toArray()[Symbol.iterator]();
  }

  /** As Spark prints it: `(3,[0],[1.0])`. */
  toString(): string {
    return `(${this.size},[${this.indices.join(",")}],[${Array.from(this.values, javaDouble).join(",")}])`;
  }
}

/** A value of a `vector` column. */
export type MLVector = DenseVector | SparseVector;

/**
 * Makes vectors, as `pyspark.ml.linalg.Vectors`. Vectors of features need none of this: an array of numbers does.
 * @see https://spark.apache.org/docs/latest/api/python/reference/api/pyspark.ml.linalg.Vectors.html
 */
export const Vectors = {
  /** A vector of these values: `Vectors.dense(1, 2)` or `Vectors.dense([1, 2])`. */
  dense(...values: readonly number[] | readonly [ArrayLike<number>]): DenseVector {
    const [first] = values;
    return DenseVector.from(typeof first === "object" ? first : (values as readonly number[])) as DenseVector;
  },

  /**
   * A vector of `size` values of which few are not 0: their places and the values, or both as pairs or as `{ place: value }`.
   * @throws IllegalArgumentError for places that come twice or lie outside
   */
  sparse(
    size: number,
    held: ArrayLike<number> | readonly (readonly [number, number])[] | Readonly<Record<number, number>>,
    values?: ArrayLike<number>,
  ): SparseVector {
    if (values !== undefined) return new SparseVector(size, held as ArrayLike<number>, values);
    const pairs = Array.isArray(held)
      ? [...(held as readonly (readonly [number, number])[])]
      : Object.entries(held).map(([index, value]) => [Number(index), value as number] as const);
    const sorted = pairs.sort((a, b) => a[0] - b[0]);
    return new SparseVector(
      size,
      sorted.map(([index]) => index),
      sorted.map(([, value]) => value),
    );
  },

  /** A vector of zeros. */
  zeros(size: number): DenseVector {
    return new DenseVector(size);
  },
} as const;

/**
 * A matrix as Spark ML's, its values by columns.
 * @see https://spark.apache.org/docs/latest/api/python/reference/api/pyspark.ml.linalg.DenseMatrix.html
 */
export class DenseMatrix {
  readonly numRows: number;
  readonly numCols: number;
  /** Column by column. */
  readonly values: Float64Array;

  constructor(numRows: number, numCols: number, values: Float64Array) {
    if (values.length !== numRows * numCols) {
      throw new IllegalArgumentError(`A matrix of ${numRows} x ${numCols} does not have ${values.length} values.`);
    }
    this.numRows = numRows;
    this.numCols = numCols;
    this.values = values;
  }

  /** How many rows {@link values} has when it is read row by row: the matrix lies there transposed. */
  get rows(): number {
    return this.numCols;
  }

  /** How many values each of those rows has. */
  get dimension(): number {
    return this.numRows;
  }

  /** The value in a row and a column, both from 0. */
  get(row: number, column: number): number {
    return this.values[column * this.numRows + row]!;
  }

  /** The rows as arrays, as numpy's `toArray()` of Spark's matrix has them. */
  toArray(): Float64Array[] {
    return Array.from({ length: this.numRows }, (_, row) =>
      Float64Array.from({ length: this.numCols }, (_, column) => this.get(row, column)),
    );
  }
}

/** True for what a `vector` column holds. */
export function isMLVector(value: unknown): value is MLVector {
  return value instanceof DenseVector || value instanceof SparseVector;
}

function checkSparse(size: number, indices: ArrayLike<number>, values: ArrayLike<number>): void {
  const fail = (problem: string): never => {
    throw new IllegalArgumentError(`A sparse vector of ${size} values cannot be made: ${problem}.`, {
      remedy:
        "Give places that rise, from 0 to below the size, and a value for each: Vectors.sparse(3, [0, 2], [1, 5]).",
    });
  };
  if (!Number.isSafeInteger(size) || size < 0) fail("the size is no whole number from 0");
  if (indices.length !== values.length) fail(`there are ${indices.length} places and ${values.length} values`);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (!Number.isInteger(index) || index < 0 || index >= size) fail(`place ${index} lies outside`);
    if (i > 0 && index <= indices[i - 1]!) fail(`place ${index} comes after ${indices[i - 1]}`);
  }
}

function sameLength(vector: DenseVector, other: MLVector | ArrayLike<number>): ArrayLike<number> {
  const values = other instanceof SparseVector ? other.toArray() : other;
  if (values.length === vector.length) return values;
  throw new IllegalArgumentError(`One vector has ${vector.length} values and the other ${values.length}.`);
}

function normOf(values: Float64Array, p: number): number {
  if (!(p >= 1)) throw new IllegalArgumentError(`There is no ${p}-norm.`, { remedy: "Give 1, 2 or another p from 1." });
  if (p === Number.POSITIVE_INFINITY) return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (p === 2) return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return values.reduce((sum, value) => sum + Math.abs(value) ** p, 0) ** (1 / p);
}
