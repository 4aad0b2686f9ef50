import type { StructField } from "../../data/types";
import { throwIfAborted } from "../../errors";
import { sameName } from "../../frame/resolve";
import { type ParquetFooter, sparkFieldOf } from "../../parquet";
import { chunkStatistics } from "../../parquet/chunk-statistics";
import { fetchBudget, fetchPieces } from "../../parquet/fetch-pieces";
import { groupHead, plannedHead } from "../../parquet/group-head";
import { type GroupHead, type SliceableFooter, sliceable, writeSlice } from "../../parquet/slice";
import type { Place, Reading, Url } from "../../storage";
import type { ByteBudget } from "../../storage/byte-budget";
import { mapConcurrently } from "../../storage/concurrently";
import { asStorageError } from "../../storage/local-failures";
import { fileUrl, schemeOf } from "../../storage/location";
import type { FoundFile } from "../files";
import type { FetchListener } from "../slow-query";
import type { BindContext, FetchedSource, Fetching, LeafNeeds } from "./bound-source";
import type { RowsNeeded } from "./leaf-needs";
import { folderStatistics, mayPass, type RowCondition } from "./row-conditions";

/** A Parquet file with its footer; `url` is where its rows are read, `file` where it is. */
export interface SourceFile {
  readonly file: FoundFile;
  readonly url: Url;
  readonly footer: ParquetFooter;
  /** Where no column of it is read: how many rows there are. */
  readonly rowsAlone?: number;
}

/** What is needed of files, with the columns of which it is said. */
interface FilesNeeded extends LeafNeeds {
  /** The columns that are read; absent: all. */
  readonly names: ReadonlySet<string> | undefined;
  readonly fields: readonly StructField[];
  readonly partitionColumns: readonly StructField[];
}

interface Fetched extends Pick<FetchedSource, "origins" | "summary"> {
  readonly files: readonly SourceFile[];
}

/** What of one file is brought here. */
interface Part {
  readonly source: SourceFile;
  readonly parts: SliceableFooter;
  /** Positions of its top-level columns. */
  readonly columns: readonly number[];
  readonly groups: readonly number[];
  /** The row group of which the first rows are enough. */
  readonly cut?: { readonly group: number; readonly rows: number };
}

/** How many files are fetched at once; the bytes on their way are bounded for all together. */
const FILES_AT_ONCE = 32;

/**
 * Brings to this machine what a query needs of files on other storages: of each the chunks of the needed columns, of the row groups
 * in which a row may count. Files of which nothing is needed are left out. What can't be read by parts comes whole.
 */
export async function fetchFiles(
  opened: readonly SourceFile[],
  needed: FilesNeeded,
  how: Fetching,
  context: BindContext,
): Promise<Fetched> {
  const origins = new Map<string, Url>();
  const budget = fetchBudget();
  const counts = { files: 0, groups: 0, allGroups: 0, bytes: 0, allBytes: 0, cutRows: [] as number[] };
  const planned = planFiles(opened, needed);
  const files = await mapConcurrently(planned, FILES_AT_ONCE, async (plan): Promise<SourceFile[]> => {
    throwIfAborted(how.signal);
    const { source } = plan;
    const { file, footer } = source;
    if (isHere(source.url)) return [source];
    counts.files++;
    counts.allBytes += file.size;
    counts.allGroups += footer.rowGroups.length;
    const place = { url: file.url, storage: context.storages.for(file.url) };
    const reading = { signal: how.signal, version: file.version };
    if (!("parts" in plan)) {
      counts.bytes += file.size;
      counts.groups += footer.rowGroups.length;
      how.listener?.asked(file.size);
      const copy = context.storages.at(context.spool.fresh("fetched.parquet"));
      origins.set(copy.url, file.url);
      await copy.storage.writeStream(copy.url, heard(place.storage.readStream(file.url, reading), how.listener));
      return [{ ...source, url: copy.url }];
    }
    const { parts, columns, groups } = plan;
    if (groups.length === 0) return [];
    counts.groups += groups.length;
    const heads = await headsOf(plan, place, how, reading, budget);
    const slice = parts.slice(columns, groups, heads);
    if (columns.length === 0) return [{ ...source, rowsAlone: slice.rows }];
    counts.bytes += slice.pieces.reduce((sum, { length }) => sum + length, 0);
    counts.bytes += slice.heads.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (heads && plan.cut) counts.cutRows.push(plan.cut.rows);
    const path = context.spool.fresh("fetched.parquet");
    const url = fileUrl(path);
    if (!how.isDry) how.listener?.asked(slice.pieces.reduce((sum, { length }) => sum + length, 0));
    origins.set(url, file.url);
    await writeSlice(path, slice, async (write) => {
      if (how.isDry) return;
      const written = async (bytes: Uint8Array, to: number) => {
        how.listener?.came(bytes.length);
        await write(bytes, to).catch((error: unknown) => {
          throw asStorageError(error, url, "write");
        });
      };
      await fetchPieces(place, slice.pieces, written, reading, budget);
    });
    return [{ ...source, url }];
  });
  return { files: files.flat(), origins, summary: summaryOf(opened, needed, counts) };
}

const isHere = (url: Url) => schemeOf(url) === "file";

async function* heard(chunks: AsyncIterable<Uint8Array>, listener: FetchListener | undefined) {
  for await (const chunk of chunks) {
    listener?.came(chunk.length);
    yield chunk;
  }
}

/** Which row groups of which files are needed, and of which columns. */
function planFiles(opened: readonly SourceFile[], needed: FilesNeeded): (Part | { readonly source: SourceFile })[] {
  /** Rows before the file, for those who need the first ones only. */
  let before = 0;
  return opened.map((source) => {
    const { footer, file } = source;
    const parts = isHere(source.url) ? undefined : sliceable(footer, file.size);
    const start = before;
    before += footer.rows;
    if (!parts) return { source };
    const columns = footer.columns.flatMap((node, i) => {
      const field = needed.fields.find(({ name }) => sameName(name, node.name));
      const isFolders = needed.partitionColumns.some(({ name }) => sameName(name, node.name));
      const isNeeded = field && !isFolders && (!needed.names || needed.names.has(field.name));
      return isNeeded ? [i] : [];
    });
    let row = start;
    let cut: Part["cut"];
    const groups = parts.groups.flatMap(({ rows }, group) => {
      const first = row;
      row += rows;
      const uses = needed.uses.filter((use) => first < use.first && mayCount(use, source, parts, group, needed));
      if (rows === 0 || uses.length === 0) return [];
      const isScanned = (conditions: readonly RowCondition[]) => mayCount({ conditions }, source, parts, group, needed);
      if (needed.scans && !needed.scans.some(isScanned)) return [];
      const wanted = Math.max(...uses.map((use) => use.first - first));
      if (wanted < rows) cut = { group, rows: wanted };
      return [group];
    });
    return { source, parts, columns, groups, ...(cut ? { cut } : {}) };
  });
}

/** Fetches the pages in which the first rows of a part's row group are, where they are enough and much less than the whole. */
async function headsOf(
  { parts, columns, cut }: Part,
  place: Place,
  { isDry }: Fetching,
  reading: Reading,
  budget: ByteBudget,
): Promise<ReadonlyMap<number, GroupHead> | undefined> {
  if (!cut) return undefined;
  const wanted = { ...cut, columns };
  const head = isDry ? plannedHead(parts, wanted) : await groupHead(place, parts, wanted, reading, budget);
  return head && new Map([[cut.group, head]]);
}

/** Whether a row of a row group may pass what a use asks of it. */
function mayCount(
  { conditions }: Pick<RowsNeeded, "conditions">,
  { file, footer }: SourceFile,
  { groups, leaves }: SliceableFooter,
  group: number,
  { fields, partitionColumns }: FilesNeeded,
): boolean {
  return conditions.every((condition: RowCondition) => {
    const field = fields[Number(condition.column)];
    if (!field) return true;
    const folder = partitionColumns.findIndex(({ name }) => sameName(name, field.name));
    if (folder >= 0)
      return mayPass(condition, field.type, folderStatistics(file.partition[folder] ?? null, field.type));
    const [position, second] = footer.columns.flatMap((node, i) => (sameName(node.name, field.name) ? [i] : []));
    const node = position === undefined ? undefined : footer.columns[position];
    if (!node || position === undefined || second !== undefined) return true;
    if (node.physical === undefined || node.repetition === "repeated") return true;
    // Unsigned numbers, and times in other units, are not compared as they lie there.
    const { logical } = node;
    if (logical?.kind === "INTEGER" && !logical.signed) return true;
    if (logical?.kind === "TIMESTAMP" && !(logical.utc && logical.unit === "MICROS")) return true;
    if (!isSameKind(sparkFieldOf(node, file.url).type, field.type)) return true;
    const chunk = groups[group]!.chunks[leaves[position]![0]]!;
    return mayPass(condition, field.type, chunkStatistics(chunk, node));
  });
}

const WHOLE: readonly unknown[] = ["byte", "short", "integer", "long"];

function isSameKind(a: StructField["type"], b: StructField["type"]): boolean {
  return a === b || (WHOLE.includes(a) && WHOLE.includes(b));
}

interface Counts {
  readonly files: number;
  readonly groups: number;
  readonly allGroups: number;
  readonly bytes: number;
  readonly allBytes: number;
  /** Of row groups whose first rows are enough: how many. */
  readonly cutRows: readonly number[];
}

function summaryOf(opened: readonly SourceFile[], { names, fields }: FilesNeeded, counts: Counts): string {
  const { groups, allGroups, bytes, allBytes, cutRows } = counts;
  const columns = names ? fields.filter(({ name }) => names.has(name)).map(({ name }) => name) : undefined;
  const of = columns ? `[${columns.join(", ")}] of ${fields.length} columns` : "all columns";
  const [first] = opened;
  const where = opened.length === 1 ? first?.file.url : `${first?.file.url} and ${opened.length - 1} more`;
  const cut = cutRows.length === 0 ? "" : ` (of ${cutRows.length} the pages with the first ${cutRows.join(", ")} rows)`;
  return `${where}: ${of}, ${groups} of ${allGroups} row groups${cut}, ${bytes} of ${allBytes} bytes`;
}
