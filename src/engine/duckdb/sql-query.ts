import { duckdbText, quotedIdentifier } from "./sql-text";

/** A query in DuckDB's SQL over views, each of them SQL too; it stands wherever a query may. */
export function querySql(query: string, views: Readonly<Record<string, string>>): string {
  const named = namedViews(views);
  const selected = `SELECT * FROM (\n${queryText(query)}\n)`;
  return named.length > 0 ? `WITH ${named.join(",\n")}\n${selected}` : selected;
}

/**
 * The same where columns of one name keep it, which DuckDB numbers in a query inside another. What is no SELECT it does not
 * take here.
 */
export function topQuerySql(query: string, views: Readonly<Record<string, string>>): string {
  const named = namedViews(views);
  const text = queryText(query);
  if (named.length === 0) return text;
  const [, recursive = "", own] = OWN_WITH.exec(text) ?? [];
  return `WITH ${recursive}${named.join(",\n")}${own === undefined ? "\n" : ",\n"}${own ?? text}`;
}

/** A query's own WITH, behind comments. */
const OWN_WITH = /^(?:\s|--.*\n|\/\*[\s\S]*?\*\/)*WITH\s+(RECURSIVE\s+)?([\s\S]*)$/i;

function namedViews(views: Readonly<Record<string, string>>): string[] {
  return Object.entries(views).map(([name, sql]) => `${quotedIdentifier(name)} AS NOT MATERIALIZED (${sql})`);
}

function queryText(query: string): string {
  return duckdbText(query).replace(/[;\s]+$/, "");
}
