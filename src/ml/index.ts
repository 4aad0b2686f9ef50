export { DenseMatrix, DenseVector, type MLVector, SparseVector, Vectors } from "../data/linalg";
export type { Matrix } from "../data/vectors";
export { type BalancedSampleOptions, balancedSample } from "./balanced-sample";
export { arrayToVector, vectorToArray } from "./functions";
export { KMeans, KMeansModel } from "./kmeans";
export type { KMeansOptions, KMeansSummary } from "./kmeans-training";
export { ModelNotBroadcastError } from "./model-broadcast";
export { ModelFormatError, type SaveOptions } from "./model-files";
export { PCA, PCAModel, type PCAOptions } from "./pca";
export {
  type Estimator,
  type FittedStages,
  Pipeline,
  PipelineModel,
  type PipelineOptions,
  type PipelineStage,
  type Transformer,
} from "./pipeline";
export { StandardScaler, StandardScalerModel, type StandardScalerOptions } from "./standard-scaler";
export {
  IndexToString,
  type IndexToStringOptions,
  StringIndexer,
  StringIndexerModel,
  type StringIndexerOptions,
  type StringOrderType,
} from "./string-indexer";
export type { FitOptions, HasRuntime } from "./types";
export { VectorAssembler, type VectorAssemblerOptions } from "./vector-assembler";
export { VectorUDT } from "./vector-type";
