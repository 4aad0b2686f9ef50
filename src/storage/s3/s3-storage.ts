import type { Draft } from "../drafts";
import { isInside, type Url } from "../location";
import type { RetryListener } from "../retries";
import type { Storage, StorageSettings } from "../storage";
import { addressOf, isFolderMarker, prefixOf, urlIn } from "./address";
import { copyObject } from "./copying";
import { isConditionFailed, isNotThere, type S3Purpose } from "./failures";
import { childrenOf, headOrUndefined, keysBelow, listObjects, statusOf } from "./listing";
import { payer } from "./parameters";
import { readObject, readObjectRange, streamObject } from "./reading";
import { type S3Requests, s3Requests } from "./requests";
import { abortUpload, bytesOf, completeUpload, isUploadWhole, type Upload, uploadObject } from "./uploads";
import { putObject, writeObject } from "./writing";

/** What is larger is written in parts. */
const SINGLE_PUT_BYTES = 64 * 1024 * 1024;

/** The most that one DeleteObjects takes. */
const REMOVED_AT_ONCE = 1000;

/**
 * Objects in S3 and what speaks its protocol, by URLs `s3://bucket/key` (or `s3a:`, `s3n:`). A folder is there as long as
 * something lies in it. Drafts are uploads that nobody has completed.
 * @param settings a session's Hadoop settings, from `fs.` on: see `s3Settings`
 * @param onRetry is told of each request that is tried again
 */
export function s3Storage(settings: StorageSettings, onRetry?: RetryListener): Storage {
  const requests = s3Requests(settings, onRetry);
  return {
    locks: "lease",
    // A request costs as much as so many bytes.
    wholeBytes: 256 * 1024,
    filesAtOnce: 64,
    list: (url, options) => listObjects(requests, url, options),
    children: (url) => childrenOf(requests, url),
    stat: (url) => statusOf(requests, url),
    resolve: async (url) => {
      const { bucket, key } = addressOf(url);
      return `s3://${bucket}${key === "" ? "" : `/${key}`}` as Url;
    },
    readFile: (url, reading) => readObject(requests, url, reading),
    readRange: (url, start, end, reading) => readObjectRange(requests, url, [start, end], reading),
    readStream: (url, reading) => streamObject(requests, url, reading),

    async writeFile(url, data) {
      const body = typeof data === "string" ? Buffer.from(data) : data;
      if (body.length <= SINGLE_PUT_BYTES) await putObject(requests, url, body);
      else await writeObject(requests, url, piecesIn(body));
    },
    createFile: (url, data, signal) => putObject(requests, url, data, { ifNoneMatch: "*" }, signal),
    async renewFile(url, data) {
      const there = await headOrUndefined(requests, url);
      return there?.version !== undefined && putObject(requests, url, data, { ifMatch: there.version });
    },
    writeStream: (url, chunks, signal) => writeObject(requests, url, chunks, signal),
    copyFile: (from, to, signal) => copyObject(requests, from, to, signal),

    async remove(url, version) {
      if (version !== undefined) return removeVersion(requests, url, version);
      const { key } = addressOf(url);
      if (key !== "") await removeKeys(requests, url, [key]);
      for await (const keys of keysBelow(requests, url)) await removeKeys(requests, url, keys);
    },
    async removeEmptyFolder(url) {
      const at = addressOf(url);
      const marker = prefixOf(at);
      for await (const keys of keysBelow(requests, url)) {
        // Only the first page matters: more than a marker is not empty.
        if (marker !== "" && keys.length === 1 && keys[0] === marker) await removeKeys(requests, url, keys);
        return;
      }
    },

    drafts: {
      async write({ url }, chunks): Promise<Draft> {
        const upload = await uploadObject(requests, url, chunks);
        return { url, bytes: bytesOf(upload), token: JSON.stringify(upload) };
      },
      isWhole: ({ url, token }) => isUploadWhole(requests, url, JSON.parse(token) as Upload),
      publish: ({ url, token }) => completeUpload(requests, url, JSON.parse(token) as Upload, { ifNoneMatch: "*" }),
      async *unpublished(root) {
        for await (const { url, id, begunAt } of uploadsBelow(requests, root)) {
          yield { url, begunAt, discard: () => abortUpload(requests, url, id) };
        }
      },
    },
  };
}

async function* piecesIn(data: Uint8Array): AsyncGenerator<Uint8Array> {
  const size = 8 * 1024 * 1024;
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

/** Removes an object while it is this one; gone or replaced already is fine. */
async function removeVersion(requests: S3Requests, url: Url, version: string): Promise<void> {
  const { bucket, key } = addressOf(url);
  const isOther = (error: unknown) => isConditionFailed(error) || isNotThere(error);
  try {
    await requests.send(
      { url, bucket, verb: "remove", operation: "DeleteObject" },
      ({ client, sdk, settings, abortSignal }) => {
        const command = new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key, IfMatch: version, ...payer(settings) });
        return client.send(command, { abortSignal });
      },
      { pass: isOther },
    );
  } catch (error) {
    if (!isOther(error)) throw error;
  }
}

async function removeKeys(requests: S3Requests, url: Url, keys: readonly string[]): Promise<void> {
  const at = addressOf(url);
  const { bucket } = at;
  const purpose = (operation: string, key?: string): S3Purpose => ({
    ...{ url: key === undefined ? url : urlIn(at, key), bucket, verb: "remove", operation },
  });
  if (keys.length === 1) {
    const [key] = keys as [string];
    await requests.send(purpose("DeleteObject", key), ({ client, sdk, settings, abortSignal }) =>
      client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key, ...payer(settings) }), { abortSignal }),
    );
    return;
  }
  for (let start = 0; start < keys.length; start += REMOVED_AT_ONCE) {
    const some = keys.slice(start, start + REMOVED_AT_ONCE);
    await requests.send(purpose("DeleteObjects"), async ({ client, sdk, settings, abortSignal }) => {
      const command = new sdk.DeleteObjectsCommand({
        Bucket: bucket,
        Delete: { Quiet: true, Objects: some.map((Key) => ({ Key })) },
        ...payer(settings),
      });
      const { Errors: failed = [] } = await client.send(command, { abortSignal });
      const [first] = failed.filter(({ Code }) => Code !== "NoSuchKey");
      if (!first) return;
      const status =
        first.Code === "AccessDenied" ? 403 : first.Code === "InternalError" || first.Code === "SlowDown" ? 503 : 400;
      throw Object.assign(new Error(`${first.Key}: ${first.Message ?? first.Code}`), {
        name: first.Code,
        $metadata: { httpStatusCode: status },
      });
    });
  }
}

interface OpenUpload {
  readonly url: Url;
  readonly id: string;
  /** Epoch milliseconds. */
  readonly begunAt: number;
}

/** The uploads below a folder that nobody has completed. */
async function* uploadsBelow(requests: S3Requests, root: Url): AsyncGenerator<OpenUpload> {
  const at = addressOf(root);
  for (let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}; marker; ) {
    const from: { KeyMarker?: string; UploadIdMarker?: string } = marker;
    const output = await requests.send(
      { url: root, bucket: at.bucket, verb: "list", operation: "ListMultipartUploads" },
      ({ client, sdk, settings, abortSignal }) => {
        const command = new sdk.ListMultipartUploadsCommand({
          Bucket: at.bucket,
          Prefix: prefixOf(at),
          ...from,
          ...payer(settings),
        });
        return client.send(command, { abortSignal });
      },
    );
    for (const { Key, UploadId, Initiated } of output.Uploads ?? []) {
      if (Key === undefined || UploadId === undefined) continue;
      const url = urlIn(at, Key);
      if (isInside(url, root) && !isFolderMarker(Key, 0))
        yield { url, id: UploadId, begunAt: Initiated?.getTime() ?? 0 };
    }
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = output;
    marker =
      IsTruncated && NextKeyMarker !== undefined
        ? {
            KeyMarker: NextKeyMarker,
            ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }),
          }
        : undefined;
  }
}
