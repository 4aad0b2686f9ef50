export {
  BYTES_SCHEMA,
  type ClusterSums,
  clusterPredict,
  clusterSample,
  clusterSums,
  firstPoints,
  gatherSample,
  gatherSums,
  SAMPLE_SCHEMA,
  type SampledPoint,
} from "./clusters";
export { type SymmetricEigen, type SymmetricEigenOptions, symmetricEigen } from "./eigen";
export {
  gatherLabelCounts,
  type HandleInvalid,
  INVALID_HANDLING,
  indexToString,
  LABEL_COUNTS_SCHEMA,
  labelCounts,
  stringIndex,
} from "./labels";
export {
  type Moments,
  mergeMoments,
  mergeScatter,
  momentsOf,
  packedLength,
  type Scatter,
  sampleStd,
} from "./moments";
export { comparable, DISTANCE_MEASURES, type DistanceMeasure, distanceOf, nearestCenter } from "./nearest-center";
export {
  type Gathering,
  gatherMoments,
  gatherScatter,
  MOMENTS_SCHEMA,
  moments,
  SCATTER_SCHEMA,
  type StatisticsParams,
  scatter,
} from "./partial-statistics";
export { type PrincipalComponents, type PrincipalInput, principalComponents } from "./pca";
export { createProjection, type Projection } from "./project";
export { type ScatterAccumulator, startScatter } from "./scatter";
export { EigenConvergenceError } from "./tridiagonal-ql";
export { type AssembleParams, arrayToVector, assemble, vectorToArray } from "./vector-conversions";
export { readRows } from "./vector-rows";
export {
  type ProjectParams,
  project,
  type ScalerValues,
  type StandardScaleParams,
  standardScale,
  VECTOR_TYPE,
} from "./vector-transforms";
