export type { Matrix } from "../data/vectors";
export { type BalancedSampleOptions, balancedSample } from "./balanced-sample";
export { ModelNotBroadcastError } from "./model-broadcast";
export { ModelFormatError, type SaveOptions } from "./model-files";
export { PCA, PCAModel, type PCAOptions } from "./pca";
export { StandardScaler, StandardScalerModel, type StandardScalerOptions } from "./standard-scaler";
export type { FitOptions, HasRuntime } from "./types";
