import type { Vector } from "apache-arrow";
import { sparkType } from "../data/arrow";
import { defineBuiltin, type RowError } from "../data/batch-function";
import { DenseVector, type MLVector, SparseVector } from "../data/linalg";
import { VectorRowError } from "../data/matrix";
import { arrayType, type DataType, simpleString } from "../data/types";
import { valuesFromVector, vectorFromValues } from "../data/vectors";
import { IllegalArgumentError } from "../errors";

/** Types that Spark casts to double without being asked. */
const UPCAST = new Set<DataType>(["byte", "short", "integer", "long", "float", "double"]);

/** Column function `ml.arrayToVector`: arrays of numbers become dense vectors, as by Spark's `array_to_vector`. */
export const arrayToVector = defineBuiltin<{ readonly column: string }>({
  shape: "column",
  name: "ml.arrayToVector",
  returns({ column }, [type]) {
    if (typeof type === "object" && type.type === "array" && UPCAST.has(type.elementType)) return "vector";
    throw wrongType("arrayToVector", column, type, "an array of numbers", 'cast("array<double>")');
  },
  async create({ column }) {
    return {
      apply([vector], rowError) {
        const rows = Array.from(vector!, (value, row) => {
          const numbers = value === null ? undefined : Array.from(value as Iterable<unknown>);
          if (!numbers || numbers.includes(null)) {
            return failed(column, row, numbers ? "null inside an array" : "null", rowError);
          }
          return DenseVector.from(numbers, Number);
        });
        return vectorFromValues(rows, "vector");
      },
    };
  },
});

/** Column function `ml.vectorToArray`: vectors become arrays with all their values, as by Spark's `vector_to_array`. */
export const vectorToArray = defineBuiltin<{ readonly column: string; readonly type: "float" | "double" }>({
  shape: "column",
  name: "ml.vectorToArray",
  returns({ column, type: element }, [type]) {
    if (type === "vector") return arrayType(element, false);
    throw wrongType(
      "vectorToArray",
      column,
      type,
      "a vector",
      "and leave vectorToArray out where it is an array already",
    );
  },
  async create({ column, type }) {
    return {
      apply([vector], rowError) {
        const rows = valuesFromVector(vector!, "vector").map((value, row) => {
          return value === null ? failed(column, row, "null", rowError) : (value as MLVector).toArray();
        });
        return vectorFromValues(rows, arrayType(type, false));
      },
    };
  },
});

/** Parameters of `ml.assemble`: the columns' names, and what a row with a null or NaN in them does. */
export type AssembleParams = { readonly columns: readonly string[]; readonly handleInvalid: "error" | "keep" | "skip" };

/**
 * Column function `ml.assemble`: numbers, booleans, vectors and arrays of numbers one after the other, as Spark's `VectorAssembler`
 * does: sparse where that is shorter. A row to skip is null.
 */
export const assemble = defineBuiltin<AssembleParams>({
  shape: "column",
  name: "ml.assemble",
  returns({ columns }, types) {
    types.forEach((type, i) => {
      const element = typeof type === "object" && type.type === "array" ? type.elementType : type;
      const fits =
        type === "vector" || type === "boolean" || UPCAST.has(element) || String(element).startsWith("decimal");
      if (!fits)
        throw wrongType("VectorAssembler", columns[i]!, type, "numbers, booleans or vectors", 'cast("double")');
    });
    return "vector";
  },
  async create({ columns, handleInvalid }) {
    return {
      apply(args, rowError) {
        const rows = Array.from({ length: args[0]?.length ?? 0 }, (_, row) => {
          const numbers = args.flatMap((arg) => numbersAt(arg, row));
          const bad = numbers.findIndex((value) => value === null || Number.isNaN(value));
          if (bad >= 0 && handleInvalid === "skip") return null;
          if (bad >= 0 && handleInvalid === "error") {
            const from = columns.find((_, i) => numbersAt(args[i]!, row).some((v) => v === null || Number.isNaN(v)))!;
            return failed(from, row, String(numbers[bad]), rowError);
          }
          return compressed(numbers.map((value) => value ?? Number.NaN));
        });
        return vectorFromValues(rows, "vector");
      },
    };
  },
});

function numbersAt(vector: Vector, row: number): (number | null)[] {
  const value = valueAt(vector, row);
  if (value === null || value === undefined) return [null];
  if (typeof value === "object")
    return Array.from(value as Iterable<unknown>, (item) => (item === null ? null : Number(item)));
  return [Number(value)];
}

function valueAt(vector: Vector, row: number): unknown {
  return valuesFromVector(vector.slice(row, row + 1) as Vector, sparkType(vector.type))[0];
}

/** Spark's rule (`Vector.compressed`): sparse where it takes fewer bytes. */
function compressed(values: readonly number[]): MLVector {
  const indices = values.flatMap((value, i) => (value === 0 ? [] : [i]));
  if (1.5 * (indices.length + 1) >= values.length) return DenseVector.from(values) as DenseVector;
  return new SparseVector(
    values.length,
    indices,
    indices.map((i) => values[i]!),
  );
}

function failed(column: string, row: number, found: string, rowError: RowError): null {
  rowError(
    row,
    new VectorRowError(column, row, found, `Drop such rows first, e.g. filter(col("${column}").isNotNull()).`),
  );
  return null;
}

function wrongType(owner: string, column: string, type: DataType | undefined, wanted: string, cast: string) {
  return new IllegalArgumentError(
    `Column ${column} is ${type === undefined ? "missing" : simpleString(type)}, and ${owner} takes ${wanted}.`,
    { remedy: `Cast it first: ${cast}.` },
  );
}
