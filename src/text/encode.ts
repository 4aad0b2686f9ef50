import { Readable } from "node:stream";
import { createDeflate, createGzip } from "node:zlib";
import { IllegalArgumentError } from "../errors";
import type { Options } from "./option-values";

/** The endings that Spark gives compressed files; the others it has need a package here. */
const COMPRESSIONS: Readonly<Record<string, string>> = { none: "", uncompressed: "", gzip: ".gz", deflate: ".deflate" };

/** What the option `compression` adds to a file's name. @throws IllegalArgumentError for one that is not written here */
export function compressionEnding(options: Options): string {
  const name = (options.compression ?? "none").toLowerCase();
  const ending = COMPRESSIONS[name];
  if (ending !== undefined) return ending;
  throw new IllegalArgumentError(`Text is not written with compression ${JSON.stringify(options.compression)} here.`, {
    remedy: `Known: ${Object.keys(COMPRESSIONS).join(", ")}. Parquet has snappy, lz4 and zstd too.`,
  });
}

/** Texts as the bytes of a file. @throws IllegalArgumentError for an encoding that is not written here */
export function encoded(texts: AsyncIterable<string>, options: Options): AsyncIterable<Uint8Array> {
  const encode = encoder(options.encoding ?? "UTF-8");
  const bytes = async function* () {
    let first = true;
    for await (const text of texts) {
      yield encode(text, first);
      first = false;
    }
  };
  switch (compressionEnding(options)) {
    case ".gz":
      return Readable.from(bytes()).compose(createGzip());
    case ".deflate":
      return Readable.from(bytes()).compose(createDeflate());
    default:
      return bytes();
  }
}

type Encode = (text: string, first: boolean) => Uint8Array;

function encoder(encoding: string): Encode {
  switch (encoding.toLowerCase()) {
    case "utf-8":
      return (text) => Buffer.from(text, "utf8");
    case "iso-8859-1":
      return (text) => Buffer.from(within(text, 0xff), "latin1");
    case "us-ascii":
      return (text) => Buffer.from(within(text, 0x7f), "latin1");
    case "utf-16le":
      return (text) => Buffer.from(text, "utf16le");
    case "utf-16be":
      return (text) => Buffer.from(text, "utf16le").swap16();
    case "utf-16":
      // Java writes a byte-order mark and the big end first.
      return (text, first) => Buffer.from(first ? `\ufeff${text}` : text, "utf16le").swap16();
    default:
      throw new IllegalArgumentError(`The encoding ${JSON.stringify(encoding)} is not written here.`, {
        remedy: "Known: UTF-8, UTF-16, UTF-16LE, UTF-16BE, ISO-8859-1, US-ASCII.",
      });
  }
}

/** With a question mark for each character that an encoding has no byte for. */
function within(text: string, last: number): string {
  return Array.from(text, (c) => ((c.codePointAt(0) ?? 0) > last ? "?" : c)).join("");
}
