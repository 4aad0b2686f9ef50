import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { cacheFolder } from "../kernel/cache-folder";

let packed: string | undefined;

/**
 * Plotly's script, minified, with its licences, gzipped, in base64: 2 MB where the package's file has 10. Packing takes a
 * second or two, so the result is kept in the cache folder.
 */
export function packedPlotly(): string {
  packed ??= (fromCache() ?? toCache(pack())).toString("base64");
  return packed;
}

function pack(): Buffer {
  const { transformSync } = require("esbuild") as typeof import("esbuild");
  const source = readFileSync(require.resolve("plotly.js-dist"), "utf8");
  return gzipSync(transformSync(source, { minify: true, legalComments: "eof" }).code, { level: 9 });
}

function cacheFile(): string {
  const { version } = require("plotly.js-dist/package.json") as { version: string };
  return join(cacheFolder(), `plotly-${version}.min.js.gz`);
}

function fromCache(): Buffer | undefined {
  try {
    return readFileSync(cacheFile());
  } catch {
    return undefined;
  }
}

/** A cache that cannot be written costs time in the next process, nothing else. */
function toCache(bytes: Buffer): Buffer {
  try {
    mkdirSync(cacheFolder(), { recursive: true });
    const temporary = `${cacheFile()}.${randomUUID()}.tmp`;
    writeFileSync(temporary, bytes);
    renameSync(temporary, cacheFile());
  } catch {}
  return bytes;
}
