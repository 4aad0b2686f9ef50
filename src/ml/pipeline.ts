import { IllegalArgumentError } from "../errors";
import type { DataFrame } from "../frame/dataframe";
import { joinUrl, type Url, urlOf } from "../storage/location";
import { newUid } from "./identity";
import { KMeansModel } from "./kmeans";
import { loadModel, ModelFormatError, type SaveOptions, savedClass, saveModel } from "./model-files";
import { checkOptions, type OptionsOf, refuseAccessors } from "./options";
import { PCAModel } from "./pca";
import { StandardScalerModel } from "./standard-scaler";
import { IndexToString, StringIndexerModel } from "./string-indexer";
import type { FitOptions, HasRuntime } from "./types";
import { VectorAssembler } from "./vector-assembler";

/** What turns one DataFrame into another: a model, an `IndexToString`, or anything of your own with such a method. */
export interface Transformer {
  readonly uid?: string;
  transform(df: DataFrame): DataFrame;
}

/** What a Transformer is fitted by. */
export interface Estimator {
  readonly uid?: string;
  fit(df: DataFrame, options?: FitOptions): Promise<Transformer>;
}

export type PipelineStage = Estimator | Transformer;

/** Stages in order. */
export interface PipelineOptions<S extends readonly PipelineStage[] = readonly PipelineStage[]> {
  readonly stages: S;
}

/** What fitting makes of stages: of an estimator its model, of a transformer itself. */
export type FittedStages<S extends readonly PipelineStage[]> = {
  readonly [I in keyof S]: S[I] extends { fit(df: DataFrame): Promise<infer M extends Transformer> }
    ? M
    : S[I] extends Transformer
      ? S[I]
      : Transformer;
};

const OPTIONS: OptionsOf<PipelineOptions> = {
  owner: "Pipeline",
  names: ["stages"],
  example: "new Pipeline({ stages: [scaler, pca] })",
};

/**
 * Stages one after the other: `fit` fits each estimator on what the stages before it make.
 * @see https://spark.apache.org/docs/latest/ml-pipeline.html
 */
export class Pipeline<const S extends readonly PipelineStage[] = readonly PipelineStage[]> {
  readonly uid = newUid("Pipeline");
  readonly stages: S;

  /** @throws IllegalArgumentError for a stage that can neither be fitted nor transform */
  constructor(options: PipelineOptions<S>) {
    checkOptions(OPTIONS, options);
    if (!Array.isArray(options.stages)) {
      throw new IllegalArgumentError("Pipeline needs stages.", { remedy: `Write ${OPTIONS.example}.` });
    }
    this.stages = options.stages;
    for (const stage of this.stages) {
      if (!isEstimator(stage) && !isTransformer(stage)) {
        throw new IllegalArgumentError(`${String(stage)} cannot be a stage of a Pipeline.`, {
          remedy: "Give estimators, which have a method fit, and transformers, which have a method transform.",
        });
      }
    }
  }

  /** Fits the stages in order. Each estimator's `fit` may throw. */
  async fit<R>(df: DataFrame<R>, options: FitOptions = {}): Promise<PipelineModel<FittedStages<S>>> {
    const fitted: Transformer[] = [];
    let data = df as unknown as DataFrame;
    for (const stage of this.stages) {
      const model = isEstimator(stage) ? await stage.fit(data, options) : withLabels(stage, fitted);
      fitted.push(model);
      data = model.transform(data);
    }
    return new PipelineModel(this.uid, fitted as FittedStages<S> & readonly Transformer[]);
  }
}

/** The fitted stages of a {@link Pipeline}. */
export class PipelineModel<T extends readonly Transformer[] = readonly Transformer[]> {
  readonly uid: string;
  /** The models, each of its stage's type: `model.stages[1].explainedVariance`. */
  readonly stages: T;

  constructor(uid: string, stages: T) {
    this.uid = uid;
    this.stages = stages;
  }

  /** What all stages make of it, one after the other. Lazy. */
  transform<R>(df: DataFrame<R>): DataFrame {
    return this.stages.reduce((data, stage) => stage.transform(data), df as unknown as DataFrame);
  }

  /**
   * Writes the stages to folders below `stages`, then the model itself.
   * @throws PathAlreadyExistsError where something is there, unless `mode` is `overwrite`
   * @throws IllegalArgumentError for a stage of your own, which has no `save`
   */
  async save(path: string, options: SaveOptions = {}): Promise<void> {
    const folders = this.stages.map((stage, i) => `stages/${i}_${stage.uid}`);
    const savable = this.stages.map((stage) => {
      if (canBeSaved(stage)) return stage;
      throw new IllegalArgumentError(`A stage of the pipeline cannot be saved: ${stage.constructor.name}.`, {
        remedy: "Save the other stages one by one.",
      });
    });
    const saveStages = async (folder: Url) => {
      for (const [i, stage] of savable.entries())
        await stage.save(joinUrl(folder, folders[i]!), { ...options, mode: "overwrite" });
    };
    const model = { class: "PipelineModel", uid: this.uid, paramMap: {}, data: { stages: folders } };
    await saveModel(path, model, options, saveStages);
  }

  /** Reads a model that `save` wrote. @throws ModelFormatError where the folder holds no whole model of this class */
  static async load(path: string, session?: HasRuntime): Promise<PipelineModel> {
    const saved = await loadModel(path, "PipelineModel", session);
    const folder = urlOf(path);
    const stages: Transformer[] = [];
    for (const name of saved.texts("stages")) stages.push(await loadedStage(joinUrl(folder, name), session));
    return new PipelineModel(saved.uid, stages);
  }

  toString(): string {
    return `PipelineModel: uid=${this.uid}, stages=${this.stages.length}`;
  }

  /** What a cell or console.log shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Whether this package can save a value and load it again as it was. */
export function isSavable(value: object): value is Savable {
  return Object.hasOwn(LOADERS, value.constructor?.name) && "uid" in value && "save" in value;
}

const LOADERS: Readonly<Record<string, (path: string, session?: HasRuntime) => Promise<unknown>>> = {
  IndexToString: (path, session) => IndexToString.load(path, session),
  KMeansModel: (path, session) => KMeansModel.load(path, session),
  PCAModel: (path, session) => PCAModel.load(path, session),
  PipelineModel: (path, session) => PipelineModel.load(path, session),
  StandardScalerModel: (path, session) => StandardScalerModel.load(path, session),
  StringIndexerModel: (path, session) => StringIndexerModel.load(path, session),
  VectorAssembler: (path, session) => VectorAssembler.load(path, session),
};

/** Reads what such a value's `save` wrote. @throws ModelFormatError */
export async function loadedStage(path: string, session: HasRuntime | undefined): Promise<Transformer> {
  const name = await savedClass(path, session);
  const load = LOADERS[name];
  if (!load) throw new ModelFormatError(path, `it is a ${JSON.stringify(name)}, which no stage is`);
  return (await load(path, session)) as Transformer;
}

/** An IndexToString without labels takes those of the indexer that made its column; Spark finds them in the column. */
function withLabels(stage: Transformer, before: readonly Transformer[]): Transformer {
  if (!(stage instanceof IndexToString) || stage.labels) return stage;
  const indexers = before.filter((model) => model instanceof StringIndexerModel);
  const indexer = indexers.filter(({ outputCol }) => outputCol === stage.inputCol).at(-1);
  if (!indexer) return stage;
  const { uid, inputCol, outputCol } = stage;
  return new IndexToString({ uid, inputCol, outputCol, labels: indexer.labels });
}

function isEstimator(stage: PipelineStage): stage is Estimator {
  return typeof (stage as Partial<Estimator> | null)?.fit === "function";
}

function isTransformer(stage: PipelineStage): stage is Transformer {
  return typeof (stage as Partial<Transformer> | null)?.transform === "function";
}

export interface Savable {
  save(path: string, options?: SaveOptions): Promise<void>;
}

function canBeSaved(stage: Transformer): stage is Transformer & Savable {
  return typeof (stage as Partial<Savable>).save === "function" && stage.uid !== undefined;
}

for (const type of [Pipeline, PipelineModel]) refuseAccessors(type, OPTIONS, OPTIONS.names);
