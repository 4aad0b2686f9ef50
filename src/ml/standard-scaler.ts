import { DenseVector } from "../data/linalg";
import type { DataFrame } from "../frame/dataframe";
import type { With } from "../frame/row-types";
import { gatherMoments, MOMENTS_SCHEMA, type ScalerValues, type StandardScaleParams, sampleStd } from "../numerics";
import { withVectorColumn } from "./builtin-column";
import { checkedColumn, newUid } from "./identity";
import { type ModelBroadcast, modelBroadcast } from "./model-broadcast";
import { loadModel, ModelFormatError, type SaveOptions, saveModel } from "./model-files";
import { checkOptions, type OptionsOf, refuseAccessors } from "./options";
import { mergedPartials } from "./partials";
import type { FitOptions, HasRuntime } from "./types";

export interface StandardScalerOptions<O extends string = string> {
  /** A column of arrays of numbers or of vectors. */
  readonly inputCol: string;
  /** The column that `transform` adds (or replaces): an `array<double>`, or a vector where the input is one. */
  readonly outputCol: O;
  /** Subtract the mean of each component. @default false */
  readonly withMean?: boolean;
  /** Divide by the sample standard deviation (n - 1) of each component. @default true */
  readonly withStd?: boolean;
}

const OPTIONS: OptionsOf<StandardScalerOptions> = {
  owner: "StandardScaler",
  names: ["inputCol", "outputCol", "withMean", "withStd"],
  example: 'new StandardScaler({ inputCol: "features", outputCol: "scaled", withMean: true, withStd: true })',
};

/**
 * Standardises each component of a vector column: mean 0 and standard deviation 1, as asked for.
 * @see https://spark.apache.org/docs/latest/ml-features.html#standardscaler
 */
export class StandardScaler<O extends string = string> {
  readonly uid = newUid("StandardScaler");
  readonly inputCol: string;
  readonly outputCol: O;
  readonly withMean: boolean;
  readonly withStd: boolean;

  constructor(options: StandardScalerOptions<O>) {
    checkOptions(OPTIONS, options);
    this.inputCol = checkedColumn("StandardScaler", "inputCol", options.inputCol);
    this.outputCol = checkedColumn("StandardScaler", "outputCol", options.outputCol) as O;
    this.withMean = options.withMean ?? false;
    this.withStd = options.withStd ?? true;
  }

  /**
   * Computes mean and standard deviation: partial statistics on the workers, in float64, merged here.
   * @throws IllegalArgumentError where there are no rows; a task fails on null, ragged or non-finite vectors
   */
  async fit<R>(df: DataFrame<R>, options: FitOptions = {}): Promise<StandardScalerModel<O>> {
    const moments = await mergedPartials(df, this.inputCol, {
      function: "ml.moments",
      schema: MOMENTS_SCHEMA,
      gathering: gatherMoments(),
      signal: options.signal,
    });
    const values = { mean: moments.mean, std: sampleStd(moments) };
    return new StandardScalerModel<O>({ ...this }, values).broadcast(df);
  }
}

/** What a scaler learnt: `mean` and `std` of each component. */
export class StandardScalerModel<O extends string = string> {
  readonly uid: string;
  readonly inputCol: string;
  readonly outputCol: O;
  readonly withMean: boolean;
  readonly withStd: boolean;
  /** Mean of each component, also where `withMean` is false. */
  readonly mean: DenseVector;
  /** Sample standard deviation of each component; 0 for one that is constant, which `withStd` turns to 0. */
  readonly std: DenseVector;
  private readonly sent: ModelBroadcast;

  /** Made by {@link StandardScaler.fit} and {@link StandardScalerModel.load}. */
  constructor(params: Required<StandardScalerOptions<O>> & { readonly uid: string }, values: ScalerValues) {
    this.uid = params.uid;
    this.inputCol = params.inputCol;
    this.outputCol = params.outputCol;
    this.withMean = params.withMean;
    this.withStd = params.withStd;
    this.mean = DenseVector.from(values.mean) as DenseVector;
    this.std = DenseVector.from(values.std) as DenseVector;
    this.sent = modelBroadcast("StandardScalerModel", values);
  }

  /**
   * Adds the scaled column. Lazy: workers compute it in the same pass as whatever reads it, such as `PCA.fit`.
   * @throws ModelNotBroadcastError for a DataFrame of a session that the model has not been sent to
   */
  transform<R>(df: DataFrame<R>): DataFrame<With<R, O, Float64Array>> {
    const params: StandardScaleParams = {
      column: this.inputCol,
      values: this.sent.fileFor(df.runtime),
      withMean: this.withMean,
      withStd: this.withStd,
    };
    return withVectorColumn(df, this, { name: "ml.standardScale", params });
  }

  /** Sends the model's values to a session's workers, so that `transform` takes its DataFrames. Returns the model. */
  async broadcast(session: HasRuntime): Promise<this> {
    await this.sent.send(session.runtime);
    return this;
  }

  /**
   * Writes the model to a folder; a reader sees all of it or nothing.
   * @throws PathAlreadyExistsError where something is there, unless `mode` is `overwrite`
   */
  async save(path: string, options: SaveOptions = {}): Promise<void> {
    const { uid, inputCol, outputCol, withMean, withStd } = this;
    const data = { mean: Array.from(this.mean), std: Array.from(this.std) };
    const paramMap = { inputCol, outputCol, withMean, withStd };
    await saveModel(path, { class: "StandardScalerModel", uid, paramMap, data }, options);
  }

  /**
   * Reads a model that `save` wrote.
   * @param session the session (or one of its DataFrames) to use it in; without it, call `broadcast` before `transform`
   * @throws ModelFormatError where the folder holds no whole model of this class
   */
  static async load(path: string, session?: HasRuntime): Promise<StandardScalerModel> {
    const saved = await loadModel(path, "StandardScalerModel", session);
    const mean = saved.numbers("mean");
    const std = saved.numbers("std");
    if (mean.length === 0 || mean.length !== std.length) throw new ModelFormatError(path, "mean and std do not match");
    const params = {
      uid: saved.uid,
      inputCol: saved.text("inputCol"),
      outputCol: saved.text("outputCol"),
      withMean: saved.flag("withMean"),
      withStd: saved.flag("withStd"),
    };
    const model = new StandardScalerModel(params, { mean, std });
    return session ? model.broadcast(session) : model;
  }

  toString(): string {
    const { uid, mean, withMean, withStd } = this;
    return `StandardScalerModel: uid=${uid}, numFeatures=${mean.length}, withMean=${withMean}, withStd=${withStd}`;
  }

  /** What a cell or console.log shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

for (const type of [StandardScaler, StandardScalerModel]) refuseAccessors(type, OPTIONS, OPTIONS.names);
