import { CorruptParquetError, UnsupportedParquetError } from "../../parquet";
import type { Url } from "../../storage";
import { type LeafPlan, type Relation, relationInputs } from "../relation";
import type { BoundSource, FetchedSource, Fetching, LeafNeeds } from "./bound-source";
import type { DuckDb } from "./duckdb";
import { type RowsNeeded, visitLeaves } from "./leaf-needs";
import { standInSql } from "./read-columns";
import type { LeafRelation, LeafSql } from "./sql";

/** What fetching for queries needs of an analysis. */
export interface FetchContext {
  readonly sources: ReadonlyMap<string, BoundSource>;
  readonly keyOf: (leaf: LeafPlan) => string;
  readonly duckdb: DuckDb;
  /** What stands for a leaf before anything is fetched: its columns count. */
  readonly resolve: (leaf: LeafRelation) => LeafSql;
}

/** Sources by the key of their leaf. */
export type FetchedSources = ReadonlyMap<string, FetchedSource>;

/** Brings what queries need of files on other storages; what was fetched for an earlier query with the same needs is there. */
export function sourceFetcher(context: FetchContext) {
  const fetched = new Map<string, Promise<FetchedSource>>();

  /** @param sql the query, given what stands for its leaves */
  return async (
    relation: Relation,
    sql: (resolve: (leaf: LeafRelation) => LeafSql) => string,
    how: Fetching,
  ): Promise<FetchedSources> => {
    const uses = new Map<string, RowsNeeded[]>();
    visitLeaves(relation, (leaf, rows) => {
      const key = context.keyOf(leaf);
      if (context.sources.get(key)?.fetch) uses.set(key, [...(uses.get(key) ?? []), rows]);
    });
    const found = new Map<string, FetchedSource>();
    if (uses.size === 0) return found;
    const { columns, scans } = await readOf(sql, hasQuery(relation), context);
    for (const [key, rows] of uses) {
      const asked = scans.get(key);
      const needs: LeafNeeds = { columns: columns.get(key), uses: rows, ...(asked ? { scans: asked } : {}) };
      const source = context.sources.get(key)!;
      if (how.isDry) {
        found.set(key, await source.fetch!(needs, how));
        continue;
      }
      // Infinity has no word in JSON, and no number of rows is negative.
      const name = JSON.stringify([key, needs], (_, value: unknown) =>
        value === Number.POSITIVE_INFINITY ? -1 : value,
      );
      const work = fetched.get(name) ?? source.fetch!(needs, how);
      fetched.set(name, work);
      work.catch(() => fetched.delete(name));
      found.set(key, await work);
    }
    return found;
  };
}

/** What a query reads of its sources, as DuckDB plans it over empty tables: columns, and where it has SQL text, rows. */
async function readOf(
  sql: (resolve: (leaf: LeafRelation) => LeafSql) => string,
  hasText: boolean,
  { keyOf, duckdb, resolve }: FetchContext,
) {
  const tables = new Map<string, { readonly number: number; readonly leaf: LeafSql }>();
  const query = sql((relation) => {
    const key = relation.op === "leaf" ? `leaf ${keyOf(relation.leaf)}` : `stage ${relation.id}`;
    const table = tables.get(key) ?? { number: tables.size, leaf: resolve(relation) };
    tables.set(key, table);
    return { ...table.leaf, sql: standInSql(table.leaf.schema, table.number) };
  });
  const schemas = [...tables.values()].map(({ leaf }) => leaf.schema);
  const byLeaf = <T>(found: readonly (T | undefined)[]): ReadonlyMap<string, T> =>
    new Map(
      [...tables].flatMap(([key, { number }]) => {
        const value = found[number];
        return value && key.startsWith("leaf ") ? [[key.slice("leaf ".length), value] as const] : [];
      }),
    );
  const columns = await duckdb.scannedColumns(query, schemas);
  const scans = hasText ? await duckdb.scanConditions(query, schemas) : [];
  return { columns: byLeaf(columns), scans: byLeaf(scans) };
}

/** Of queries in SQL text nothing but DuckDB knows which rows they ask for. */
function hasQuery(relation: Relation): boolean {
  return relation.op === "sql" || relationInputs(relation).some(hasQuery);
}

/** What is wrong with a copy is wrong with the file that it is of. */
export function toldOfOrigin(error: unknown, fetched: FetchedSources): unknown {
  const origins = new Map<string, Url>([...fetched.values()].flatMap((source) => [...source.origins]));
  const named = (text: string) => {
    let found = text;
    for (const [copy, origin] of origins) {
      found = found.replaceAll(copy, origin).replaceAll(copy.slice("file:".length), origin);
    }
    return found;
  };
  const isAboutFile = error instanceof CorruptParquetError || error instanceof UnsupportedParquetError;
  if (isAboutFile) Object.assign(error, { message: named(error.message), url: named(error.url) });
  return error;
}
