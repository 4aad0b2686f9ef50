import type { ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { throwIfAborted } from "../../errors";
import { PathNotFoundError } from "../errors";
import { isHidden, type Url } from "../location";
import type { FileStatus, ListOptions } from "../storage";
import { type Address, addressOf, isFolderMarker, prefixOf, urlIn } from "./address";
import { isNotThere, type S3Purpose } from "./failures";
import { payer } from "./parameters";
import type { S3Requests } from "./requests";

/** Folders that are listed at the same time, where the first page does not hold everything. */
const FOLDERS_AT_ONCE = 8;

/** With more folders than this, each holds so little that going through the keys in order is faster. */
const MOST_FOLDERS = 256;

/** One page of a listing. */
interface Page {
  readonly files: readonly FileStatus[];
  /** The keys of folders, with a slash at their end; where folders were asked for. */
  readonly folders: readonly string[];
  /** Where the next page begins. */
  readonly next: string | undefined;
}

/** The objects below a URL, page by page; the next page is on its way while one is used. @throws PathNotFoundError */
export async function* listObjects(
  requests: S3Requests,
  url: Url,
  { recursive = true, hidden = false, signal }: ListOptions = {},
): AsyncGenerator<FileStatus> {
  const at = addressOf(url);
  const prefix = prefixOf(at);
  const isWanted = ({ url: found }: FileStatus) =>
    hidden || !found.slice(urlIn(at, prefix).length).split("/").some(isHidden);
  const page = (from: string, next?: string, folders = false) =>
    listPage(requests, at, url, { prefix: from, next, folders, signal });

  // An object may be called as the folder is.
  const object = at.key === "" ? undefined : headOrUndefined(requests, url, signal);
  object?.catch(() => {});
  const first = await page(prefix, undefined, !recursive);
  const itself = await object;
  if (itself) yield itself;
  else if (first.files.length === 0 && first.folders.length === 0 && !first.isAny) throw nothingAt(url);

  const split = recursive && first.next !== undefined ? await page(prefix, undefined, true) : undefined;
  const isSplit =
    split?.next === undefined &&
    split !== undefined &&
    split.folders.length > 1 &&
    split.folders.length <= MOST_FOLDERS;
  if (!isSplit) {
    for await (const files of pagesFrom(first, (next) => page(prefix, next, !recursive), signal))
      yield* files.filter(isWanted);
    return;
  }
  yield* split.files.filter(isWanted);
  const folders = split.folders.filter((key) => hidden || !isHidden(key.slice(prefix.length, -1)));
  for await (const files of inTurns(
    folders.map(
      (key) =>
        async function* () {
          yield* pagesFrom(await page(key), (next) => page(key, next), signal);
        },
    ),
    FOLDERS_AT_ONCE,
  )) {
    yield* files.filter(isWanted);
  }
}

/** The names in a folder, sorted; none where there is none. */
export async function childrenOf(requests: S3Requests, url: Url): Promise<{ name: string; isFolder: boolean }[]> {
  const at = addressOf(url);
  const prefix = prefixOf(at);
  const children: { name: string; isFolder: boolean }[] = [];
  for (let next: string | undefined, isLast = false; !isLast; isLast = next === undefined) {
    const page = await listPage(requests, at, url, { prefix, next, folders: true });
    for (const { url: found } of page.files)
      children.push({ name: found.slice(urlIn(at, prefix).length), isFolder: false });
    for (const key of page.folders) children.push({ name: key.slice(prefix.length, -1), isFolder: true });
    next = page.next;
  }
  return children.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A file's status, `"folder"` where keys lie below, or undefined. */
export async function statusOf(requests: S3Requests, url: Url): Promise<FileStatus | "folder" | undefined> {
  const at = addressOf(url);
  const file = at.key === "" ? undefined : await headOrUndefined(requests, url);
  if (file) return file;
  const { isAny } = await listPage(requests, at, url, { prefix: prefixOf(at), most: 1 });
  return isAny ? "folder" : undefined;
}

/** Everything below a folder, markers too, as pages of keys. */
export async function* keysBelow(requests: S3Requests, url: Url): AsyncGenerator<readonly string[]> {
  const at = addressOf(url);
  let next: string | undefined;
  do {
    const output = await listKeys(requests, at, url, { prefix: prefixOf(at), next });
    yield (output.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : decoded(Key, output)));
    next = output.NextContinuationToken;
  } while (next !== undefined);
}

/** An object's status; undefined where there is none, and where only listing may tell. */
export async function headOrUndefined(
  requests: S3Requests,
  url: Url,
  signal?: AbortSignal,
): Promise<FileStatus | undefined> {
  const { bucket, key } = addressOf(url);
  const purpose: S3Purpose = { url, bucket, verb: "read", operation: "HeadObject" };
  try {
    return await requests.send(
      purpose,
      async ({ client, sdk, settings, abortSignal }) => {
        const command = new sdk.HeadObjectCommand({ Bucket: bucket, Key: key, ...payer(settings) });
        const { ContentLength = 0, LastModified, ETag } = await client.send(command, { abortSignal });
        return isFolderMarker(key, ContentLength)
          ? undefined
          : { url, size: ContentLength, modifiedAt: LastModified?.getTime() ?? 0, ...(ETag ? { version: ETag } : {}) };
      },
      { signal, pass: isNotThere },
    );
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

export function nothingAt(url: Url): PathNotFoundError {
  return new PathNotFoundError(`Cannot read ${url}: there is no such object or folder.`, url, {
    remedy: "Check bucket and key; case matters.",
  });
}

interface PageOptions {
  readonly prefix: string;
  readonly next?: string | undefined;
  /** Only what lies in the folder itself, with the folders in it. */
  readonly folders?: boolean;
  readonly most?: number;
  readonly signal?: AbortSignal | undefined;
}

async function listPage(
  requests: S3Requests,
  at: Address,
  url: Url,
  options: PageOptions,
): Promise<Page & { readonly isAny: boolean }> {
  const output = await listKeys(requests, at, url, options);
  const files: FileStatus[] = [];
  for (const { Key, Size = 0, LastModified, ETag } of output.Contents ?? []) {
    const key = decoded(Key ?? "", output);
    if (isFolderMarker(key, Size)) continue;
    const status = { url: urlIn(at, key), size: Size, modifiedAt: LastModified?.getTime() ?? 0 };
    files.push(ETag ? { ...status, version: ETag } : status);
  }
  const folders = (output.CommonPrefixes ?? []).map(({ Prefix }) => decoded(Prefix ?? "", output));
  const isAny = (output.Contents?.length ?? 0) + folders.length > 0;
  return { files, folders, next: output.NextContinuationToken, isAny };
}

async function listKeys(
  requests: S3Requests,
  { bucket }: Address,
  url: Url,
  { prefix, next, folders = false, most, signal }: PageOptions,
): Promise<ListObjectsV2CommandOutput> {
  throwIfAborted(signal);
  const purpose: S3Purpose = { url, bucket, verb: "list", operation: "ListObjectsV2" };
  return requests.send(
    purpose,
    async ({ client, sdk, settings, abortSignal }) => {
      const command = new sdk.ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        // XML has no way to write some characters of a key.
        EncodingType: "url",
        ...(folders ? { Delimiter: "/" } : {}),
        ...(next === undefined ? {} : { ContinuationToken: next }),
        ...(most === undefined ? {} : { MaxKeys: most }),
        ...payer(settings),
      });
      return client.send(command, { abortSignal });
    },
    { signal },
  );
}

function decoded(text: string, { EncodingType }: ListObjectsV2CommandOutput): string {
  return EncodingType === "url" ? decodeURIComponent(text.replaceAll("+", " ")) : text;
}

async function* pagesFrom(
  first: Page,
  page: (next: string) => Promise<Page>,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly FileStatus[]> {
  for (let current: Page | undefined = first; current; ) {
    throwIfAborted(signal);
    const following: Promise<Page> | undefined = current.next === undefined ? undefined : page(current.next);
    // Thrown where it is awaited; who stops before does not care.
    following?.catch(() => {});
    yield current.files;
    current = await following;
  }
}

/** What several sources give, as it comes, of so many at a time; nothing is read ahead but one item of each. */
async function* inTurns<T>(sources: readonly (() => AsyncGenerator<T>)[], limit: number): AsyncGenerator<T> {
  const waiting = [...sources];
  const open = new Map<AsyncGenerator<T>, Promise<{ source: AsyncGenerator<T>; result: IteratorResult<T> }>>();
  const advance = (source: AsyncGenerator<T>) => {
    const next = source.next().then((result) => ({ source, result }));
    next.catch(() => {});
    open.set(source, next);
  };
  try {
    while (waiting.length > 0 || open.size > 0) {
      while (open.size < limit && waiting.length > 0) advance((waiting.shift() as () => AsyncGenerator<T>)());
      const { source, result } = await Promise.race(open.values());
      open.delete(source);
      if (result.done) continue;
      advance(source);
      yield result.value;
    }
  } finally {
    for (const source of open.keys()) void source.return(undefined).catch(() => {});
  }
}
