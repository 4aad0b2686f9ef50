import { deserialize } from "node:v8";
import type { RecordBatch, Vector } from "apache-arrow";
import { defineBuiltin, type TableFunction, type WorkerContext } from "../data/batch-function";
import { type Matrix, VectorRowError } from "../data/matrix";
import type { ShippedFile } from "../data/shipped-file";
import { type StructType, structField } from "../data/types";
import { batchFromColumns, vectorFromValues } from "../data/vectors";
import { addSums, addTo, type ExactSums, newSums } from "./exact-sum";
import { comparable, type DistanceMeasure, nearestCenter } from "./nearest-center";
import { checkVectorField, readRows, vectorResultType } from "./vector-rows";

/** What the functions of clusters have in common. */
export type ClusterParams = {
  readonly column: string;
  readonly measure: DistanceMeasure;
  /** The broadcast centers, a {@link Matrix}; absent where there are none yet. */
  readonly centers?: ShippedFile;
};

/** Which points of a partition are taken. Points that are equal count as one. */
export type SampleParams = ClusterParams & {
  readonly seed: number;
  /** The `count` points of least random number, or each whose random number is below `factor` times its distance. */
  readonly take: { readonly count: number } | { readonly factor: number };
};

/** What all rows of a partition come to: for each center the rows it is nearest to, their sum, and the distances' sum. */
export interface ClusterSums {
  readonly counts: Float64Array;
  /** k x d. */
  readonly sums: ExactSums;
  /** One sum. */
  readonly cost: ExactSums;
}

export const BYTES_SCHEMA: StructType = {
  type: "struct",
  fields: ["counts", "high", "low", "costs"].map((name) => structField(name, "binary", false)),
};

export const SAMPLE_SCHEMA: StructType = {
  type: "struct",
  fields: ["numbers", "points"].map((name) => structField(name, "binary", false)),
};

/** Table function `ml.clusterSums`: a partition becomes its {@link ClusterSums}, one step of Lloyd's algorithm. */
export const clusterSums = defineBuiltin<ClusterParams>({
  shape: "table",
  name: "ml.clusterSums",
  returns({ column }, { fields }) {
    checkVectorField(fields, column, "KMeans");
    return BYTES_SCHEMA;
  },
  async create({ column, measure, centers: url }, context): Promise<TableFunction> {
    const centers = await readCenters(url!, context);
    const nearest = nearestCenter(centers, measure);
    const { rows: k, dimension } = centers;
    const total: ClusterSums = { counts: new Float64Array(k), sums: newSums(k * dimension), cost: newSums(1) };
    return {
      apply(batch) {
        const rows = pointsOf(batch, column, measure, dimension);
        const { center, distance } = nearest(rows);
        for (let row = 0; row < rows.rows; row++) {
          const c = center[row]!;
          total.counts[c]! += 1;
          addTo(total.cost, 0, distance[row]!);
          for (let j = 0; j < dimension; j++) addTo(total.sums, c * dimension + j, rows.values[row * dimension + j]!);
        }
        return undefined;
      },
      finish() {
        const { counts, sums, cost } = total;
        const costs = Float64Array.of(cost.high[0]!, cost.low[0]!);
        return bytesRow({ counts, high: sums.high, low: sums.low, costs });
      },
    };
  },
});

/** Table function `ml.clusterSample`: the points of a partition that are taken, with their random numbers. */
export const clusterSample = defineBuiltin<SampleParams>({
  shape: "table",
  name: "ml.clusterSample",
  returns({ column }, { fields }) {
    checkVectorField(fields, column, "KMeans");
    return SAMPLE_SCHEMA;
  },
  async create({ column, measure, centers: url, seed, take }, context): Promise<TableFunction> {
    const nearest = url === undefined ? undefined : nearestCenter(await readCenters(url, context), measure);
    let dimension: number | undefined;
    let taken: SampledPoint[] = [];
    return {
      apply(batch) {
        const rows = pointsOf(batch, column, measure, dimension);
        if (rows.rows === 0) return undefined;
        dimension = rows.dimension;
        const distance = nearest?.(rows).distance;
        for (let row = 0; row < rows.rows; row++) {
          const point = rows.values.subarray(row * dimension, (row + 1) * dimension);
          const number = randomOf(point, seed);
          if ("count" in take || number < take.factor * distance![row]!) taken.push({ number, point: point.slice() });
        }
        if ("count" in take) taken = firstPoints(taken, take.count);
        return undefined;
      },
      finish() {
        if (taken.length === 0) return undefined;
        const points = new Float64Array(taken.length * dimension!);
        taken.forEach(({ point }, i) => {
          points.set(point, i * dimension!);
        });
        return bytesRow({ numbers: Float64Array.from(taken, ({ number }) => number), points });
      },
    };
  },
});

/** Column function `ml.clusterPredict`: the number of the nearest center. */
export const clusterPredict = defineBuiltin<ClusterParams>({
  shape: "column",
  name: "ml.clusterPredict",
  returns({ column }, [type]) {
    vectorResultType(column, type, "KMeansModel");
    return "integer";
  },
  async create({ column, measure, centers: url }, context) {
    const centers = await readCenters(url!, context);
    const nearest = nearestCenter(centers, measure);
    return {
      apply([vector], rowError) {
        try {
          const rows = comparable(readRows(vector!, column, centers.dimension), measure, column);
          return vectorFromValues(Array.from(nearest(rows).center), "integer");
        } catch (error) {
          if (error instanceof VectorRowError) rowError(error.row, error);
          throw error;
        }
      },
    };
  },
});

export interface SampledPoint {
  /** From 0 to below 1, by the point's values and the seed alone: the same in any partition. */
  readonly number: number;
  readonly point: Float64Array;
}

/** The first `count` different points by their numbers. */
export function firstPoints(points: readonly SampledPoint[], count: number): SampledPoint[] {
  const sorted = [...points].sort((a, b) => a.number - b.number || comparePoints(a.point, b.point));
  const different = sorted.filter(({ point }, i) => i === 0 || comparePoints(point, sorted[i - 1]!.point) !== 0);
  return different.slice(0, count);
}

/** Adds the sums of partitions, as they come. */
export function gatherSums() {
  let total: ClusterSums | undefined;
  return {
    add(batch: RecordBatch): void {
      for (let i = 0; i < batch.numRows; i++) {
        const part = (name: string) => float64At(batch, name, i);
        const costs = part("costs");
        const cost = { high: costs.slice(0, 1), low: costs.slice(1) };
        const found = { counts: part("counts"), sums: { high: part("high"), low: part("low") }, cost };
        if (!total) {
          total = found;
          continue;
        }
        for (let c = 0; c < total.counts.length; c++) total.counts[c]! += found.counts[c]!;
        addSums(total.sums, found.sums);
        addSums(total.cost, found.cost);
      }
    },
    finish: () => total,
  };
}

/** Gathers the points that partitions took. */
export function gatherSample() {
  const points: SampledPoint[] = [];
  return {
    add(batch: RecordBatch): void {
      for (let i = 0; i < batch.numRows; i++) {
        const numbers = float64At(batch, "numbers", i);
        const values = float64At(batch, "points", i);
        const dimension = values.length / numbers.length;
        numbers.forEach((number, p) => {
          points.push({ number, point: values.slice(p * dimension, (p + 1) * dimension) });
        });
      }
    },
    finish: (): SampledPoint[] | undefined => (points.length > 0 ? points : undefined),
  };
}

function comparePoints(a: Float64Array, b: Float64Array): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

/** A number that depends on the values and the seed alone: two rounds of murmur's mixing (cyrb53). */
function randomOf(point: Float64Array, seed: number): number {
  const words = new Uint32Array(point.buffer, point.byteOffset, point.length * 2);
  let a = 0xdeadbeef ^ seed;
  let b = 0x41c6ce57 ^ Math.imul(seed, 0x9e3779b1);
  for (const word of words) {
    a = Math.imul(a ^ word, 2654435761);
    b = Math.imul(b ^ word, 1597334677);
    a ^= a >>> 15;
    b ^= b >>> 13;
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return ((b >>> 0) * 2 ** 21 + (a >>> 11)) / 2 ** 53;
}

function pointsOf(batch: RecordBatch, column: string, measure: DistanceMeasure, dimension: number | undefined) {
  return comparable(readRows(batch.getChild(column)!, column, dimension), measure, column);
}

async function readCenters(file: ShippedFile, context: WorkerContext): Promise<Matrix<Float64Array>> {
  return deserialize(await context.fetch(file)) as Matrix<Float64Array>;
}

function bytesRow(arrays: Readonly<Record<string, Float64Array>>): RecordBatch {
  const columns = Object.entries(arrays).map(([name, a]): { name: string; vector: Vector } => ({
    name,
    vector: vectorFromValues([new Uint8Array(a.buffer, a.byteOffset, a.byteLength)], "binary"),
  }));
  return batchFromColumns(columns, 1);
}

function float64At(batch: RecordBatch, column: string, row: number): Float64Array {
  const bytes = batch.getChild(column)!.get(row) as Uint8Array;
  // A copy, since the bytes may start anywhere and a view of float64 may not.
  return new Float64Array(bytes.slice().buffer);
}
