import type { BuiltinFunction, FunctionSpec } from "../data/batch-function";
import { PomonaError } from "../errors";

/** A plan names a built-in function that this version does not have. */
export class UnknownFunctionError extends PomonaError {}

/** Loaded on first use: a worker that only scales vectors never loads an image decoder. */
const BUILTINS: Readonly<Record<string, () => BuiltinFunction>> = {
  "binaryFile.content": () => require("./file-content").fileContent,
  "image.source": () => require("./image-source").imageSource,
  "image.features": () => require("../model/image-features").imageFeatures,
  "ml.moments": () => require("../ml").moments,
  "ml.scatter": () => require("../ml").scatter,
  "ml.standardScale": () => require("../ml").standardScale,
  "ml.project": () => require("../ml").project,
  "ml.arrayToVector": () => require("../ml").arrayToVector,
  "ml.vectorToArray": () => require("../ml").vectorToArray,
  "ml.clusterSums": () => require("../ml").clusterSums,
  "ml.clusterSample": () => require("../ml").clusterSample,
  "ml.clusterPredict": () => require("../ml").clusterPredict,
  "ml.labelCounts": () => require("../ml").labelCounts,
  "ml.stringIndex": () => require("../ml").stringIndex,
  "ml.indexToString": () => require("../ml").indexToString,
  "ml.assemble": () => require("../ml").assemble,
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
