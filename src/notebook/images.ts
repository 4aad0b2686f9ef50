import { escapeHtml, type MimeBundle } from "../kernel/mime-bundle";

/** Larger files are named, not shown: a notebook holds its outputs. */
const MOST_BYTES = 20 * 2 ** 20;

/** The longer side of a picture that a pipeline gives, in pixels. */
const MOST_PIXELS = 1_600;

/** The bytes of a PNG, JPEG, GIF, WebP or SVG file as a picture; undefined for any other value. */
export function imageBundle(value: unknown): MimeBundle | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  const type = imageType(value);
  return type && bytesBundle(type, value);
}

function bytesBundle(type: ImageType, bytes: Uint8Array): MimeBundle {
  const text = `${NAMES[type]} image, ${bytes.length.toLocaleString("en-US")} bytes`;
  if (bytes.length > MOST_BYTES) return { "text/plain": `${text} (too large to be shown)` };
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (type === "image/svg+xml") return { [type]: buffer.toString("utf8"), "text/plain": text };
  const base64 = buffer.toString("base64");
  // nbconvert shows these two in no other way.
  const isRare = type === "image/gif" || type === "image/webp";
  const html = { "text/html": `<img src="data:${type};base64,${base64}" alt="${escapeHtml(text)}">` };
  return { ...(isRare ? html : { [type]: base64 }), "text/plain": text };
}

type ImageType = "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "image/svg+xml";

const NAMES: Readonly<Record<ImageType, string>> = {
  "image/png": "PNG",
  "image/jpeg": "JPEG",
  "image/gif": "GIF",
  "image/webp": "WebP",
  "image/svg+xml": "SVG",
};

function imageType(bytes: Uint8Array): ImageType | undefined {
  const start = Buffer.from(bytes.subarray(0, 512)).toString("latin1");
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (start.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (/^GIF8[79]a/.test(start)) return "image/gif";
  if (/^RIFF[\s\S]{4}WEBP/.test(start)) return "image/webp";
  if (
    /^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]*?-->\s*)*(?:<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/.test(start)
  ) {
    return "image/svg+xml";
  }
  return undefined;
}

interface Pipeline {
  clone(): Pipeline;
  png(): Pipeline;
  resize(options: object): Pipeline;
  toBuffer(options: { readonly resolveWithObject: true }): Promise<{
    readonly data: Uint8Array;
    readonly info: { readonly width: number; readonly height: number };
  }>;
}

/** What an image pipeline of the library sharp gives, as a PNG; undefined for any other value. */
export function pipelineBundle(value: unknown): Promise<MimeBundle> | undefined {
  return isPipeline(value) ? rendered(value) : undefined;
}

async function rendered(pipeline: Pipeline): Promise<MimeBundle> {
  const { data, info } = await pipeline.clone().png().toBuffer({ resolveWithObject: true });
  const size = `${info.width} x ${info.height} pixels`;
  if (Math.max(info.width, info.height) <= MOST_PIXELS)
    return { ...bytesBundle("image/png", data), "text/plain": size };
  const open = (pipeline as unknown as { constructor: (bytes: Uint8Array) => Pipeline }).constructor;
  const within = { width: MOST_PIXELS, height: MOST_PIXELS, fit: "inside" };
  const small = await open(data).resize(within).png().toBuffer({ resolveWithObject: true });
  const shown = `${size}, shown with ${small.info.width} x ${small.info.height}`;
  return { ...bytesBundle("image/png", small.data), "text/plain": shown };
}

function isPipeline(value: unknown): value is Pipeline {
  if (typeof value !== "object" || value === null || value.constructor?.name !== "Sharp") return false;
  const { clone, png, toBuffer } = value as Partial<Pipeline>;
  return [clone, png, toBuffer].every((method) => typeof method === "function");
}
