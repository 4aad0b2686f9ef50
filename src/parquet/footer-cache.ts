import type { FileStatus, Storages } from "../storage";
import { type ParquetFooter, readParquetFooter } from "./footer";

/** A file, as a listing has it. */
type FooterOf = Pick<FileStatus, "url" | "size" | "version">;

/** Footers that were read, by file. */
export interface FooterCache {
  /** A file's footer: read where the file is new, changed, or has changed so lately that the next change may not show. */
  read(file: FooterOf): Promise<ParquetFooter>;
}

/** Bytes of footers that are kept: those of some ten thousand files with a few columns. */
const MOST_BYTES = 32 * 1024 * 1024;

/** Every action on a folder begins with its files' footers, which for thousands of small files is most of the work. */
export function footerCache(storages: Storages, mostBytes = MOST_BYTES): FooterCache {
  const kept = new Map<string, { readonly version: string; readonly footer: ParquetFooter }>();
  let bytes = 0;
  const forget = (url: string) => {
    bytes -= kept.get(url)?.footer.length ?? 0;
    kept.delete(url);
  };
  return {
    async read(file) {
      const known = kept.get(file.url);
      if (known && known.version === file.version) return known.footer;
      const footer = await readParquetFooter({ url: file.url, storage: storages.for(file.url) }, file.size, {
        version: file.version,
      });
      forget(file.url);
      if (file.version === undefined) return footer;
      kept.set(file.url, { version: file.version, footer });
      bytes += footer.length;
      for (const [oldest] of kept) {
        if (bytes <= mostBytes) break;
        forget(oldest);
      }
      return footer;
    },
  };
}
