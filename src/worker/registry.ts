import type { BuiltinFunction, FunctionSpec } from "../data/batch-function";
import { PomonaError } from "../errors";

/** A plan names a built-in function that this version does not have. */
export class UnknownFunctionError extends PomonaError {}

/** Loaded on first use: a worker that only scales vectors never loads an image decoder. */
const BUILTINS: Readonly<Record<string, () => BuiltinFunction>> = {
  "binaryFile.content": () => require("./file-content").fileContent,
  "image.source": () => require("./image-source").imageSource,
  "image.features": () => require("../networks/image-features").imageFeatures,
  "ml.moments": () => require("../numerics").moments,
  "ml.scatter": () => require("../numerics").scatter,
  "ml.standardScale": () => require("../numerics").standardScale,
  "ml.project": () => require("../numerics").project,
  "ml.arrayToVector": () => require("../numerics").arrayToVector,
  "ml.vectorToArray": () => require("../numerics").vectorToArray,
  "ml.clusterSums": () => require("../numerics").clusterSums,
  "ml.clusterSample": () => require("../numerics").clusterSample,
  "ml.clusterPredict": () => require("../numerics").clusterPredict,
  "ml.labelCounts": () => require("../numerics").labelCounts,
  "ml.stringIndex": () => require("../numerics").stringIndex,
  "ml.indexToString": () => require("../numerics").indexToString,
  "ml.assemble": () => require("../numerics").assemble,
};

/** The built-in function of that name. @throws UnknownFunctionError */
export function builtinFunction(spec: Extract<FunctionSpec, { kind: "builtin" }>): BuiltinFunction {
  const load = BUILTINS[spec.name];
  if (!load) {
    throw new UnknownFunctionError(`There is no built-in batch function "${spec.name}".`, {
      remedy: "The driver and the worker may run different versions; install the same one on both.",
    });
  }
  return load();
}
