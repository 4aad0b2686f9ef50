import { PathNotFoundError } from "../errors";
import type { Url } from "../location";
import { addressOf } from "./address";
import { isNotThere, isTooLargeToCopy, type S3Purpose } from "./failures";
import { headOrUndefined } from "./listing";
import { AT_WORK, encryption, payer } from "./parameters";
import { streamObject } from "./reading";
import type { S3Requests } from "./requests";
import { isOneServer } from "./settings";
import { abortUpload, beginUpload, completeUpload, type SentPart } from "./uploads";
import { writeObject } from "./writing";

/** Bytes of a part of a copy within S3: nothing of it passes through here. */
const COPY_PART_BYTES = 512 * 1024 * 1024;

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
      async ({ sendDirectly, settings, abortSignal, alive }) => {
        const input = {
          ...{ Bucket: bucket, Key: key, CopySource: copySource },
          ...encryption(settings),
          ...payer(settings),
        };
        await sendDirectly({ operation: "CopyObject", input }, { abortSignal, alive });
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
