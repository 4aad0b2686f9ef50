import type { CompletedPart } from "@aws-sdk/client-s3";
import { PathNotFoundError, StorageError } from "../errors";
import type { Url } from "../location";
import { addressOf } from "./address";
import { isConditionFailed, isNoSuchUpload, isNotThere, isTooLargeToCopy, type S3Purpose } from "./failures";
import { headOrUndefined, payer } from "./listing";
import { readObject, streamObject } from "./reading";
import type { S3Requests } from "./requests";
import { toldInPieces } from "./sending";
import { isOneServer, type S3Settings } from "./settings";

/** Parts of one upload that are on their way at the same time. */
const PARTS_AT_ONCE = 4;

/** Bytes of a part of a copy within S3: nothing of it passes through here. */
const COPY_PART_BYTES = 512 * 1024 * 1024;

/** To copy or to put together gigabytes takes the server a minute or two. */
const AT_WORK = 4;

/** A part as it was sent. */
export interface SentPart {
  readonly number: number;
  readonly etag: string;
  readonly bytes: number;
}

/** An upload that may be completed. */
export interface Upload {
  readonly id: string;
  readonly parts: readonly SentPart[];
}

/** What must be there for a write to happen: nothing, or one version. */
export type Condition = { readonly ifNoneMatch: "*" } | { readonly ifMatch: string };

/** Writes an object by one request. @returns false where the condition does not hold */
export async function putObject(
  requests: S3Requests,
  url: Url,
  data: Uint8Array | string,
  condition?: Condition,
  signal?: AbortSignal,
): Promise<boolean> {
  const { bucket, key } = addressOf(url);
  const body = typeof data === "string" ? Buffer.from(data) : data;
  const purpose: S3Purpose = { url, bucket, verb: "write", operation: "PutObject" };
  let tries = 0;
  try {
    await requests.send(
      purpose,
      async ({ client, sdk, settings, abortSignal, alive }) => {
        tries++;
        const command = new sdk.PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: body,
          ...conditions(condition),
          ...encryption(settings),
          ...payer(settings),
        });
        await client.send(toldInPieces(command, alive), { abortSignal });
      },
      { signal, pass: (error) => isConditionFailed(error) || (condition !== undefined && isNotThere(error)) },
    );
    return true;
  } catch (error) {
    if (condition && isNotThere(error)) return false;
    if (!isConditionFailed(error)) throw error;
    // The answer to an earlier try may have been lost: then what is there is ours.
    return tries > 1 && (await holds(requests, url, body));
  }
}

async function holds(requests: S3Requests, url: Url, body: Uint8Array): Promise<boolean> {
  const there = await readObject(requests, url).catch(() => undefined);
  return there !== undefined && Buffer.compare(there, body) === 0;
}

/** Writes a stream: a short one by one request, a long one by an upload. @returns its bytes */
export async function writeObject(
  requests: S3Requests,
  url: Url,
  chunks: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<number> {
  const { partBytes } = requests.settingsOf(addressOf(url).bucket);
  const pieces = piecesOf(chunks, partBytes)[Symbol.asyncIterator]();
  const first = await pieces.next();
  const second = first.done ? first : await pieces.next();
  if (second.done) {
    const data = first.done ? new Uint8Array() : first.value;
    await putObject(requests, url, data, undefined, signal);
    return data.length;
  }
  const upload = await uploadParts(requests, url, resumed([first.value as Uint8Array, second.value], pieces), signal);
  try {
    await completeUpload(requests, url, upload);
  } catch (error) {
    await abortUpload(requests, url, upload.id).catch(() => {});
    throw error;
  }
  return bytesOf(upload);
}

/** Begins an upload and sends its parts; nobody sees it before it is completed. A failure leaves nothing. */
export async function uploadObject(requests: S3Requests, url: Url, chunks: AsyncIterable<Uint8Array>): Promise<Upload> {
  const { partBytes } = requests.settingsOf(addressOf(url).bucket);
  return uploadParts(requests, url, piecesOf(chunks, partBytes));
}

/** The bytes of an upload. */
export function bytesOf({ parts }: Upload): number {
  return parts.reduce((sum, part) => sum + part.bytes, 0);
}

async function uploadParts(
  requests: S3Requests,
  url: Url,
  pieces: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<Upload> {
  const { bucket, key } = addressOf(url);
  const id = await beginUpload(requests, url);
  const parts: SentPart[] = [];
  const sending = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  try {
    let number = 0;
    const send = (body: Uint8Array) => {
      const part = ++number;
      const sent = requests
        .send(
          { url, bucket, verb: "write", operation: "UploadPart" },
          ({ client, sdk, settings, abortSignal, alive }) => {
            const command = new sdk.UploadPartCommand({
              ...{ Bucket: bucket, Key: key, UploadId: id, PartNumber: part, Body: body },
              ...payer(settings),
            });
            return client.send(toldInPieces(command, alive), { abortSignal });
          },
          { signal },
        )
        .then(
          ({ ETag = "" }) => void parts.push({ number: part, etag: ETag, bytes: body.length }),
          (error: unknown) => {
            failure ??= { error };
          },
        )
        .finally(() => sending.delete(sent));
      sending.add(sent);
    };
    for await (const piece of pieces) {
      if (failure) break;
      send(piece);
      if (sending.size >= PARTS_AT_ONCE) await Promise.race(sending);
    }
    // An empty object is an upload of one empty part.
    if (number === 0 && !failure) send(new Uint8Array());
    await Promise.all(sending);
    if (failure) throw failure.error;
  } catch (error) {
    await Promise.all(sending);
    await abortUpload(requests, url, id).catch(() => {});
    throw error;
  }
  return { id, parts: parts.sort((a, b) => a.number - b.number) };
}

async function beginUpload(requests: S3Requests, url: Url): Promise<string> {
  const { bucket, key } = addressOf(url);
  const purpose: S3Purpose = { url, bucket, verb: "write", operation: "CreateMultipartUpload" };
  const { UploadId } = await requests.send(purpose, ({ client, sdk, settings, abortSignal }) =>
    client.send(
      new sdk.CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ...encryption(settings), ...payer(settings) }),
      { abortSignal },
    ),
  );
  if (UploadId === undefined) throw new StorageError(`Cannot write ${url}: the server began no upload.`, url);
  return UploadId;
}

/**
 * Makes an upload the object. Completed already is fine.
 * @param condition `*` where nothing may be there: another object is an error then
 */
export async function completeUpload(
  requests: S3Requests,
  url: Url,
  upload: Upload,
  condition?: { readonly ifNoneMatch: "*" },
): Promise<void> {
  const { bucket, key } = addressOf(url);
  const purpose: S3Purpose = { url, bucket, verb: "write", operation: "CompleteMultipartUpload" };
  const parts = upload.parts.map(({ number, etag }): CompletedPart => ({ PartNumber: number, ETag: etag }));
  try {
    await requests.send(
      purpose,
      ({ client, sdk, settings, abortSignal, alive }) => {
        alive();
        const command = new sdk.CompleteMultipartUploadCommand({
          ...{ Bucket: bucket, Key: key, UploadId: upload.id, MultipartUpload: { Parts: parts } },
          ...conditions(condition),
          ...payer(settings),
        });
        return client.send(command, { abortSignal });
      },
      { patience: AT_WORK, pass: (error) => isNoSuchUpload(error) || isConditionFailed(error) },
    );
  } catch (error) {
    if (!isNoSuchUpload(error) && !isConditionFailed(error)) throw error;
    // An earlier try, or another process, has completed it: then what is there has its size.
    const there = await headOrUndefined(requests, url);
    if (there?.size === bytesOf(upload)) return;
    throw new StorageError(
      there
        ? `Cannot write ${url}: another object is there (CompleteMultipartUpload).`
        : `Cannot write ${url}: its upload is gone (CompleteMultipartUpload, NoSuchUpload).`,
      url,
      { remedy: "A lifecycle rule may have ended it, or somebody else. Run it again." },
    );
  }
}

/** True while an upload can be completed, or has been. */
export async function isUploadWhole(requests: S3Requests, url: Url, upload: Upload): Promise<boolean> {
  const { bucket, key } = addressOf(url);
  const found = new Map<number, string>();
  try {
    for (let marker: string | undefined, isLast = false; !isLast; ) {
      const output = await requests.send(
        { url, bucket, verb: "list", operation: "ListParts" },
        ({ client, sdk, settings, abortSignal }) => {
          const at = marker === undefined ? {} : { PartNumberMarker: marker };
          const command = new sdk.ListPartsCommand({
            Bucket: bucket,
            Key: key,
            UploadId: upload.id,
            ...at,
            ...payer(settings),
          });
          return client.send(command, { abortSignal });
        },
        { pass: isGone },
      );
      for (const { PartNumber = 0, ETag = "" } of output.Parts ?? []) found.set(PartNumber, ETag);
      marker = output.NextPartNumberMarker;
      isLast = output.IsTruncated !== true || marker === undefined;
    }
  } catch (error) {
    if (!isGone(error)) throw error;
    return (await headOrUndefined(requests, url))?.size === bytesOf(upload);
  }
  return upload.parts.every(({ number, etag }) => found.get(number) === etag);
}

const isGone = (error: unknown) => isNoSuchUpload(error) || isNotThere(error);

export async function abortUpload(requests: S3Requests, url: Url, id: string): Promise<void> {
  const { bucket, key } = addressOf(url);
  try {
    await requests.send(
      { url, bucket, verb: "remove", operation: "AbortMultipartUpload" },
      ({ client, sdk, settings, abortSignal }) =>
        client.send(
          new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: id, ...payer(settings) }),
          { abortSignal },
        ),
      { pass: isGone },
    );
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** Copies within S3: by the server, where one server and one owner of credentials have both. @throws PathNotFoundError */
export async function copyObject(requests: S3Requests, from: Url, to: Url, signal?: AbortSignal): Promise<void> {
  const source = addressOf(from);
  const { bucket, key } = addressOf(to);
  if (!isOneServer(requests.settingsOf(source.bucket), requests.settingsOf(bucket))) {
    await writeObject(requests, to, streamObject(requests, from, { signal }), signal);
    return;
  }
  const purpose: S3Purpose = { url: to, bucket, verb: "copy", operation: "CopyObject" };
  const copySource = `${source.bucket}/${source.key.split("/").map(encodeURIComponent).join("/")}`;
  try {
    await requests.send(
      purpose,
      async ({ client, sdk, settings, abortSignal }) => {
        const command = new sdk.CopyObjectCommand({
          ...{ Bucket: bucket, Key: key, CopySource: copySource },
          ...encryption(settings),
          ...payer(settings),
        });
        await client.send(command, { abortSignal });
      },
      // The copy is the server's work, which may take a while: what it can't do in one go it says.
      { signal, patience: AT_WORK, pass: (error) => isTooLargeToCopy(error) || isNotThere(error) },
    );
  } catch (error) {
    if (isNotThere(error)) {
      throw new PathNotFoundError(`Cannot copy ${from}: there is no such object.`, from, {
        remedy: "Check bucket and key; case matters.",
      });
    }
    if (!isTooLargeToCopy(error)) throw error;
    await copyByParts(requests, { from, copySource }, to, signal);
  }
}

async function copyByParts(
  requests: S3Requests,
  { from, copySource }: { readonly from: Url; readonly copySource: string },
  to: Url,
  signal?: AbortSignal,
): Promise<void> {
  const { bucket, key } = addressOf(to);
  const source = await headOrUndefined(requests, from, signal);
  if (!source) throw new PathNotFoundError(`Cannot copy ${from}: there is no such object.`, from);
  const id = await beginUpload(requests, to);
  const parts: SentPart[] = [];
  try {
    for (let start = 0, number = 1; start < source.size; start += COPY_PART_BYTES, number++) {
      const end = Math.min(start + COPY_PART_BYTES, source.size);
      const { CopyPartResult } = await requests.send(
        { url: to, bucket, verb: "copy", operation: "UploadPartCopy" },
        ({ client, sdk, settings, abortSignal }) => {
          const command = new sdk.UploadPartCopyCommand({
            ...{ Bucket: bucket, Key: key, UploadId: id, PartNumber: number, CopySource: copySource },
            CopySourceRange: `bytes=${start}-${end - 1}`,
            ...(source.version === undefined ? {} : { CopySourceIfMatch: source.version }),
            ...payer(settings),
          });
          return client.send(command, { abortSignal });
        },
        { signal, patience: AT_WORK },
      );
      parts.push({ number, etag: CopyPartResult?.ETag ?? "", bytes: end - start });
    }
    await completeUpload(requests, to, { id, parts });
  } catch (error) {
    await abortUpload(requests, to, id).catch(() => {});
    throw error;
  }
}

function conditions(condition: Condition | undefined): { IfNoneMatch?: string; IfMatch?: string } {
  if (condition === undefined) return {};
  return "ifNoneMatch" in condition ? { IfNoneMatch: "*" } : { IfMatch: condition.ifMatch };
}

function encryption({ encryption }: S3Settings): { ServerSideEncryption?: "AES256" | "aws:kms"; SSEKMSKeyId?: string } {
  if (encryption === undefined) return {};
  const { algorithm } = encryption;
  const key = algorithm === "aws:kms" ? encryption.key : undefined;
  return { ServerSideEncryption: algorithm, ...(key === undefined ? {} : { SSEKMSKeyId: key }) };
}

/** A stream in parts: as large as the first, and larger after each thousand, since an upload has at most ten thousand. */
async function* piecesOf(chunks: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let length = 0;
  let made = 0;
  for await (const chunk of chunks) {
    // A writer may use its buffer again.
    held.push(Uint8Array.from(chunk));
    length += chunk.length;
    const wanted = partBytes * 2 ** Math.floor(made / 1000);
    if (length < wanted) continue;
    const all = Buffer.concat(held, length);
    let at = 0;
    for (; length - at >= wanted; at += wanted, made++) yield all.subarray(at, at + wanted);
    held = at < length ? [all.subarray(at)] : [];
    length -= at;
  }
  if (length > 0) yield Buffer.concat(held, length);
}

async function* resumed<T>(first: readonly T[], rest: AsyncIterator<T>): AsyncGenerator<T> {
  yield* first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}
