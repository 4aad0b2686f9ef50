import type { Vector } from "apache-arrow";
import { type DecimalValue, decimalText } from "./decimal";
import { DENSE, DenseVector, type MLVector, SparseVector } from "./linalg";
import type { DataType } from "./types";

// Apart from what builds vectors, so that showing a value does not load Arrow: a kernel shows before it is ready.

/** One Arrow value as plain JavaScript; a `long` is a number where it is exact, else a bigint; a decimal is text. */
export function plainValue(value: unknown, type: DataType): unknown {
  if (value === null || value === undefined) return null;
  if (typeof type === "string") {
    if (type === "long") return plainLong(value as bigint | number);
    // Text keeps every digit; a double would not.
    if (type.startsWith("decimal")) return decimalText(value as DecimalValue, Number(type.slice(0, -1).split(",")[1]));
    if (type === "vector") return mlVector(value as Record<string, unknown>);
    if (type === "date" || type === "timestamp" || type === "timestamp_ntz") return new Date(Number(value));
    return value;
  }
  switch (type.type) {
    case "array":
      return plainArray(value as Vector, type.elementType);
    case "struct": {
      const row = value as Record<string, unknown>;
      return Object.fromEntries(type.fields.map((f) => [f.name, plainValue(row[f.name], f.type)]));
    }
    case "map": {
      // Not by way of an object, whose keys are text.
      const entries = [...(value as Iterable<readonly [unknown, unknown]>)];
      return new Map(entries.map(([k, v]) => [plainValue(k, type.keyType), plainValue(v, type.valueType)]));
    }
  }
}

function mlVector({ type, size, indices, values }: Record<string, unknown>): MLVector {
  const held = (values as Vector).toArray() as Float64Array;
  if (type === DENSE) return DenseVector.from(held) as DenseVector;
  return new SparseVector(size as number, (indices as Vector).toArray() as Int32Array, held);
}

function plainLong(value: bigint | number): bigint | number {
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : value;
}

function plainArray(vector: Vector, elementType: DataType): unknown {
  const isFloat = elementType === "float" || elementType === "double";
  // A typed array keeps 1280 features at 5 KB; an array of boxed numbers takes several times that.
  if (isFloat && vector.nullCount === 0) return vector.toArray();
  return Array.from(vector, (item) => plainValue(item, elementType));
}
