import { DenseMatrix, DenseVector } from "../data/linalg";
import { IllegalArgumentError } from "../errors";
import type { DataFrame } from "../frame/dataframe";
import type { With } from "../frame/row-types";
import {
  gatherScatter,
  type PrincipalComponents,
  type PrincipalInput,
  type ProjectParams,
  principalComponents,
  SCATTER_SCHEMA,
} from "../numerics";
import { withVectorColumn } from "./builtin-column";
import { checkedColumn, newUid } from "./identity";
import { type ModelBroadcast, modelBroadcast } from "./model-broadcast";
import { loadModel, ModelFormatError, type SaveOptions, saveModel } from "./model-files";
import { checkOptions, type OptionsOf, refuseAccessors } from "./options";
import { mergedPartials } from "./partials";
import type { FitOptions, HasRuntime } from "./types";

export interface PCAOptions<O extends string = string> {
  /** A column of arrays of numbers or of vectors. */
  readonly inputCol: string;
  /** The column that `transform` adds (or replaces), k values: an `array<double>`, or a vector where the input is one. */
  readonly outputCol: O;
  /**
   * How many components: a whole number from 1; or, between 0 and 1, the share of the variance that the components must
   * have together, of which the fewest are taken (0.9: 90 %).
   */
  readonly k: number;
}

const OPTIONS: OptionsOf<PCAOptions> = {
  owner: "PCA",
  names: ["inputCol", "outputCol", "k"],
  example: 'new PCA({ k: 100, inputCol: "features", outputCol: "pca" })',
};

/**
 * Finds the directions in which vectors vary most. The vectors are centred to find them, but not scaled: put a
 * `StandardScaler` before it where components have different units.
 * @see https://spark.apache.org/docs/latest/ml-features.html#pca
 */
export class PCA<O extends string = string> {
  readonly uid = newUid("PCA");
  readonly inputCol: string;
  readonly outputCol: O;
  readonly k: number;

  /** @throws IllegalArgumentError where `k` is neither a whole number from 1 nor a share below 1 */
  constructor(options: PCAOptions<O>) {
    checkOptions(OPTIONS, options);
    this.inputCol = checkedColumn("PCA", "inputCol", options.inputCol);
    this.outputCol = checkedColumn("PCA", "outputCol", options.outputCol) as O;
    this.k = options.k;
    if (!((Number.isSafeInteger(this.k) && this.k >= 1) || (this.k > 0 && this.k < 1))) {
      throw new IllegalArgumentError(`PCA cannot have k = ${this.k}.`, {
        remedy: "Give a number of components, e.g. k: 100, or a share of the variance below 1, e.g. k: 0.9.",
      });
    }
  }

  /**
   * Finds the components: co-moments in float64 on the workers, merged here, then the eigenvectors of the covariance.
   * @throws IllegalArgumentError for fewer than two rows, `k` above the vectors' length, or vectors that are all equal
   */
  async fit<R>(df: DataFrame<R>, options: FitOptions = {}): Promise<PCAModel<O>> {
    const scatter = await mergedPartials(df, this.inputCol, {
      function: "ml.scatter",
      schema: SCATTER_SCHEMA,
      gathering: gatherScatter(),
      signal: options.signal,
    });
    const found = await decomposed(df, scatter, this.k, options.signal);
    const rows = scatter.kind === "rows" ? scatter.rows.rows : scatter.count;
    if (found.components.rows >= rows) df.runtime.note(emptyComponents(found.components.rows, rows));
    return new PCAModel<O>({ uid: this.uid, inputCol: this.inputCol, outputCol: this.outputCol }, found).broadcast(df);
  }
}

function emptyComponents(k: number, rows: number): string {
  return (
    `PCA: ${k} components of ${rows} rows. Rows have one direction to vary in fewer than they are many, so components from ` +
    `number ${rows} on explain nothing, and which ones they are is arbitrary. Ask for k: ${rows - 1} at most, or fit more rows.`
  );
}

/** From this order on the eigenvectors may take seconds: they are shown as a job. */
const LONG_ORDER = 1000;

function decomposed<R>(
  df: DataFrame<R>,
  input: PrincipalInput,
  k: number,
  signal: AbortSignal | undefined,
): Promise<PrincipalComponents> {
  const order = input.kind === "rows" ? input.rows.rows : input.mean.length;
  if (order < LONG_ORDER) return principalComponents(input, k, { signal });
  const run = (onProgress: (rows: number) => void, stop: AbortSignal) =>
    principalComponents(input, k, { signal: stop, onProgress: (share) => onProgress(Math.round(share * order)) });
  return df.runtime.onDriver({ name: "PCA eigenvectors", rows: order, run }, signal);
}

/** What a PCA found. */
export class PCAModel<O extends string = string> {
  readonly uid: string;
  readonly inputCol: string;
  readonly outputCol: O;
  /** How many components there are. */
  readonly k: number;
  /**
   * The components: a matrix of d rows and k columns, as Spark's. Its values lie by columns: in `pc.values` there are `pc.rows`
   * = k directions of `pc.dimension` = d values, back to back. The largest value of each is positive; Spark leaves signs open.
   */
  readonly pc: DenseMatrix;
  /** The share of the total variance along each component, largest first. */
  readonly explainedVariance: DenseVector;
  private readonly sent: ModelBroadcast;

  /** Made by {@link PCA.fit} and {@link PCAModel.load}. */
  constructor(
    params: { readonly uid: string; readonly inputCol: string; readonly outputCol: O },
    { components, explainedVariance }: PrincipalComponents,
  ) {
    this.uid = params.uid;
    this.inputCol = params.inputCol;
    this.outputCol = params.outputCol;
    this.k = components.rows;
    this.pc = new DenseMatrix(components.dimension, components.rows, components.values);
    this.explainedVariance = DenseVector.from(explainedVariance) as DenseVector;
    this.sent = modelBroadcast("PCAModel", components);
  }

  /**
   * Adds the column of inner products with each component. As in Spark, vectors are not centred first: for coordinates
   * around 0, scale with `withMean: true` before. Lazy.
   * @throws ModelNotBroadcastError for a DataFrame of a session that the model has not been sent to
   */
  transform<R>(df: DataFrame<R>): DataFrame<With<R, O, Float64Array>> {
    const params: ProjectParams = { column: this.inputCol, components: this.sent.fileFor(df.runtime) };
    return withVectorColumn(df, this, { name: "ml.project", params });
  }

  /** Sends the components to a session's workers, so that `transform` takes its DataFrames. Returns the model. */
  async broadcast(session: HasRuntime): Promise<this> {
    await this.sent.send(session.runtime);
    return this;
  }

  /**
   * Writes the model to a folder; a reader sees all of it or nothing.
   * @throws PathAlreadyExistsError where something is there, unless `mode` is `overwrite`
   */
  async save(path: string, options: SaveOptions = {}): Promise<void> {
    const { uid, inputCol, outputCol, k } = this;
    const data = { pc: Array.from(this.pc.values), explainedVariance: Array.from(this.explainedVariance) };
    await saveModel(path, { class: "PCAModel", uid, paramMap: { inputCol, outputCol, k }, data }, options);
  }

  /**
   * Reads a model that `save` wrote.
   * @param session the session (or one of its DataFrames) to use it in; without it, call `broadcast` before `transform`
   * @throws ModelFormatError where the folder holds no whole model of this class
   */
  static async load(path: string, session?: HasRuntime): Promise<PCAModel> {
    const saved = await loadModel(path, "PCAModel", session);
    const values = saved.numbers("pc");
    const explainedVariance = saved.numbers("explainedVariance");
    const rows = explainedVariance.length;
    const dimension = values.length / rows;
    if (!Number.isSafeInteger(dimension) || dimension === 0) {
      throw new ModelFormatError(path, "pc and explainedVariance do not match");
    }
    const params = { uid: saved.uid, inputCol: saved.text("inputCol"), outputCol: saved.text("outputCol") };
    const model = new PCAModel(params, { components: { values, rows, dimension }, explainedVariance });
    return session ? model.broadcast(session) : model;
  }

  toString(): string {
    return `PCAModel: uid=${this.uid}, k=${this.k}`;
  }

  /** What a cell or console.log shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

for (const type of [PCA, PCAModel]) refuseAccessors(type, OPTIONS, OPTIONS.names);
