import { createHash } from "node:crypto";
import { createReadStream, existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { PomonaError, throwIfAborted } from "../errors";
import { cacheFolder } from "../kernel/cache-folder";
import { activeStorages, type FileStatus, type Place } from "../storage";
import { localStorage } from "../storage/local-storage";
import { baseName, fileUrl } from "../storage/location";
import { observedFile } from "../storage/observed-reads";
import type { Network } from "./layers";
import { hashWeights, randomWeights } from "./weights";
import { type DownloadProgress, download } from "./weights-download";

/** Which weights a network runs with, decided: plain data that says the same on every worker. */
export type ResolvedWeights =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly sha256: string;
      /** Where they come from, for people: a path or a URL. */
      readonly origin: string;
    }
  | { readonly kind: "random"; readonly seed: number; readonly sha256: string; readonly origin: string };

export interface ResolveOptions {
  readonly signal?: AbortSignal;
  readonly log?: (level: "debug" | "info" | "warn", message: string) => void;
  /** Called as a download goes on. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /**
   * Where downloads are kept.
   * @default `weights` in {@link cacheFolder}
   */
  readonly cacheDir?: string;
  /**
   * For weights "random".
   * @default 42
   */
  readonly seed?: number;
}

/** Thrown when the weights are nowhere to be found; the message lists each place that was tried. */
export class WeightsUnavailableError extends PomonaError {
  constructor(
    network: string,
    /** Each place, and why nothing came from there. */
    readonly tried: readonly string[],
    cause?: unknown,
  ) {
    const list = tried.map((place) => `  - ${place}`).join("\n");
    super(`No weights for ${network}. Tried:\n${list}`, {
      remedy:
        'Give the path of a Keras .h5 or .keras file as `weights`, put it into the folder POMONA_WEIGHTS_DIR, or use weights "random" for a dry run.',
      cause,
    });
  }
}

/**
 * Finds the weights of a network and hashes them.
 * - `"imagenet"`: the file that Keras publishes, with or without the classifier, from the folder POMONA_WEIGHTS_DIR, the cache, a `shared/models` folder
 *   beside this project's, or its official address.
 * - `"random"`: random numbers, the same ones for the same seed. For dry runs: a warning says so.
 * - a path, or a `file:`, `https:` or storage's URL (such as `s3:`) of a file that Keras wrote: `.h5`, `.weights.h5` or `.keras`.
 * @throws WeightsUnavailableError if there is no such file
 * @throws WeightsChecksumError if what was downloaded is not what Keras publishes
 */
export async function resolveWeights(
  weights: string,
  network: Network,
  options: ResolveOptions = {},
): Promise<ResolvedWeights> {
  throwIfAborted(options.signal);
  switch (weights) {
    case "random":
      return random(network, options);
    case "imagenet":
      return findImagenet(network, options);
    default:
      return findNamed(weights, network, options);
  }
}

function random(network: Network, { seed = 42, log }: ResolveOptions): ResolvedWeights {
  log?.(
    "warn",
    `${network.name} runs with RANDOM weights (seed ${seed}): its features mean nothing. Use weights "imagenet" for real ones.`,
  );
  const sha256 = hashWeights(randomWeights(network, seed));
  return { kind: "random", seed, sha256, origin: `random, seed ${seed}` };
}

async function findImagenet(network: Network, options: ResolveOptions): Promise<ResolvedWeights> {
  const [first] = network.imagenet;
  const fromEnvironment = process.env.POMONA_WEIGHTS_DIR;
  const folders = [
    ...(fromEnvironment ? [resolve(fromEnvironment)] : []),
    cacheDir(options),
    // src/networks and dist/networks are equally deep.
    resolve(__dirname, "../../..", "shared/models"),
  ];
  const places = network.imagenet.flatMap(({ file }) => folders.map((folder) => join(folder, file)));
  for (const path of places) {
    if (isFile(path)) return fromFile(path, path, options);
  }
  const tried = [
    ...(fromEnvironment ? [] : ["POMONA_WEIGHTS_DIR: not set"]),
    ...places.map((path) => `${path}: no such file`),
  ];
  const target = join(cacheDir(options), first.file);
  await downloadOrExplain(first.url, target, first.md5, network, tried, options);
  return fromFile(target, first.url, options);
}

async function findNamed(weights: string, network: Network, options: ResolveOptions): Promise<ResolvedWeights> {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(weights)?.[1]?.toLowerCase();
  switch (scheme) {
    case undefined:
    case "file": {
      const path = scheme === "file" ? fileURLToPath(weights) : resolve(weights);
      if (!isFile(path)) throw new WeightsUnavailableError(network.name, [`${path}: no such file`]);
      return fromFile(path, path, options);
    }
    case "http":
    case "https": {
      const name = new URL(weights).pathname.split("/").at(-1) || "weights.h5";
      const key = createHash("sha256").update(weights).digest("hex").slice(0, 12);
      const cached = join(cacheDir(options), `${key}-${name}`);
      if (!isFile(cached)) await downloadOrExplain(weights, cached, undefined, network, [], options);
      return fromFile(cached, weights, options);
    }
    default:
      return findStored(activeStorages().at(weights), network, options);
  }
}

/** Weights on another storage: fetched into the cache once for each state of the file. */
async function findStored(
  { storage, url }: Place,
  network: Network,
  options: ResolveOptions,
): Promise<ResolvedWeights> {
  const status = await storage.stat(url);
  if (status === undefined || status === "folder") {
    throw new WeightsUnavailableError(network.name, [`${url}: no such file`]);
  }
  const state = [url, status.size, status.modifiedAt, status.version ?? ""].join("\n");
  const key = createHash("sha256").update(state).digest("hex").slice(0, 12);
  const cached = join(cacheDir(options), `${key}-${baseName(url)}`);
  if (!isFile(cached)) {
    options.log?.("info", `Fetching weights of ${network.name} from ${url}`);
    const reading = { signal: options.signal, version: status.version };
    await localStorage.writeStream(
      fileUrl(resolve(cached)),
      counted(storage.readStream(url, reading), status, options),
    );
  }
  return fromFile(cached, url, options, () => observedFile(storage, url));
}

async function* counted(chunks: AsyncIterable<Uint8Array>, { url, size }: FileStatus, options: ResolveOptions) {
  let receivedBytes = 0;
  for await (const chunk of chunks) {
    throwIfAborted(options.signal);
    receivedBytes += chunk.byteLength;
    options.onProgress?.({ url, receivedBytes, totalBytes: size });
    yield chunk;
  }
}

async function downloadOrExplain(
  url: string,
  target: string,
  md5: string | undefined,
  network: Network,
  tried: readonly string[],
  options: ResolveOptions,
): Promise<void> {
  options.log?.("info", `Downloading weights of ${network.name} from ${url}`);
  const failure = await download(url, target, { md5, signal: options.signal, onProgress: options.onProgress });
  if (failure) throw new WeightsUnavailableError(network.name, [...tried, `${url}: ${failure.reason}`], failure.cause);
}

/** @param observe tells of the read; by default of the file itself */
async function fromFile(
  path: string,
  origin: string,
  options: ResolveOptions,
  observe = () => observedFile(localStorage, fileUrl(path), origin),
): Promise<ResolvedWeights> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { signal: options.signal })) hash.update(chunk as Buffer);
  await observe();
  return { kind: "file", path, sha256: hash.digest("hex"), origin };
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** Where downloads and what is made of them are kept. */
export function cacheDir({ cacheDir }: Pick<ResolveOptions, "cacheDir">): string {
  return cacheDir ?? join(cacheFolder(), "weights");
}
