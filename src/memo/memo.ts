import { inspect } from "node:util";
import { CancelledError, IllegalArgumentError } from "../errors";
import { kernelHost } from "../kernel";
import { bytesText, shortDurationText } from "../showing/quantities";
import { activeStorages, joinUrl, type Place, StorageError, type Storages, type Url } from "../storage";
import { type ObservedRead, observed, observing } from "../storage/observed-reads";
import {
  allEntries,
  commitEntry,
  damageOf,
  draftFolder,
  type Entry,
  entriesOf,
  entryAt,
  type FoundEntry,
  filesOf,
  folderOf,
  markUsed,
} from "./entries";
import { MemoValueError } from "./errors";
import { type KeyPart, type MemoKey, memoKey } from "./fingerprint";
import { keepable, keptValue, VALUE_FILE } from "./kept-value";
import { changeIn, planOfView, type TakenIn, takenIn } from "./taken-in";

export interface MemoOptions {
  /**
   * What the value depends on, in place of the values that the function uses: plain data, such as a file's time or a version.
   * The function's own text counts all the same, and so does what it reads through the session.
   * @default found from the function
   */
  readonly key?: unknown;
}

/** A value that is kept, as `memo.list()` has it. */
export interface KeptMemo {
  readonly name: string;
  readonly key: string;
  /** Where it is kept. */
  readonly path: string;
  readonly bytes: number;
  /** How long its function took, in seconds. */
  readonly seconds: number;
  readonly madeAt: Date;
  /** When it was last made or taken. */
  readonly usedAt: Date;
}

/**
 * Keeps a costly value on disk, beside the notebook, for the next time and the next kernel.
 *
 *     const features = await memo("features", () => model.transform(images));
 *
 * The function runs where no value is kept for the same code and inputs: its text, the values of the names that it uses, what
 * these use in turn (functions, classes, DataFrames, models, modules of your own, versions of packages), and the files and views
 * that it read through the session. One line says what was taken from where, or why it was computed. Other things that a function may
 * take in are not seen: files that it opens itself, the network, the environment, the time, random numbers. Give such a thing's state as `key`.
 *
 * Kept are plain data as `structuredClone` copies it, DataFrames (as Parquet, to be read from there), Spark ML's vectors and
 * matrices, fitted models, and arrays, objects, Maps and Sets of these. The value is always the one that was read back, so that
 * it is the same the first time and later. Of each name the 20 values stay that were used last, and 4 of the function as it was before.
 *
 * @param name of the value, and of its folder below `.pomona/memo`
 * @param compute gives the value, or a promise of it; what it throws is thrown, and nothing kept
 * @throws MemoKeyError for what can't be compared with the last time, naming it
 * @throws MemoValueError for a value that would not come back as it is, such as an instance of a class
 */
export interface Memo {
  <T>(name: string, compute: () => T | Promise<T>, options?: MemoOptions): Promise<T>;
  /** What is kept, by name; of one, the value that was used last first. */
  list(): Promise<readonly KeptMemo[]>;
  /** Removes what is kept under a name, or all. @returns how many values */
  clear(name?: string): Promise<number>;
}

/** The folder of all memos, from where the program runs: in a notebook, the notebook's. */
const ROOT = ".pomona/memo";

/** Values that this process is about to have, by where they are kept. */
const underWay = new Map<string, Promise<unknown>>();

export const memo: Memo = Object.assign(
  <T>(name: string, compute: () => T | Promise<T>, options: MemoOptions = {}): Promise<T> => {
    const work = started(name, compute, options);
    const host = kernelHost();
    if (!host?.onWork) return work;
    host.onWork(work);
    // One of its own: the kernel's look at the other counts as handling its rejection.
    return work.then((value) => value);
  },
  {
    async list() {
      return (await allEntries(rootPlace(activeStorages()))).map(keptMemo);
    },
    async clear(name?: string) {
      const { url, storage } = rootPlace(activeStorages());
      const folder = name === undefined ? url : folderOf(url, checkedName(name));
      const place = { url: folder, storage };
      const entries = name === undefined ? await allEntries(place) : await entriesOf(place);
      await storage.remove(folder);
      return entries.length;
    },
  },
);

async function started<T>(name: string, compute: () => T | Promise<T>, options: MemoOptions): Promise<T> {
  checkedName(name);
  if (typeof compute !== "function") {
    throw new IllegalArgumentError(`memo ${JSON.stringify(name)} takes a function, not ${inspect(compute)}.`, {
      remedy: `Write await memo(${JSON.stringify(name)}, () => …): it runs only where no value is kept.`,
    });
  }
  const key = memoKey(name, compute, "key" in options ? { key: options.key } : undefined);
  const storages = activeStorages();
  const root = rootPlace(storages);
  const home = joinUrl(folderOf(root.url, name), key.key);
  const place = { url: home, storage: root.storage };
  const running = underWay.get(home);
  if (running) return running as Promise<T>;
  const work = taken(name, key, place, storages).then((found) =>
    "value" in found ? found.value : computed(name, key, compute, found.why, place, storages),
  );
  underWay.set(home, work);
  try {
    return (await work) as T;
  } finally {
    underWay.delete(home);
  }
}

// --- Taking ---------------------------------------------------------------------------------------------------------

type Taken = { readonly value: unknown } | { readonly why: string | undefined };

/** The value that is kept, or why there is none, in words. */
async function taken(name: string, key: MemoKey, place: Place, storages: Storages): Promise<Taken> {
  const found = await entryAt(place);
  if (!found || found.entry.name !== name || found.entry.key !== key.key)
    return { why: await whyAnother(name, key, place) };
  const { entry } = found;
  const change = await changeIn(name, entry.reads, storages);
  if (change !== undefined) return { why: change };
  const damage = await damageOf(found, storages);
  if (damage !== undefined) return { why: `what was kept can't be used (${damage})` };
  const folder = joinUrl(place.url, entry.folder);
  const value = await keptValue(await place.storage.readFile(joinUrl(folder, VALUE_FILE)), folder);
  await markUsed(found, place.storage);
  // Who keeps a value that is made of this one depends on what this one was made of.
  for (const read of entry.reads) observed(asObserved(read));
  const made = `made ${timeText(entry.madeAt)}, ${bytesText(entry.bytes)}, saved ${shortDurationText(entry.milliseconds / 1000)}`;
  say(name, `taken from ${shownPath(place.url)} (${made})`);
  return { value };
}

function asObserved(read: TakenIn): ObservedRead {
  // The view of that name was found to be the same.
  if (read.kind === "view") return { kind: "view", name: read.name, plan: planOfView(read.name) };
  const { what, how, files } = read;
  return {
    kind: "files",
    what,
    how,
    files: files.map(({ sha256: _, url, ...file }) => ({ ...file, url: url as Url })),
  };
}

/** What differs from the key that was used last. */
async function whyAnother(
  name: string,
  { text, parts }: MemoKey,
  { url, storage }: Place,
): Promise<string | undefined> {
  const folder = url.slice(0, url.lastIndexOf("/")) as Url;
  const last = (await entriesOf({ url: folder, storage })).find(({ entry }) => entry.name === name);
  if (!last) return undefined;
  const before = new Map(last.entry.parts.map((part) => [part.name, part]));
  const changes = parts.flatMap((part) => changeText(before.get(part.name), part) ?? []);
  const all = last.entry.text === text ? changes : ["the function's text changed", ...changes];
  const [first, second, ...others] = all;
  if (first === undefined) return "another version of Pomona or Node";
  const more = others.length > 0 ? `, and ${others.length} more` : "";
  return `${[first, ...(second === undefined ? [] : [second])].join(", ")}${more}`;
}

function changeText(before: KeyPart | undefined, { name, kind, digest, shown }: KeyPart): string | undefined {
  if (!before || before.digest === digest) return undefined;
  switch (kind) {
    case "function":
    case "class":
      return `${name} was redefined`;
    case "package":
      return `${name} is of ${shown} (was ${before.shown ?? "no package's"})`;
    case "frame":
      return `${name} is another DataFrame`;
    default:
      if (shown !== undefined && before.shown !== undefined) return `${name} is ${shown} (was ${before.shown})`;
      return `${name} was redefined`;
  }
}

// --- Computing ------------------------------------------------------------------------------------------------------

async function computed(
  name: string,
  key: MemoKey,
  compute: () => unknown,
  why: string | undefined,
  place: Place,
  storages: Storages,
): Promise<unknown> {
  let isInterrupted = false;
  const forget = kernelHost()?.onInterrupt(() => {
    isInterrupted = true;
  });
  const assertGoesOn = () => {
    if (isInterrupted) throw new CancelledError(`memo ${JSON.stringify(name)} was interrupted.`);
  };
  const reads: ObservedRead[] = [];
  const began = performance.now();
  const draft = draftFolder(place.url);
  try {
    const note = (read: ObservedRead) => void reads.push(read);
    const { bytes, isPlain } = await observing(note, async () => {
      const value = await compute();
      assertGoesOn();
      const kept = keepable(name, value);
      return { bytes: await kept.bytes(draft.url, storages), isPlain: kept.isPlain };
    });
    assertGoesOn();
    const milliseconds = performance.now() - began;
    const reason = why === undefined ? "" : `recomputed: ${why}; `;
    try {
      const made = { name, key, milliseconds, draft, bytes, reads };
      const { path, size } = await kept(made, place, storages, assertGoesOn);
      say(name, `${reason}computed in ${shortDurationText(milliseconds / 1000)}, kept in ${path} (${size})`);
    } catch (error) {
      // The value is there: a full disk is no reason to lose it.
      if (!(error instanceof StorageError || error instanceof NotKept)) throw error;
      if (!isPlain) throw error instanceof NotKept ? error.asError(name) : error;
      const [problem] = error.message.split("\n");
      say(name, `${reason}computed in ${shortDurationText(milliseconds / 1000)}, NOT kept: ${problem}`);
      await place.storage.remove(draft.url).catch(() => {});
    }
    return await keptValue(bytes, draft.url);
  } catch (error) {
    await place.storage.remove(draft.url).catch(() => {});
    await place.storage.removeEmptyFolder(place.url).catch(() => {});
    throw error;
  } finally {
    forget?.();
  }
}

/** What was computed can't be kept, and is good all the same. */
class NotKept extends Error {
  constructor(readonly change: string) {
    super(`${change} while it ran`);
  }

  /** For a value that is of no use where it is not kept. */
  asError(name: string): MemoValueError {
    const remedy = "Run it again when nothing writes there.";
    return new MemoValueError(name, this.change, "while it ran", remedy);
  }
}

interface Made {
  readonly name: string;
  readonly key: MemoKey;
  readonly milliseconds: number;
  readonly draft: { readonly name: string; readonly url: Url };
  readonly bytes: Uint8Array;
  readonly reads: readonly ObservedRead[];
}

async function kept(
  { name, key, milliseconds, draft, bytes, reads }: Made,
  place: Place,
  storages: Storages,
  assertGoesOn: () => void,
) {
  const all = await takenIn(name, reads, storages);
  const change = all && (await changeIn(name, all, storages));
  if (!all || change !== undefined) throw new NotKept(change ?? "what it reads changed");
  await place.storage.writeFile(joinUrl(draft.url, VALUE_FILE), bytes);
  const files = await filesOf(draft.url, storages);
  const size = files.reduce((sum, file) => sum + file.bytes, 0);
  const entry: Entry = {
    form: 1,
    name,
    ...key,
    reads: all,
    madeAt: Date.now(),
    milliseconds,
    bytes: size,
    folder: draft.name,
    files,
  };
  assertGoesOn();
  await commitEntry(place, entry);
  return { path: shownPath(place.url), size: bytesText(size) };
}

// --- Words ----------------------------------------------------------------------------------------------------------

/** In a notebook, in the cell; a program's own output stays its own. */
function say(name: string, words: string): void {
  const line = `memo ${JSON.stringify(name)}: ${words}`;
  if (kernelHost()) console.log(line);
  else console.error(line);
}

function shownPath(home: Url): string {
  const [name, key = ""] = home.split("/").slice(-2);
  return `${ROOT}/${name}/${key.slice(0, 8)}…`;
}

function keptMemo({ entry, home, usedAt }: FoundEntry): KeptMemo {
  const { name, key, bytes, milliseconds, madeAt } = entry;
  const times = { madeAt: new Date(madeAt), usedAt: new Date(usedAt) };
  return { name, key, path: home, bytes, seconds: Math.round(milliseconds) / 1000, ...times };
}

function rootPlace(storages: Storages): Place {
  return storages.at(ROOT);
}

function checkedName(name: unknown): string {
  if (typeof name === "string" && name.trim() !== "" && encodeURIComponent(name).length <= 200) return name;
  throw new IllegalArgumentError(`A memo needs a short name, not ${inspect(name)}.`, {
    remedy: 'E.g. await memo("features", () => …).',
  });
}

/** `2026-11-25 14:03 UTC`. */
function timeText(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
