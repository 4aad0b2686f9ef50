import type { RecordBatch, Vector } from "apache-arrow";
import { rowsOf, type VectorRows } from "../data/matrix";
import { type DataType, type StructType, simpleString } from "../data/types";
import { AnalysisError, UnresolvedColumnError } from "../frame/analysis-error";
import type { DataFrame } from "../frame/dataframe";

/** Rows with one fault, and the paths of the first of them. */
export interface Faulty {
  readonly rows: number;
  /** At most three. */
  readonly examples: readonly string[];
}

/** What a column of vectors holds. */
export interface VectorScan {
  readonly rows: number;
  /** The length of the first vector; undefined where there is none. */
  readonly dimension: number | undefined;
  readonly nulls: Faulty;
  /** Vectors of another length than was expected, or than the first has. */
  readonly wrongDimension: Faulty;
  /** Vectors with a NaN, an infinity or a null among their values. */
  readonly notFinite: Faulty;
}

/**
 * The column of vectors that is meant.
 * @throws UnresolvedColumnError where there is none of that name
 * @throws AnalysisError where it, or every column, is of another type
 */
export function vectorColumn(schema: StructType, wanted?: string): { column: string; type: string } {
  const vectors = schema.fields.filter(({ type }) => isVectors(type));
  // Numbers that are whole may be anything.
  const isWhole = (type: DataType) => /int>$/.test(simpleString(type));
  const names = vectors.sort((a, b) => Number(isWhole(a.type)) - Number(isWhole(b.type))).map((field) => field.name);
  const preferred = ["pca", "features", ...names];
  const name = wanted ?? preferred.find((candidate) => names.includes(candidate));
  const field = vectors.find((candidate) => candidate.name === name);
  if (field) return { column: field.name, type: simpleString(field.type) };
  const named = schema.fields.find((candidate) => candidate.name === wanted);
  if (wanted !== undefined && !named) {
    throw new UnresolvedColumnError(
      wanted,
      schema.fields.map((candidate) => candidate.name),
    );
  }
  const what = named ? `Column ${wanted} is ${simpleString(named.type)}, not` : "No column is";
  throw new AnalysisError(`${what} an array of numbers or a vector, and vectors are what is validated.`, {
    remedy: `The columns are ${schema.fields.map(({ name: own, type }) => `${own} ${simpleString(type)}`).join(", ")}.`,
  });
}

interface ScanOptions {
  /** What is expected; absent: what the first vector has. */
  readonly dimension: number | undefined;
  /** What else is done with the same rows: columns by name, each with who gets its values. `path` names examples. */
  readonly beside: Readonly<Record<string, (values: Vector) => void>>;
  readonly signal?: AbortSignal;
}

/** Reads the whole column batch by batch; memory holds one batch. */
export async function scanVectors(data: DataFrame, column: string, options: ScanOptions): Promise<VectorScan> {
  const { beside, signal } = options;
  const others = Object.keys(beside);
  const plan = data.select(column, ...others).plan;
  const faults = { nulls: newFault(), wrongDimension: newFault(), notFinite: newFault() };
  let dimension: number | undefined;
  let rows = 0;
  for await (const batch of data.runtime.execute(plan, signal)) {
    rows += batch.numRows;
    dimension ??= firstLength(batch.getChildAt(0));
    const paths = others.includes("path") ? batch.getChildAt(1 + others.indexOf("path")) : null;
    scanBatch(batch, options.dimension ?? dimension ?? 0, faults, paths);
    for (const [i, name] of others.entries()) beside[name]?.(batch.getChildAt(1 + i)!);
  }
  return { rows, dimension, ...faults };
}

interface Fault {
  rows: number;
  examples: string[];
}

function newFault(): Fault {
  return { rows: 0, examples: [] };
}

/** A `vector`, or an array of numbers. */
function isVectors(type: DataType): boolean {
  if (typeof type === "string") return type === "vector";
  if (type.type !== "array" || typeof type.elementType !== "string") return false;
  const numbers = ["byte", "short", "integer", "long", "float", "double"];
  return numbers.includes(type.elementType) || type.elementType.startsWith("decimal");
}

function partsOf(vector: Vector | null): VectorRows[] {
  return (vector?.data ?? []).map((data) => rowsOf(data, "the column"));
}

function firstLength(vector: Vector | null): number | undefined {
  for (const part of partsOf(vector)) {
    for (let i = 0; i < part.length; i++) if (part.isValid(i)) return part.lengthOf(i);
  }
  return undefined;
}

function scanBatch(
  batch: RecordBatch,
  dimension: number,
  faults: Record<"nulls" | "wrongDimension" | "notFinite", Fault>,
  paths: Vector | null,
) {
  const values = new Float64Array(dimension);
  let row = 0;
  for (const part of partsOf(batch.getChildAt(0))) {
    for (let i = 0; i < part.length; i++, row++) {
      const fault = faultOf(part, i, values);
      if (fault === undefined) continue;
      faults[fault].rows++;
      const path: unknown = paths?.get(row);
      if (typeof path === "string" && faults[fault].examples.length < 3) faults[fault].examples.push(path);
    }
  }
}

/** @param values room for a row of the right length */
function faultOf(part: VectorRows, i: number, values: Float64Array) {
  if (!part.isValid(i)) return "nulls";
  if (part.lengthOf(i) !== values.length) return "wrongDimension";
  if (part.hasNull(i)) return "notFinite";
  values.fill(0);
  part.copy(i, values, 0);
  return values.every(Number.isFinite) ? undefined : "notFinite";
}
