import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { VERSION } from "../version";
import { buildGraph, type Graph } from "./graph";
import { inputShape, type Network } from "./layers";
import { cacheDir, loadWeights, type ResolvedWeights } from "./weights-lookup";

/*
 * Reading a Keras file takes a third of a second, in every worker of every run. The graph made of it is kept beside
 * the weights, named after what it was made of, so that it is never stale.
 */

/**
 * The graph of a network with these weights, from the cache where it is there, else built and put there.
 * @param options.cacheDir where it is kept. @default as for weights
 * @throws WeightsFormatError, WeightsShapeError
 */
export async function cachedGraph(
  network: Network,
  weights: ResolvedWeights,
  options: { readonly cacheDir?: string } = {},
): Promise<Graph> {
  // Random weights are drawn as fast as they are read.
  if (weights.kind === "random") return buildGraph(network, await loadWeights(weights, network));
  const form = [network.name, inputShape(network).join("x"), network.layers.at(-1)!.name, network.layers.length].join(
    "-",
  );
  const file = join(cacheDir(options), "graphs", `${form}-${weights.sha256}-${VERSION}.v8`);
  const found = await readGraph(file);
  if (found) return found;
  const graph = buildGraph(network, await loadWeights(weights, network));
  await writeGraph(file, graph);
  return graph;
}

/** A file that is missing, or cut short by a full disk, is no graph. */
async function readGraph(file: string): Promise<Graph | undefined> {
  try {
    return deserialize(await readFile(file)) as Graph;
  } catch {
    return undefined;
  }
}

/** A cache that can't be written, on a read-only disk say, costs time alone. */
async function writeGraph(file: string, graph: Graph): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, serialize(graph));
    await rename(temporary, file);
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}
