import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Channel } from "./channel";
import { SparkConnectError } from "./errors";
import type { SessionFields } from "./execution";
import type { AddArtifactsRequestSchema } from "./protos/spark/connect/base_pb";
import { isOfClass, statusOf } from "./status";

type Request = MessageInitShape<typeof AddArtifactsRequestSchema>;

/** Bytes in memory, or a file that is read piece by piece. */
export type ArtifactContent = Uint8Array | { readonly path: string };

/** Spark's clients send 32 kB; a server takes 128 MB. */
const CHUNK_BYTES = 1 << 20;

/**
 * Uploads one artifact: `files/NAME`, `archives/NAME.tar.gz#alias`, `pyfiles/NAME`, `jars/NAME`. The server refuses a second content under a
 * name, so names have their content's hash in them; a name that is there is there for good.
 */
export async function uploadArtifact(
  channel: Channel,
  base: SessionFields,
  name: string,
  content: ArtifactContent,
  signal: AbortSignal,
): Promise<void> {
  // Before the call: what is wrong with a file is no fault of the connection.
  const source = await opened(content);
  try {
    const requests = chunks(base, name, source);
    const { artifacts } = await channel.calls.addArtifacts(requests, { signal });
    if (artifacts.every(({ isCrcSuccessful }) => isCrcSuccessful)) return;
  } catch (thrown) {
    if (isOfClass(statusOf(thrown), "ARTIFACT_ALREADY_EXISTS")) return;
    throw thrown;
  } finally {
    await source.close();
  }
  throw new SparkConnectError(`The artifact ${name} came to Spark damaged.`, { remedy: "Try it again." });
}

interface Source {
  readonly bytes: number;
  read(at: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

async function opened(content: ArtifactContent): Promise<Source> {
  if (content instanceof Uint8Array) {
    const read = (at: number, length: number) => Promise.resolve(content.subarray(at, at + length));
    return { bytes: content.byteLength, read, close: () => Promise.resolve() };
  }
  const { path } = content;
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    throw new SparkConnectError(`${path}, which Spark's executors need, can't be read: ${cause.code}.`, { cause });
  });
  return {
    bytes: (await file.stat()).size,
    async read(at, length) {
      const buffer = new Uint8Array(length);
      const { bytesRead } = await file.read(buffer, 0, length, at);
      if (bytesRead === length) return buffer;
      throw new SparkConnectError(`${path} got shorter while it was uploaded.`, {
        remedy: "Let it be as it is, and try again.",
      });
    },
    close: () => file.close(),
  };
}

async function* chunks(base: SessionFields, name: string, { bytes, read }: Source): AsyncGenerator<Request> {
  const count = Math.ceil(bytes / CHUNK_BYTES);
  for (let i = 0; i < Math.max(count, 1); i++) {
    const at = i * CHUNK_BYTES;
    const data = await read(at, Math.min(CHUNK_BYTES, bytes - at));
    const chunk = { data, crc: BigInt(crc32(data)) };
    if (count <= 1) yield { ...base, payload: { case: "batch", value: { artifacts: [{ name, data: chunk }] } } };
    else if (i > 0) yield { ...base, payload: { case: "chunk", value: chunk } };
    else {
      const value = { name, totalBytes: BigInt(bytes), numChunks: BigInt(count), initialChunk: chunk };
      yield { ...base, payload: { case: "beginChunk", value } };
    }
  }
}
