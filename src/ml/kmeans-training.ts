import type { Matrix } from "../data/matrix";
import { throwIfAborted } from "../errors";
import type { DataFrame } from "../frame/dataframe";
import {
  BYTES_SCHEMA,
  type ClusterSums,
  type DistanceMeasure,
  distanceOf,
  firstPoints,
  gatherSample,
  gatherSums,
  SAMPLE_SCHEMA,
  type SampledPoint,
} from "../numerics";
import { mergedPartials } from "./partials";

export const INIT_MODES = ["k-means||", "random"] as const;
export type InitMode = (typeof INIT_MODES)[number];

/** How the training went. */
export interface KMeansSummary {
  /** The distances of all rows to their centers (squared, where they are Euclidean) added up. */
  readonly trainingCost: number;
  /** Steps of Lloyd's algorithm. */
  readonly numIter: number;
  readonly k: number;
  /** The rows of each cluster. */
  readonly clusterSizes: readonly number[];
}

export interface KMeansOptions<O extends string = string> {
  /** A column of arrays of numbers or of vectors. @default "features" */
  readonly featuresCol?: string;
  /** The column that `transform` adds, the number of the nearest center. @default "prediction" */
  readonly predictionCol?: O;
  /** How many clusters, from 2; fewer come out where there are fewer different points. @default 2 */
  readonly k?: number;
  /** Most steps of Lloyd's algorithm. @default 20 */
  readonly maxIter?: number;
  /** The steps end when no center moves farther than this. @default 1e-4 */
  readonly tol?: number;
  /** Where the random choice of first centers begins; the same gives the same clusters. @default 0 */
  readonly seed?: number;
  /** How the first centers are chosen. @default "k-means||" */
  readonly initMode?: InitMode;
  /** Rounds of `k-means||`. @default 2 */
  readonly initSteps?: number;
  /** @default "euclidean" */
  readonly distanceMeasure?: DistanceMeasure;
}

/** What of a KMeans its training reads. */
type Training = Required<Omit<KMeansOptions, "predictionCol">>;

type Points = Matrix<Float64Array>;

/** Lloyd's algorithm from the first centers on, until none moves or `maxIter` steps are done. */
export async function trainedClusters<R>(
  df: DataFrame<R>,
  training: Training,
  signal: AbortSignal | undefined,
): Promise<{ centers: Points; summary: KMeansSummary }> {
  const { tol, maxIter, distanceMeasure: measure } = training;
  const isAngle = measure === "cosine";
  // Every step reads the rows anew: what computes them, such as a network, must not run again.
  const kept = df.select(training.featuresCol as never).cache();
  const passes = passesOver(kept as unknown as DataFrame, training, signal);
  try {
    let centers = await firstCenters(passes, training);
    let numIter = 0;
    for (let moves = true; moves && numIter < maxIter; numIter++) {
      throwIfAborted(signal);
      const next = moved(centers, await passes.sums(centers), isAngle);
      moves = false;
      for (let at = 0; at < next.values.length; at += next.dimension) {
        const distance = distanceOf(centers.values, at, next.values, at, next.dimension);
        if (isAngle ? distance / 2 > tol : distance > tol * tol) moves = true;
      }
      centers = next;
    }
    const last = await passes.sums(centers);
    const trainingCost = last.cost.high[0]!;
    return { centers, summary: { trainingCost, numIter, k: centers.rows, clusterSizes: Array.from(last.counts) } };
  } finally {
    await kept.unpersist();
  }
}

/** What the workers do over all rows. */
interface Passes {
  sums(centers: Points): Promise<ClusterSums>;
  sample(
    take: { readonly count: number } | { readonly factor: number },
    seed: number,
    centers?: Points,
  ): Promise<SampledPoint[]>;
}

function passesOver(df: DataFrame, training: Training, signal: AbortSignal | undefined): Passes {
  const { featuresCol: column, distanceMeasure: measure } = training;
  const withCenters = async (centers: Points | undefined) => ({
    measure,
    ...(centers ? { centers: await df.runtime.broadcast(centers) } : {}),
  });
  return {
    async sums(centers) {
      const params = await withCenters(centers);
      const gathering = gatherSums();
      return mergedPartials(df, column, {
        function: "ml.clusterSums",
        schema: BYTES_SCHEMA,
        gathering,
        signal,
        params,
      });
    },
    async sample(take, seed, centers) {
      const params = { ...(await withCenters(centers)), take, seed };
      const points = gatherSample();
      // Where no point is taken there are none, which is no error.
      const gathering = { add: points.add, finish: () => points.finish() ?? (centers ? [] : undefined) };
      return mergedPartials(df, column, {
        function: "ml.clusterSample",
        schema: SAMPLE_SCHEMA,
        gathering,
        signal,
        params,
      });
    },
  };
}

/** The mean of each center's rows; one without rows stays where it is. Where angles count, of length 1. */
function moved(centers: Points, { counts, sums }: ClusterSums, isAngle: boolean): Points {
  const { rows, dimension } = centers;
  const values = centers.values.slice();
  for (let c = 0; c < rows; c++) {
    if (counts[c] === 0) continue;
    const mean = sums.high.slice(c * dimension, (c + 1) * dimension).map((sum) => sum / counts[c]!);
    const length = isAngle ? Math.sqrt(mean.reduce((sum, value) => sum + value * value, 0)) : 1;
    // Rows that cancel out have no direction.
    if (length > 0)
      values.set(
        mean.map((value) => value / length),
        c * dimension,
      );
  }
  return { values, rows, dimension };
}

/**
 * The first centers: k random points, or `k-means||` (Bahmani and others, "Scalable K-Means++", 2012): rounds that take far
 * points more likely than near ones, of which k-means++ then chooses k by how many rows are near them.
 */
async function firstCenters(passes: Passes, { k, seed, initMode, initSteps }: Training): Promise<Points> {
  if (initMode === "random") return matrixOf(firstPoints(await passes.sample({ count: k }, seed), k));
  let candidates = firstPoints(await passes.sample({ count: 1 }, seed), 1);
  for (let step = 1; step <= initSteps; step++) {
    const centers = matrixOf(candidates);
    const cost = (await passes.sums(centers)).cost.high[0]!;
    if (!(cost > 0)) break;
    const taken = await passes.sample({ factor: (2 * k) / cost }, seed + step, centers);
    candidates = [...candidates, ...firstPoints(taken, taken.length)];
  }
  // Too few, where many points are equal or chance wills it: any others do.
  if (candidates.length < k) candidates = different([...candidates, ...(await passes.sample({ count: k }, seed + 99))]);
  if (candidates.length <= k) return matrixOf(candidates);
  const all = matrixOf(candidates);
  return chosen(all, (await passes.sums(all)).counts, k, seed);
}

function different(points: readonly SampledPoint[]): SampledPoint[] {
  const seen = new Set<string>();
  return points.filter(({ point }) => {
    const key = point.join();
    return !seen.has(key) && seen.add(key);
  });
}

function matrixOf(points: readonly SampledPoint[]): Points {
  const dimension = points[0]?.point.length ?? 0;
  const values = new Float64Array(points.length * dimension);
  points.forEach(({ point }, i) => {
    values.set(point, i * dimension);
  });
  return { values, rows: points.length, dimension };
}

/** k of the points by k-means++ (Arthur and Vassilvitskii, 2007), each as likely as its weight times its distance. */
function chosen({ values, rows, dimension }: Points, weights: Float64Array, k: number, seed: number): Points {
  const random = lehmer(seed);
  const picked: number[] = [drawn(weights, random())];
  const nearest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  while (picked.length < k) {
    const last = picked.at(-1)!;
    for (let i = 0; i < rows; i++) {
      nearest[i] = Math.min(nearest[i]!, distanceOf(values, i * dimension, values, last * dimension, dimension));
    }
    const chances = nearest.map((distance, i) => distance * weights[i]!);
    // Points without rows near them are all that is left.
    picked.push(drawn(chances.some((c) => c > 0) ? chances : nearest, random()));
  }
  return matrixOf(picked.map((i) => ({ number: 0, point: values.slice(i * dimension, (i + 1) * dimension) })));
}

function drawn(chances: Float64Array, random: number): number {
  const total = chances.reduce((sum, chance) => sum + chance, 0);
  let left = random * total;
  const at = chances.findIndex((chance) => {
    left -= chance;
    return left < 0;
  });
  return at < 0 ? chances.length - 1 : at;
}

/** Numbers from 0 to below 1 (Park and Miller, "Random Number Generators: Good Ones Are Hard to Find", 1988). */
function lehmer(seed: number): () => number {
  let state = (Math.abs(seed) % 2147483646) + 1;
  return () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
}
