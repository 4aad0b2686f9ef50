import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { VERSION } from "../version";
import { buildGraph, type Graph } from "./graph";
import { inputShape, type Network } from "./layers";
import { onnxModel } from "./onnx-model";
import { cacheDir, loadWeights, type ResolvedWeights } from "./weights-lookup";

/*
 * Reading a Keras file takes a third of a second, in every worker of every run, and writing an ONNX model of it a tenth. Both
 * are kept beside the weights, named after what they were made of, so that they are never stale.
 */

/** A network with weights, in the forms that backends build from; each is made or read when it is asked for. */
export interface StoredNetwork {
  readonly inputShape: Graph["inputShape"];
  graph(): Promise<Graph>;
  /** The ONNX model: its bytes, or the path of a file. @param anew true where the file that is there cannot be read */
  onnxModel(anew?: boolean): Promise<Uint8Array | string>;
}

/** A graph that is at hand. */
export function networkOfGraph(graph: Graph): StoredNetwork {
  return { inputShape: graph.inputShape, graph: async () => graph, onnxModel: async () => onnxModel(graph) };
}

/**
 * A network with these weights, from the cache where it is there, else built and put there.
 * @param options.cacheDir where it is kept. @default as for weights
 */
export function storedNetwork(
  network: Network,
  weights: ResolvedWeights,
  options: { readonly cacheDir?: string } = {},
): StoredNetwork {
  return {
    inputShape: inputShape(network),
    graph: () => cachedGraph(network, weights, options),
    async onnxModel(anew = false) {
      if (weights.kind === "random") return onnxModel(await cachedGraph(network, weights, options));
      const file = cacheFile(network, weights, options, "onnx");
      if (!anew && existsSync(file)) return file;
      const model = onnxModel(await cachedGraph(network, weights, options));
      return (await writeCache(file, model)) ? file : model;
    },
  };
}

/**
 * The graph of a network with these weights.
 * @throws WeightsFormatError, WeightsShapeError
 */
export async function cachedGraph(
  network: Network,
  weights: ResolvedWeights,
  options: { readonly cacheDir?: string } = {},
): Promise<Graph> {
  // Random weights are drawn as fast as they are read.
  if (weights.kind === "random") return buildGraph(network, await loadWeights(weights, network));
  const file = cacheFile(network, weights, options, "v8");
  const found = await readGraph(file);
  if (found) return found;
  const graph = buildGraph(network, await loadWeights(weights, network));
  await writeCache(file, serialize(graph));
  return graph;
}

function cacheFile(
  network: Network,
  weights: ResolvedWeights,
  options: { readonly cacheDir?: string },
  extension: "v8" | "onnx",
): string {
  const form = [network.name, inputShape(network).join("x"), network.layers.at(-1)!.name, network.layers.length];
  return join(cacheDir(options), "graphs", `${form.join("-")}-${weights.sha256}-${VERSION}.${extension}`);
}

/** A file that is missing, or cut short by a full disk, is no graph. */
async function readGraph(file: string): Promise<Graph | undefined> {
  try {
    return deserialize(await readFile(file)) as Graph;
  } catch {
    return undefined;
  }
}

/** A cache that can't be written, on a read-only disk say, costs time alone. @returns whether it was written */
async function writeCache(file: string, content: Uint8Array): Promise<boolean> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, content);
    await rename(temporary, file);
    return true;
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
    return false;
  }
}
