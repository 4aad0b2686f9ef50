import type { Url } from "../location";
import { addressOf } from "./address";
import { isConditionFailed, isNotThere, type S3Purpose } from "./failures";
import { type Condition, conditions, encryption, payer } from "./parameters";
import { readObject } from "./reading";
import type { S3Requests } from "./requests";
import { abortUpload, bytesOf, completeUpload, piecesOf, uploadParts } from "./uploads";

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
      async ({ sendDirectly, settings, abortSignal, alive }) => {
        tries++;
        const input = {
          Bucket: bucket,
          Key: key,
          Body: body,
          ...conditions(condition),
          ...encryption(settings),
          ...payer(settings),
        };
        await sendDirectly({ operation: "PutObject", input }, { abortSignal, alive });
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

async function* resumed<T>(first: readonly T[], rest: AsyncIterator<T>): AsyncGenerator<T> {
  yield* first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}
