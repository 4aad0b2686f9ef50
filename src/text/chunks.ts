import { Readable } from "node:stream";
import { createGunzip, createInflate } from "node:zlib";
import { IllegalArgumentError, throwIfAborted } from "../errors";
import type { Storage, Url } from "../storage";
import { MalformedRecordError } from "./errors";

/** A text file to read. */
export interface TextFile {
  readonly url: Url;
  readonly storage: Pick<Storage, "readStream">;
}

export interface TextDecoding {
  /** As Java names it. @default "UTF-8" */
  readonly encoding: string;
  /** Whether a byte-order mark stays a character, as in Java for all but UTF-16. @default false */
  readonly keepMark?: boolean;
  /** Whether a file that begins like UTF-16 is refused, since nobody said that it is. @default false */
  readonly refuseUtf16?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Endings of compressed files that Spark reads and that need a package here. */
const UNREAD_ENDINGS = [".bz2", ".zst", ".snappy", ".lz4", ".lzo", ".deflate64", ".xz"];

/**
 * A file's text, piece by piece, without its byte-order mark. Files named `….gz` and `….deflate` are decompressed.
 * @throws IllegalArgumentError for another compression @throws MalformedRecordError for a file whose compression is damaged
 */
export async function* textChunks(file: TextFile, options: TextDecoding): AsyncGenerator<string> {
  const ending = UNREAD_ENDINGS.find((name) => file.url.endsWith(name));
  if (ending) {
    throw new IllegalArgumentError(`${file.url} is compressed in a way that is not read here (${ending}).`, {
      remedy: "Decompress it, or compress it with gzip: files named .gz are read.",
    });
  }
  const decode = decoder(options.encoding, options.keepMark);
  const raw = Readable.from(file.storage.readStream(file.url, { signal: options.signal }), { objectMode: false });
  const bytes = file.url.endsWith(".gz")
    ? raw.pipe(createGunzip())
    : file.url.endsWith(".deflate")
      ? raw.pipe(createInflate())
      : raw;
  // An error of the file must reach whoever waits for the decompressed bytes.
  if (bytes !== raw) raw.on("error", (error) => bytes.destroy(error));
  let isChecked = !options.refuseUtf16;
  try {
    for await (const chunk of bytes) {
      throwIfAborted(options.signal);
      if (!isChecked) refuseUtf16(chunk as Uint8Array, file);
      isChecked = true;
      const text = decode(chunk as Uint8Array, false);
      if (text !== "") yield text;
    }
    const last = decode(new Uint8Array(), true);
    if (last !== "") yield last;
  } catch (error) {
    if (bytes !== raw && /^Z_|unexpected end of file/.test(`${(error as { code?: string }).code} ${error}`)) {
      throw new MalformedRecordError("the compressed data is damaged", { path: file.url, cause: error });
    }
    throw error;
  } finally {
    raw.destroy();
    bytes.destroy();
  }
}

/** The lines of a file, many at a time. Without a separator `\n`, `\r` and `\r\n` end one, in any mixture. */
export async function* lineGroups(
  file: TextFile,
  options: TextDecoding & { readonly lineSep?: string | undefined },
): AsyncGenerator<string[]> {
  const { lineSep } = options;
  let rest = "";
  for await (const chunk of textChunks(file, options)) {
    const text = rest + chunk;
    // A carriage return at a chunk's end may be the first half of one line's end.
    const held = lineSep === undefined && text.endsWith("\r") ? text.slice(0, -1) : text;
    const lines = lineSep === undefined ? splitLines(held) : held.split(lineSep);
    rest = (lines.pop() ?? "") + text.slice(held.length);
    if (lines.length > 0) yield lines;
  }
  if (rest === "") return;
  const lines = lineSep === undefined ? splitLines(rest) : [rest];
  if (lines.at(-1) === "") lines.pop();
  if (lines.length > 0) yield lines;
}

function splitLines(text: string): string[] {
  return text.includes("\r") ? text.split(/\r\n|\n|\r/) : text.split("\n");
}

type Decode = (bytes: Uint8Array, last: boolean) => string;

/** @throws IllegalArgumentError for a name that is not known */
export function decoder(encoding: string, keepMark = false): Decode {
  const name = encoding.toLowerCase();
  if (name === "utf-8") return streaming(new TextDecoder(name, { ignoreBOM: keepMark }));
  if (name === "iso-8859-1") return (bytes) => Buffer.from(bytes).toString("latin1");
  if (name === "us-ascii") {
    return (bytes) =>
      Buffer.from(bytes)
        .toString("latin1")
        .replace(/[\x80-\xff]/g, "\ufffd");
  }
  if (name === "detected") return detected();
  if (name === "utf-16") return utf16ByMark();
  if (name === "utf-16le" || name === "utf-16be") return streaming(new TextDecoder(name, { ignoreBOM: keepMark }));
  throw new IllegalArgumentError(`The encoding ${JSON.stringify(encoding)} is not read here.`, {
    remedy:
      "Known: UTF-8, UTF-16, UTF-16LE, UTF-16BE, ISO-8859-1, US-ASCII. Convert the file, for instance with iconv.",
  });
}

/** Whether a line's end is one byte, as reading by lines needs. */
export function isByteEncoding(encoding: string): boolean {
  return !/^(?:x-)?utf-?(?:16|32)/i.test(encoding);
}

/** @throws IllegalArgumentError for a file that begins with a mark of UTF-16 or with an ASCII character in it */
function refuseUtf16([first, second]: Uint8Array, file: TextFile): void {
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const isBig = first === 0xfe || first === 0;
  if (!isMarked && (first === undefined || second === undefined || (first === 0) === (second === 0))) return;
  const remedy = isMarked
    ? 'For one value a file, option("multiLine", true); else convert it to UTF-8, for instance with iconv.'
    : `Say so, and what ends a line: option("encoding", "UTF-16${isBig ? "BE" : "LE"}").option("lineSep", "\n"); or, for one value a file, option("multiLine", true).`;
  throw new IllegalArgumentError(`${file.url} begins like UTF-16, and JSON is read by lines as UTF-8.`, { remedy });
}

function streaming(decoder: InstanceType<typeof TextDecoder>): Decode {
  return (bytes, last) => decoder.decode(bytes, { stream: !last });
}

/**
 * UTF-8, or UTF-16 where a byte-order mark or a NUL beside the first character says so: JSON begins in ASCII. As Jackson does it,
 * which sees no mark in a file of fewer than four bytes: it is text there.
 */
function detected(): Decode {
  let chosen: Decode | undefined;
  let held = new Uint8Array();
  return (bytes, last) => {
    if (chosen) return chosen(bytes, last);
    held = Buffer.concat([held, bytes]);
    if (held.length < 4 && !last) return "";
    const [first, second] = held;
    const isShort = held.length < 4;
    const isLittle = (!isShort && first === 0xff && second === 0xfe) || (first !== 0 && second === 0);
    const isBig = (!isShort && first === 0xfe && second === 0xff) || (first === 0 && second !== 0);
    const name = isLittle ? "utf-16le" : isBig ? "utf-16be" : "utf-8";
    chosen = streaming(new TextDecoder(name, { ignoreBOM: isShort }));
    return chosen(held, last);
  };
}

/** Java's UTF-16 goes by the byte-order mark and is big-endian without one. */
function utf16ByMark(): Decode {
  let chosen: Decode | undefined;
  let held = new Uint8Array();
  return (bytes, last) => {
    if (chosen) return chosen(bytes, last);
    held = Buffer.concat([held, bytes]);
    if (held.length < 2 && !last) return "";
    chosen = streaming(new TextDecoder(held[0] === 0xff && held[1] === 0xfe ? "utf-16le" : "utf-16be"));
    return chosen(held, last);
  };
}
