import type { Json } from "../data/batch-function";
import { decimalWords } from "../data/decimal";
import { DenseVector, SparseVector } from "../data/linalg";
import type { DataType } from "../data/types";

/** A value of a `local` plan as Arrow takes it: what JSON has no word for is written as text there. */
export function fromJson(value: Json, type: DataType): unknown {
  if (value === null) return null;
  if (typeof type !== "string") {
    if (type.type === "array") return (value as readonly Json[]).map((item) => fromJson(item, type.elementType));
    if (type.type === "struct") {
      const object = value as Readonly<Record<string, Json>>;
      return Object.fromEntries(type.fields.map((f) => [f.name, fromJson(object[f.name] ?? null, f.type)]));
    }
    const entries = value as unknown as readonly (readonly [Json, Json])[];
    return new Map(entries.map(([k, v]) => [fromJson(k, type.keyType), fromJson(v, type.valueType)]));
  }
  switch (type) {
    case "long":
      return BigInt(value as number | string);
    case "float":
    case "double":
      return Number(value);
    case "date":
    case "timestamp":
    case "timestamp_ntz":
      return new Date(value as string).getTime();
    case "vector": {
      if (Array.isArray(value)) return DenseVector.from(value as readonly number[]);
      const { size, indices, values } = value as unknown as SparseVector;
      return new SparseVector(size, indices, Array.from(values, Number));
    }
    case "binary":
      return Uint8Array.from(Buffer.from(value as string, "base64"));
    default:
      return type.startsWith("decimal(") ? decimalWords(String(value), type) : value;
  }
}
