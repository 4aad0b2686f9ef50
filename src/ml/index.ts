export { type SymmetricEigen, type SymmetricEigenOptions, symmetricEigen } from "./eigen";
export {
  type Moments,
  mergeMoments,
  mergeScatter,
  momentsOf,
  packedLength,
  type Scatter,
  sampleStd,
} from "./moments";
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
export { readRows } from "./vector-column";
export { type AssembleParams, arrayToVector, assemble, vectorToArray } from "./vector-conversions";
export {
  type ProjectParams,
  project,
  type ScalerValues,
  type StandardScaleParams,
  standardScale,
  VECTOR_TYPE,
} from "./vector-transforms";
