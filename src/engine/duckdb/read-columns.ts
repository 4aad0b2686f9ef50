import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import type { StructType } from "../../data/types";
import { duckdbType } from "./duckdb-types";
import type { RowCondition } from "./row-conditions";
import { PRELUDE } from "./sql-macros";
import { querySql } from "./sql-query";
import { quotedIdentifier } from "./sql-text";
import type { QueryReader } from "./view-columns";

/** The one rule of DuckDB's optimizer that is asked; statistics, say, would take the columns of an empty table for needless. */
const RULES = ["unused_columns", "cte_inlining"];

/** With this one scans say conditions, and leave columns out that only those read: it is asked by itself. */
const FILTER_RULES = [...RULES, "filter_pushdown"];

export interface ColumnReader {
  readonly read: QueryReader["readColumns"];
  /**
   * The columns that a query reads of tables, by position; undefined for a table, and nothing at all, where that can't be known.
   * @param sql over {@link standInSql}
   */
  scanned(sql: string, tables: readonly StructType[]): Promise<readonly (readonly number[] | undefined)[]>;
  /**
   * What each scan of a table asks of rows, as far as it is understood; undefined for a table, and nothing at all, as above.
   * @param sql over {@link standInSql}
   */
  conditions(
    sql: string,
    tables: readonly StructType[],
  ): Promise<readonly (readonly (readonly RowCondition[])[] | undefined)[]>;
  close(): Promise<void>;
}

/**
 * Finds out which columns of views a query reads: DuckDB plans it over empty tables, whose scans say so. Settings of its optimizer
 * are a whole database's, so that it is one of its own, opened when it is first needed.
 */
export function columnReader(): ColumnReader {
  let opened: Promise<DuckDBInstance> | undefined;
  let openedFilters: Promise<DuckDBInstance> | undefined;

  /** @returns undefined where the query can't be planned: what is wrong with it, its real plan has said or will say */
  async function scansIn(
    instance: Promise<DuckDBInstance>,
    sql: string,
    tables: readonly StructType[],
  ): Promise<PlanNode[] | undefined> {
    const connection = await (await instance).connect();
    try {
      for (const [i, { fields }] of tables.entries()) {
        const columns = fields.map((field, n) => `"c${n}" ${duckdbType(field.type)}`);
        await connection.run(`CREATE TEMP TABLE "${TABLE}${i}" (${columns.join(", ")})`);
      }
      return (await planOf(connection, sql)).flatMap(scansOf);
    } catch {
      return undefined;
    } finally {
      connection.closeSync();
    }
  }

  async function scanned(sql: string, tables: readonly StructType[]): Promise<(readonly number[] | undefined)[]> {
    opened ??= open(RULES);
    const scans = await scansIn(opened, sql, tables);
    return scans ? tables.map((_, i) => columnsRead(scans, i)) : [];
  }

  return {
    scanned,

    async conditions(sql, tables) {
      openedFilters ??= open(FILTER_RULES);
      const scans = await scansIn(openedFilters, sql, tables);
      return scans ? tables.map((_, i) => conditionsAsked(scans, i)) : [];
    },

    async read(query, views, { count, wanted }) {
      // It plans a query of its own for the values that become columns.
      if (/\bpivot\b/i.test(query)) return undefined;
      const schemas = Object.values(views);
      const standIns = Object.fromEntries(Object.keys(views).map((name, i) => [name, standInSql(schemas[i]!, i)]));
      const results = Array.from({ length: count }, (_, i) => `"r${i}"`);
      const list = wanted.map((i) => results[i]).join(", ") || "1";
      const sql = `SELECT ${list} FROM (${querySql(query, standIns)}) AS q(${results.join(", ")})`;
      const columns = await scanned(sql, schemas);
      if (columns.length === 0 && schemas.length > 0) return undefined;
      const read = Object.keys(views).map((name, i) => [name, columns[i]] as const);
      return Object.fromEntries(read.flatMap(([name, columns]) => (columns ? [[name, columns]] : [])));
    },

    async close() {
      for (const instance of [opened, openedFilters]) (await instance?.catch(() => undefined))?.closeSync();
    },
  };
}

const TABLE = "stand_in_";

/** SQL for the columns of a table, by its number among those of {@link ColumnReader.scanned}. */
export function standInSql({ fields }: StructType, table: number): string {
  const list = fields.map((field, n) => `"c${n}" AS ${quotedIdentifier(field.name)}`);
  return `SELECT ${list.join(", ") || '1 AS "__none"'} FROM "${TABLE}${table}"`;
}

async function open(rules: readonly string[]): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1", autoinstall_known_extensions: "false" });
  const connection = await instance.connect();
  for (const statement of PRELUDE) await connection.run(statement);
  const names = (await connection.runAndReadAll("SELECT name FROM duckdb_optimizers()"))
    .getRows()
    .map(([name]) => String(name));
  const disabled = names.filter((name) => !rules.includes(name)).join(",");
  await connection.run(`SET disabled_optimizers = '${disabled}'`);
  connection.closeSync();
  return instance;
}

/** What is read here of DuckDB's plans. */
interface PlanNode {
  readonly children?: readonly PlanNode[];
  readonly extra_info?: {
    readonly Table?: string;
    readonly Projections?: string | readonly string[];
    readonly Filters?: string | readonly string[];
  };
}

async function planOf(connection: DuckDBConnection, sql: string): Promise<readonly PlanNode[]> {
  const [row] = (await connection.runAndReadAll(`EXPLAIN (FORMAT json) ${sql}`)).getRows();
  return JSON.parse(String(row?.[1])) as readonly PlanNode[];
}

function scansOf(node: PlanNode): PlanNode[] {
  return [...(node.extra_info?.Table === undefined ? [] : [node]), ...(node.children ?? []).flatMap(scansOf)];
}

/** The positions of a stand-in's columns that its scans give, of a struct also for one of its fields: `c4.a`. */
function columnsRead(scans: readonly PlanNode[], table: number): number[] | undefined {
  const own = scans.filter((scan) => scan.extra_info?.Table?.endsWith(`.${TABLE}${table}`));
  const names = own.flatMap((scan) => scan.extra_info?.Projections ?? []).filter((name) => name !== "");
  const positions = names.map((name) => /^c(\d+)(?:\.|$)/.exec(name)?.[1]);
  return own.length === 0 || positions.includes(undefined) ? undefined : [...new Set(positions.map(Number))];
}

/** What is asked of rows in each scan of a stand-in. */
function conditionsAsked(scans: readonly PlanNode[], table: number): RowCondition[][] | undefined {
  const own = scans.filter((scan) => scan.extra_info?.Table?.endsWith(`.${TABLE}${table}`));
  return own.length === 0 ? undefined : own.map((scan) => [scan.extra_info?.Filters ?? []].flat().flatMap(asked));
}

const VALUE = String.raw`(?:-?\d{1,15}|'(?:[^']|''){0,200}'(?:::DATE)?)`;
const COMPARED = new RegExp(String.raw`^c\d+(?:<=|>=|=|<|>)${VALUE}(?: AND c\d+(?:<=|>=|=|<|>)${VALUE})*$`);
const ONE = new RegExp(String.raw`c(\d+)(<=|>=|=|<|>)(${VALUE})`, "g");
const NULLS = /^\(c(\d+) IS (NOT )?NULL\)$/;

/** A scan's filter, as DuckDB writes it: one column compared with constants, or with null. Of all else nothing is known. */
function asked(filter: string): RowCondition[] {
  const [, column, not] = NULLS.exec(filter) ?? [];
  if (column !== undefined) return [{ column, test: { op: not ? "isnotnull" : "isnull" } }];
  if (!COMPARED.test(filter)) return [];
  return [...filter.matchAll(ONE)].map(([, at = "", op, text = ""]): RowCondition => {
    const value = text.startsWith("'") ? text.replace(/^'|'(?:::DATE)?$/g, "").replaceAll("''", "'") : Number(text);
    const test = op === "=" ? { op: "in" as const, values: [value] } : { op: op as "<", value };
    return { column: at, test };
  });
}
