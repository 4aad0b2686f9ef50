import type { Place } from "../storage";
import { fetchPieces } from "./fetch-pieces";
import { readParquetFooter } from "./footer";
import type { ReadOptions, RowGroupReader } from "./row-group-reader";
import { sliceable, sliceBytes } from "./slice";
import { trapped } from "./wasm";

/** Up to so many bytes are fetched while those before are decoded and computed with. */
const AHEAD_BYTES = 16 * 1024 * 1024;

/**
 * Reads row groups of a file on another storage: the footer, and of the groups asked for the chunks of the wanted columns.
 * @returns undefined for a file that can't be read by parts
 */
export async function slicedReader(
  place: Place,
  size: number,
  { columns, batchSize = 1024, version, signal, footers }: ReadOptions,
): Promise<RowGroupReader | undefined> {
  const { url } = place;
  const reading = { version, signal };
  const footer = footers
    ? await footers.read({ url, size, ...(version === undefined ? {} : { version }) })
    : await readParquetFooter(place, size, reading);
  const parts = sliceable(footer, size);
  if (!parts) return undefined;
  const wanted = footer.columns.flatMap(({ name }, i) => (columns === undefined || columns.includes(name) ? [i] : []));
  if (wanted.length === 0) return undefined;
  const stop = new AbortController();
  const ended = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;

  const fetched = async (groups: readonly number[]): Promise<Uint8Array> => {
    const slice = parts.slice(wanted, groups);
    const bytes = sliceBytes(slice);
    await fetchPieces(place, slice.pieces, (part, to) => bytes.set(part, to), { version, signal: ended });
    return bytes;
  };
  let ahead: { readonly key: string; readonly bytes: Promise<Uint8Array> } | undefined;

  return {
    rowGroups: footer.rowGroups,
    async groups(groups, next) {
      const bytes = await (ahead?.key === String(groups) ? ahead.bytes : fetched(groups));
      ahead = undefined;
      if (next && parts.slice(wanted, next).size <= AHEAD_BYTES) {
        ahead = { key: String(next), bytes: fetched(next) };
        // Told when it is asked for.
        ahead.bytes.catch(() => undefined);
      }
      return trapped((wasm) => wasm.readParquet(bytes, { batchSize }).intoIPCStream());
    },
    close: () => stop.abort(),
  };
}
