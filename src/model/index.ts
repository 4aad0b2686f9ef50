export {
  BACKENDS,
  type BackendName,
  type BackendOptions,
  BackendUnavailableError,
  chooseBackend,
  createBackend,
  type NetworkBackend,
  prepareProcess,
} from "./backend";
export { buildGraph, type Graph } from "./graph";
export { type ImageFeaturesParams, imageFeatures } from "./image-features";
export { featureLength, inputShape, type Layer, type Network, type Weights } from "./layers";
export { MOBILENET_V2 } from "./mobilenet-v2";
export { NETWORKS, networkByName } from "./networks";
export { VGG16 } from "./vgg16";
export { randomWeights, readWeights, WeightsFormatError, WeightsShapeError } from "./weights";
export { type DownloadProgress, WeightsChecksumError } from "./weights-download";
export {
  loadWeights,
  type ResolvedWeights,
  type ResolveOptions,
  resolveWeights,
  WeightsUnavailableError,
} from "./weights-lookup";
