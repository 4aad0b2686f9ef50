import { sha256Of } from "../data/shipped-file";
import { PomonaError } from "../errors";
import { activeStorages, listed, PathNotFoundError, type Storages, type Url } from "../storage";
import { PathAlreadyExistsError } from "../storage/commit";
import { joinUrl } from "../storage/location";
import { observedFile } from "../storage/observed-reads";
import { VERSION } from "../version";
import type { HasRuntime } from "./types";

/** A folder does not hold a whole model of the wanted class. */
export class ModelFormatError extends PomonaError {
  readonly path: string;

  constructor(path: string, problem: string, cause?: unknown) {
    super(`${path} does not hold a model that can be loaded: ${problem}.`, {
      remedy: "Save the model again, or check that the path is the one it was saved to.",
      cause,
    });
    this.path = path;
  }
}

export interface SaveOptions {
  /** What to do where something is at the path. @default "errorifexists" */
  readonly mode?: "errorifexists" | "overwrite";
  /** Where the path is, such as a session's: `session.runtime.storages`. @default those of the session that runs */
  readonly storages?: Storages;
}

/** What is written of a model. */
export interface SavedModel {
  readonly class: string;
  readonly uid: string;
  readonly paramMap: Readonly<Record<string, string | number | boolean>>;
  readonly data: Readonly<Record<string, readonly number[] | readonly string[]>>;
}

/** A model read back; each accessor checks what it gives. */
export interface LoadedModel {
  readonly uid: string;
  /** A parameter. @throws ModelFormatError */
  text(param: string): string;
  /** A parameter. @throws ModelFormatError */
  flag(param: string): boolean;
  /** A parameter. @throws ModelFormatError */
  number(param: string): number;
  /** A part of the data. @throws ModelFormatError */
  texts(name: string): readonly string[];
  /** A part of the data. @throws ModelFormatError */
  numbers(name: string): Float64Array;
}

/*
 * A model is a folder of two files: `data-<hash>.json` with the numbers, and `metadata.json` (class, version, uid,
 * parameters as in Spark ML's metadata) which names the other one and its hash. The data goes first and the metadata
 * is put in place in one step, so that it always names data that is all there.
 */
const METADATA = "metadata.json";
const DATA = /^data-[0-9a-f]{16}\.json$/;

/** Writes a model's folder. @param writeParts writes what the model is made of, before the model names it @throws PathAlreadyExistsError */
export async function saveModel(
  path: string,
  model: SavedModel,
  { mode = "errorifexists", storages = activeStorages() }: SaveOptions,
  writeParts?: (folder: Url) => Promise<void>,
): Promise<void> {
  const { storage, url: folder } = storages.at(path);
  if (mode === "errorifexists" && (await storage.stat(folder)) !== undefined) {
    throw new PathAlreadyExistsError(`There is something at ${folder} already.`, {
      remedy: 'Save to another path, or give { mode: "overwrite" }.',
    });
  }
  const text = JSON.stringify(model.data);
  const sha256 = sha256Of(text);
  const file = `data-${sha256.slice(0, 16)}.json`;
  const metadata = {
    class: model.class,
    timestamp: Date.now(),
    pomonaVersion: VERSION,
    uid: model.uid,
    paramMap: model.paramMap,
    data: { file, sha256 },
  };
  await writeParts?.(folder);
  await storage.writeFile(joinUrl(folder, file), text);
  await storage.writeFile(joinUrl(folder, METADATA), `${JSON.stringify(metadata, undefined, 2)}\n`);
  for (const { url } of await listed(storage, folder, { recursive: false })) {
    const name = url.slice(url.lastIndexOf("/") + 1);
    // What the model that was there before named.
    if (DATA.test(name) && name !== file) await storage.remove(url);
  }
}

function storagesOf(session: HasRuntime | undefined): Storages {
  return session?.runtime.storages ?? activeStorages();
}

/** The class of what is saved in a folder. @throws ModelFormatError */
export async function savedClass(path: string, session?: HasRuntime): Promise<string> {
  const { storage, url: folder } = storagesOf(session).at(path);
  try {
    const text = Buffer.from(await storage.readFile(joinUrl(folder, METADATA))).toString("utf8");
    return String((JSON.parse(text) as { readonly class?: unknown }).class);
  } catch (error) {
    throw new ModelFormatError(path, `${METADATA} is missing or not whole`, error);
  }
}

/** Reads a model's folder. @throws ModelFormatError, PathNotFoundError where there is no folder */
export async function loadModel(path: string, className: string, session?: HasRuntime): Promise<LoadedModel> {
  const { storage, url: folder } = storagesOf(session).at(path);
  if ((await storage.stat(folder)) === undefined) {
    throw new PathNotFoundError(`There is no model at ${folder}.`, folder, { remedy: "Check the path." });
  }
  await observedFile(storage, joinUrl(folder, METADATA), path);
  const metadata = parsed(await read(METADATA), METADATA);
  if (metadata.class !== className) {
    throw new ModelFormatError(path, `it is a ${JSON.stringify(metadata.class)}, not a ${className}`);
  }
  const { file, sha256 } = record(metadata.data, "data");
  if (typeof file !== "string" || !DATA.test(file)) throw new ModelFormatError(path, `${METADATA} names no data`);
  const text = await read(file);
  if (sha256Of(text) !== sha256) throw new ModelFormatError(path, `${file} is damaged or cut short`);
  const data = parsed(text, file);
  const paramMap = record(metadata.paramMap, "paramMap");

  return {
    uid: typeof metadata.uid === "string" ? metadata.uid : missing("uid"),
    text: (param) => {
      const value = paramMap[param];
      return typeof value === "string" ? value : missing(param);
    },
    flag: (param) => {
      const value = paramMap[param];
      return typeof value === "boolean" ? value : missing(param);
    },
    number: (param) => {
      const value = paramMap[param];
      return typeof value === "number" ? value : missing(param);
    },
    texts: (name) => {
      const values = data[name];
      const isGood = Array.isArray(values) && values.every((v) => typeof v === "string");
      return isGood ? (values as string[]) : missing(name);
    },
    numbers: (name) => {
      const values = data[name];
      const isGood = Array.isArray(values) && values.every((v) => typeof v === "number");
      return isGood ? Float64Array.from(values as number[]) : missing(name);
    },
  };

  async function read(name: string): Promise<string> {
    try {
      return Buffer.from(await storage.readFile(joinUrl(folder, name))).toString("utf8");
    } catch (error) {
      if (error instanceof PathNotFoundError) throw new ModelFormatError(path, `${name} is missing`, error);
      throw error;
    }
  }

  function parsed(json: string, name: string): Record<string, unknown> {
    try {
      return record(JSON.parse(json), name);
    } catch (error) {
      throw error instanceof ModelFormatError ? error : new ModelFormatError(path, `${name} is not whole`, error);
    }
  }

  function record(value: unknown, name: string): Record<string, unknown> {
    const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
    return isRecord ? (value as Record<string, unknown>) : missing(name);
  }

  function missing(name: string): never {
    throw new ModelFormatError(path, `${name} is missing or of another form`);
  }
}
