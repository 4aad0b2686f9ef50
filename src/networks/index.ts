export {
  type BackendOptions,
  BackendUnavailableError,
  chooseBackend,
  createBackend,
} from "./backend";
export { buildGraph, type Graph } from "./graph";
export { type ImageFeaturesParams, imageFeatures } from "./image-features";
export { WeightsFormatError } from "./keras-file";
export { featureLength, inputShape, type Layer, type Network, outputShapeOf, type Weights } from "./layers";
export { type BackendName, INSTALLABLE_BACKENDS, type NetworkBackend, prepareProcess } from "./network-backend";
export { NETWORK_NAMES, type NetworkParameters, networkByName } from "./networks";
export { kerasClass, parameterCount, type SummaryOptions, summaryText } from "./summary";
export { randomWeights, readWeights, scalesInputTwice, WeightsShapeError } from "./weights";
export { type DownloadProgress, WeightsChecksumError } from "./weights-download";
export {
  type ResolvedWeights,
  type ResolveOptions,
  resolveWeights,
  WeightsUnavailableError,
} from "./weights-lookup";
