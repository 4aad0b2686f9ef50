import { DenseVector, type MLVector, SparseVector } from "../data/linalg";
import type { Matrix } from "../data/matrix";
import { IllegalArgumentError } from "../errors";
import type { DataFrame } from "../frame/dataframe";
import type { With } from "../frame/row-types";
import { comparable, DISTANCE_MEASURES, type DistanceMeasure, nearestCenter } from "../numerics";
import { withBuiltinColumn } from "./builtin-column";
import { checkedChoice, newUid } from "./identity";
import { INIT_MODES, type InitMode, type KMeansOptions, type KMeansSummary, trainedClusters } from "./kmeans-training";
import { type ModelBroadcast, modelBroadcast } from "./model-broadcast";
import { loadModel, ModelFormatError, type SaveOptions, saveModel } from "./model-files";
import { checkOptions, type OptionsOf, refuseAccessors } from "./options";
import type { FitOptions, HasRuntime } from "./types";

const OPTIONS: OptionsOf<KMeansOptions> = {
  owner: "KMeans",
  names: ["featuresCol", "predictionCol", "k", "maxIter", "tol", "seed", "initMode", "initSteps", "distanceMeasure"],
  example: 'new KMeans({ k: 3, seed: 1, featuresCol: "features", predictionCol: "cluster" })',
};

/**
 * Finds k centers so that rows lie near theirs: Lloyd's algorithm, each step on the workers. The result depends on the rows and
 * the seed, not on how they are partitioned; as in Spark, another seed may find other clusters.
 * @see https://spark.apache.org/docs/latest/ml-clustering.html#k-means
 */
export class KMeans<O extends string = "prediction"> {
  readonly uid = newUid("KMeans");
  readonly featuresCol: string;
  readonly predictionCol: O;
  readonly k: number;
  readonly maxIter: number;
  readonly tol: number;
  readonly seed: number;
  readonly initMode: InitMode;
  readonly initSteps: number;
  readonly distanceMeasure: DistanceMeasure;

  /** @throws IllegalArgumentError naming a parameter out of its range */
  constructor(options: KMeansOptions<O> = {}) {
    checkOptions(OPTIONS, options);
    this.featuresCol = options.featuresCol ?? "features";
    this.predictionCol = options.predictionCol ?? ("prediction" as O);
    this.k = whole("k", options.k ?? 2, 2);
    this.maxIter = whole("maxIter", options.maxIter ?? 20, 0);
    this.tol = options.tol ?? 1e-4;
    if (!(this.tol >= 0)) throw invalid("tol", this.tol, "a number from 0");
    this.seed = options.seed ?? 0;
    if (!Number.isSafeInteger(this.seed)) throw invalid("seed", this.seed, "a whole number");
    this.initMode = checkedChoice("KMeans", "initMode", options.initMode ?? "k-means||", INIT_MODES);
    this.initSteps = whole("initSteps", options.initSteps ?? 2, 1);
    this.distanceMeasure = checkedChoice(
      "KMeans",
      "distanceMeasure",
      options.distanceMeasure ?? "euclidean",
      DISTANCE_MEASURES,
    );
  }

  /**
   * Finds the centers.
   * @throws IllegalArgumentError where there are no rows, or one is no vector like the others
   */
  async fit<R>(df: DataFrame<R>, options: FitOptions = {}): Promise<KMeansModel<O>> {
    const { centers, summary } = await trainedClusters(df, this, options.signal);
    return new KMeansModel<O>({ ...this }, centers, summary).broadcast(df);
  }
}

/** What of a KMeans its model keeps. */
interface KMeansParams<O extends string> {
  readonly uid: string;
  readonly featuresCol: string;
  readonly predictionCol: O;
  readonly distanceMeasure: DistanceMeasure;
}

/** The centers that a KMeans found. */
export class KMeansModel<O extends string = string> {
  readonly uid: string;
  readonly featuresCol: string;
  readonly predictionCol: O;
  readonly distanceMeasure: DistanceMeasure;
  /** How many clusters there are. */
  readonly k: number;
  readonly numFeatures: number;
  private readonly training: KMeansSummary | undefined;
  private readonly centers: Matrix<Float64Array>;
  private readonly sent: ModelBroadcast;

  /** Made by {@link KMeans.fit} and {@link KMeansModel.load}. */
  constructor(params: KMeansParams<O>, centers: Matrix<Float64Array>, summary?: KMeansSummary) {
    this.uid = params.uid;
    this.featuresCol = params.featuresCol;
    this.predictionCol = params.predictionCol;
    this.distanceMeasure = params.distanceMeasure;
    this.k = centers.rows;
    this.numFeatures = centers.dimension;
    this.training = summary;
    this.centers = centers;
    this.sent = modelBroadcast("KMeansModel", centers);
  }

  /** The centers, one vector each. */
  clusterCenters(): DenseVector[] {
    const { values, rows, dimension } = this.centers;
    return Array.from({ length: rows }, (_, c) => {
      return DenseVector.from(values.subarray(c * dimension, (c + 1) * dimension)) as DenseVector;
    });
  }

  get hasSummary(): boolean {
    return this.training !== undefined;
  }

  /** How the training went. @throws IllegalArgumentError for a model that was loaded */
  get summary(): KMeansSummary {
    if (this.training) return this.training;
    throw new IllegalArgumentError("A KMeansModel that was loaded has no training summary.", {
      remedy: "Read the summary before the model is saved.",
    });
  }

  /** The number of the center nearest to a vector. @throws IllegalArgumentError for another length */
  predict(vector: MLVector | ArrayLike<number>): number {
    const values = Float64Array.from(vector instanceof SparseVector ? vector.toArray() : vector);
    if (values.length !== this.numFeatures) {
      throw new IllegalArgumentError(`The vector has ${values.length} values, not ${this.numFeatures}.`);
    }
    const rows = { values, rows: 1, dimension: values.length };
    return nearestCenter(this.centers, this.distanceMeasure)(comparable(rows, this.distanceMeasure, "vector"))
      .center[0]!;
  }

  /**
   * Adds the number of each row's nearest center. Lazy.
   * @throws ModelNotBroadcastError for a DataFrame of a session that the model has not been sent to
   */
  transform<R>(df: DataFrame<R>): DataFrame<With<R, O, number>> {
    const params = {
      column: this.featuresCol,
      measure: this.distanceMeasure,
      centers: this.sent.fileFor(df.runtime),
    };
    const columns = { inputCol: this.featuresCol, outputCol: this.predictionCol };
    return withBuiltinColumn<R, O, number>(df, columns, { name: "ml.clusterPredict", params }, "integer");
  }

  /** Sends the centers to a session's workers, so that `transform` takes its DataFrames. Returns the model. */
  async broadcast(session: HasRuntime): Promise<this> {
    await this.sent.send(session.runtime);
    return this;
  }

  /**
   * Writes the model to a folder; a reader sees all of it or nothing.
   * @throws PathAlreadyExistsError where something is there, unless `mode` is `overwrite`
   */
  async save(path: string, options: SaveOptions = {}): Promise<void> {
    const { uid, featuresCol, predictionCol, distanceMeasure, k } = this;
    const paramMap = { featuresCol, predictionCol, distanceMeasure, k };
    const data = { centers: Array.from(this.centers.values) };
    await saveModel(path, { class: "KMeansModel", uid, paramMap, data }, options);
  }

  /** Reads a model that `save` wrote. @throws ModelFormatError where the folder holds no whole model of this class */
  static async load(path: string, session?: HasRuntime): Promise<KMeansModel> {
    const saved = await loadModel(path, "KMeansModel", session);
    const values = saved.numbers("centers");
    const rows = saved.number("k");
    const measure = DISTANCE_MEASURES.find((known) => known === saved.text("distanceMeasure"));
    if (!measure || !Number.isSafeInteger(values.length / rows)) {
      throw new ModelFormatError(path, "centers and k do not match");
    }
    const params = {
      uid: saved.uid,
      featuresCol: saved.text("featuresCol"),
      predictionCol: saved.text("predictionCol"),
      distanceMeasure: measure,
    };
    const model = new KMeansModel(params, { values, rows, dimension: values.length / rows });
    return session ? model.broadcast(session) : model;
  }

  toString(): string {
    const { uid, k, distanceMeasure, numFeatures } = this;
    return `KMeansModel: uid=${uid}, k=${k}, distanceMeasure=${distanceMeasure}, numFeatures=${numFeatures}`;
  }

  /** What a cell or console.log shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

function whole(param: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw invalid(param, value, `a whole number from ${least}`);
}

function invalid(param: string, value: unknown, wanted: string): IllegalArgumentError {
  return new IllegalArgumentError(`KMeans parameter ${param} given invalid value ${String(value)}.`, {
    remedy: `Give ${wanted}.`,
  });
}

refuseAccessors(KMeans, OPTIONS, OPTIONS.names);
refuseAccessors(KMeansModel, OPTIONS, ["featuresCol", "predictionCol", "k", "distanceMeasure"]);
