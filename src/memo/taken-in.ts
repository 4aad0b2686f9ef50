import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { findFiles, PARTITION_INFERENCE, type ReadLeaf, type ReadSettings, readSettings } from "../engine/files";
import type { Plan } from "../frame/plan";
import { viewNamed, viewsOf } from "../frame/views";
import { Session } from "../session/session";
import { type FileStatus, PathNotFoundError, type Storages } from "../storage";
import type { FilesWanted, ObservedRead } from "../storage/observed-reads";
import { planDigest } from "./fingerprint";

/*
 * What a memo's function read while it ran, through the session: files that DataFrames are made of, weights, models, views. It is
 * not part of the key, since nobody knows it before the function has run; it is kept with the value, and the value is taken only while
 * all of it is as it was.
 */

/** As it was then. */
export type TakenIn =
  | {
      readonly kind: "files";
      readonly what: string;
      readonly how: FilesWanted;
      readonly files: readonly FileState[];
    }
  | { readonly kind: "view"; readonly name: string; readonly digest: string };

interface FileState extends Omit<FileStatus, "url"> {
  readonly url: string;
  /** Where the storage could not say then whether the next change would show. */
  readonly sha256?: string;
}

/** Puts down what was read. @returns undefined where something was another thing each time it was read */
export async function takenIn(
  memo: string,
  reads: readonly ObservedRead[],
  storages: Storages,
): Promise<readonly TakenIn[] | undefined> {
  const found = new Map<string, TakenIn>();
  for (const read of reads) {
    const key = read.kind === "view" ? `view ${read.name}` : JSON.stringify(read.how, withoutPlanIds);
    const taken: TakenIn =
      read.kind === "view"
        ? { kind: "view", name: read.name, digest: planDigest(memo, read.plan) }
        : {
            kind: "files",
            what: read.what,
            how: JSON.parse(JSON.stringify(read.how, withoutPlanIds)) as FilesWanted,
            files: read.files.map(stateOf),
          };
    const [before, now] = withCommonVersions(found.get(key), taken);
    if (before && JSON.stringify(before) !== JSON.stringify(now) && changeOf(before, now) !== undefined)
      return undefined;
    found.set(key, before ?? now);
  }
  const all: TakenIn[] = [];
  for (const taken of found.values()) all.push(await withDigests(taken, storages));
  return all;
}

/** A file has a version only once it is not new any more, so the second look at it may know one: its content decides then. */
function withCommonVersions(before: TakenIn | undefined, now: TakenIn): readonly [TakenIn | undefined, TakenIn] {
  if (before?.kind !== "files" || now.kind !== "files") return [before, now];
  const within = (files: readonly FileState[], others: readonly FileState[]) => {
    const doubtful = new Set(others.filter(({ version }) => version === undefined).map(({ url }) => url));
    return files.map((file) => {
      const { version: _, ...known } = file;
      return doubtful.has(file.url) ? known : file;
    });
  };
  return [
    { ...before, files: within(before.files, now.files) },
    { ...now, files: within(now.files, before.files) },
  ];
}

/** What is no more as it was, in words; undefined where all of it is. */
export async function changeIn(
  memo: string,
  reads: readonly TakenIn[],
  storages: Storages,
): Promise<string | undefined> {
  for (const read of reads) {
    const change = read.kind === "view" ? viewChange(memo, read.name, read.digest) : await filesChange(read, storages);
    if (change !== undefined) return change;
  }
  return undefined;
}

/** What a name of SQL text stands for now. */
export function planOfView(name: string): Plan | undefined {
  const session = Session.getActiveSession();
  return session && viewNamed(viewsOf(session.runtime), name);
}

function viewChange(memo: string, name: string, digest: string): string | undefined {
  const plan = planOfView(name);
  if (plan === undefined) return `the view ${name} is not there`;
  return planDigest(memo, plan) === digest ? undefined : `the view ${name} is another one`;
}

type Files = Extract<TakenIn, { kind: "files" }>;

async function filesChange(before: Files, storages: Storages): Promise<string | undefined> {
  if (before.how.kind === "read" && !isDeepStrictEqual(before.how.settings, settingsNow()))
    return `${PARTITION_INFERENCE} was changed`;
  const now = await filesNow(before.how, storages);
  if (now === undefined) return `${before.what} is not there`;
  const doubtful = new Map(before.files.filter(({ sha256 }) => sha256 !== undefined).map((file) => [file.url, file]));
  const files: FileState[] = [];
  for (const file of now) {
    const old = doubtful.get(file.url);
    const isSame = old && old.size === file.size && (await digestOf(file.url, storages)) === old.sha256;
    files.push(isSame ? old : stateOf(file));
  }
  return changeOf(before, { ...before, files });
}

function settingsNow(): ReadSettings {
  // Who reads through a session has one, with the settings that it was given.
  const { conf } = Session.builder().getOrCreateSync();
  return readSettings((name) => conf.get(name));
}

async function filesNow(how: FilesWanted, storages: Storages): Promise<readonly FileStatus[] | undefined> {
  try {
    if (how.kind === "read")
      return (await findFiles(how.leaf as ReadLeaf, { settings: how.settings as ReadSettings, storages })).files;
    const { url, storage } = storages.at(how.url);
    const status = await storage.stat(url);
    return status === undefined || status === "folder" ? undefined : [status];
  } catch (error) {
    if (error instanceof PathNotFoundError) return undefined;
    throw error;
  }
}

function changeOf(before: TakenIn, after: TakenIn): string | undefined {
  if (before.kind === "view") {
    const isSame = after.kind === "view" && after.digest === before.digest;
    return isSame ? undefined : `the view ${before.name} is another one`;
  }
  if (after.kind === "view") return `the view ${after.name} is another one`;
  const known = new Map(before.files.map((file) => [file.url, file]));
  const others = new Set(before.files.map(({ url }) => url));
  let more = 0;
  let changed = 0;
  for (const file of after.files) {
    const old = known.get(file.url);
    others.delete(file.url);
    if (!old) more++;
    else if (!isSame(old, file)) changed++;
  }
  const counts = [
    [more, "more"],
    [others.size, "fewer"],
    [changed, "changed"],
  ] as const;
  const words = counts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} file${count === 1 ? "" : "s"} ${word}`);
  if (words.length > 0) return `${before.what}: ${words.join(", ")}`;
  // Rows come in the order of files.
  const isOrdered = before.files.every(({ url }, i) => after.files[i]?.url === url);
  return isOrdered && before.files.length === after.files.length ? undefined : `${before.what}: files in another order`;
}

function isSame(old: FileState, now: FileState): boolean {
  if (old === now) return true;
  if (old.sha256 !== undefined) return old.sha256 === now.sha256;
  return old.size === now.size && old.modifiedAt === now.modifiedAt && old.version === now.version;
}

function stateOf({ url, size, modifiedAt, version }: FileStatus): FileState {
  return { url, size, modifiedAt, ...(version !== undefined && { version }) };
}

/** With the content of files that were written a moment ago: their times alone would not show another change. */
async function withDigests(taken: TakenIn, storages: Storages): Promise<TakenIn> {
  if (taken.kind === "view") return taken;
  const files: FileState[] = [];
  for (const file of taken.files)
    files.push(file.version === undefined ? { ...file, sha256: await digestOf(file.url, storages) } : file);
  return { ...taken, files };
}

/** Of a file's content, in hexadecimal digits. */
export async function digestOf(url: string, storages: Storages): Promise<string> {
  const place = storages.at(url);
  const hash = createHash("sha256");
  for await (const chunk of place.storage.readStream(place.url)) hash.update(chunk);
  return hash.digest("hex");
}

function withoutPlanIds(key: string, value: unknown): unknown {
  return key === "planId" ? undefined : value;
}
