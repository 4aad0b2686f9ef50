import type { CompletedPart } from "@aws-sdk/client-s3";
import { StorageError } from "../errors";
import type { Url } from "../location";
import { addressOf } from "./address";
import { isConditionFailed, isNoSuchUpload, isNotThere, type S3Purpose } from "./failures";
import { headOrUndefined } from "./listing";
import { AT_WORK, conditions, encryption, payer } from "./parameters";
import type { S3Requests } from "./requests";
import { toldInPieces } from "./sending";

/** Parts of one upload that are on their way at the same time. */
const PARTS_AT_ONCE = 4;

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

/** Begins an upload and sends its parts; nobody sees it before it is completed. A failure leaves nothing. */
export async function uploadObject(requests: S3Requests, url: Url, chunks: AsyncIterable<Uint8Array>): Promise<Upload> {
  const { partBytes } = requests.settingsOf(addressOf(url).bucket);
  return uploadParts(requests, url, piecesOf(chunks, partBytes));
}

/** The bytes of an upload. */
export function bytesOf({ parts }: Upload): number {
  return parts.reduce((sum, part) => sum + part.bytes, 0);
}

export async function uploadParts(
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

export async function beginUpload(requests: S3Requests, url: Url): Promise<string> {
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

/** A stream in parts: as large as the first, and larger after each thousand, since an upload has at most ten thousand. */
export async function* piecesOf(chunks: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Uint8Array> {
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
