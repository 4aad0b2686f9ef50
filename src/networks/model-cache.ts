import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { serialize } from "node:v8";
import { sha256Of } from "../data/shipped-file";
import { localStorage } from "../storage/local-storage";
import { fileUrl } from "../storage/location";
import { VERSION } from "../version";
import { buildGraph } from "./graph";
import { inputShape, type Network } from "./layers";
import type { ModelForm } from "./network-backend";
import { onnxModel } from "./onnx-model";
import { readWeights } from "./weights";
import { cacheDir, type ResolvedWeights } from "./weights-lookup";

/*
 * Reading a Keras file takes a third of a second, and writing an ONNX model of it a tenth. What comes of it is kept beside the
 * weights, named after what it was made of, so that it is never stale, with its hash, so that damage is seen.
 */

type WeightsFile = Extract<ResolvedWeights, { kind: "file" }>;

/** A network with its weights, as a backend builds from it: bytes, or a file that has them. */
export type Model = Uint8Array | { readonly path: string; readonly sha256: string };

/**
 * A network with these weights, from the cache where it is there whole, else built and put there.
 * @param options.cacheDir where it is kept. @default as for weights
 * @throws WeightsFormatError, WeightsShapeError
 */
export async function cachedModel(
  network: Network,
  weights: WeightsFile,
  form: ModelForm,
  options: { readonly cacheDir?: string } = {},
): Promise<Model> {
  const name = [network.name, inputShape(network).join("x"), network.layers.at(-1)!.name, network.layers.length];
  const path = join(cacheDir(options), "graphs", `${name.join("-")}-${weights.sha256}-${VERSION}.${form}`);
  const found = await hashOfWhole(path);
  if (found !== undefined) return { path, sha256: found };
  const graph = buildGraph(network, await readWeights(weights.path, network));
  const bytes = form === "onnx" ? onnxModel(graph) : serialize(graph);
  const sha256 = sha256Of(bytes);
  return (await written(path, bytes, sha256)) ? { path, sha256 } : bytes;
}

/** The hash of a file that is as it was written; undefined for one that is missing, cut short by a full disk, or damaged. */
async function hashOfWhole(path: string): Promise<string | undefined> {
  try {
    const [bytes, said] = await Promise.all([readFile(path), readFile(`${path}.sha256`, "utf8")]);
    return sha256Of(bytes) === said ? said : undefined;
  } catch {
    return undefined;
  }
}

/** A cache that can't be written, on a read-only disk say, costs time alone. */
async function written(path: string, bytes: Uint8Array, sha256: string): Promise<boolean> {
  try {
    for (const [to, content] of [
      [path, bytes],
      [`${path}.sha256`, sha256],
    ] as const) {
      await localStorage.writeFile(fileUrl(resolve(to)), content);
    }
    return true;
  } catch {
    return false;
  }
}
