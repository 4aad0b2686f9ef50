import { ROW_ID, ROW_NUMBER, uniformSql } from "../../frame/functions/numbers";
import { quotedIdentifier } from "./sql-text";

/** A relation's name in the query and the SQL identifiers of its columns. */
export interface Named {
  readonly name: string;
  readonly ids: readonly string[];
}

/**
 * SQL that adds {@link ROW_NUMBER} to each row: its place when the rows are sorted by what they are.
 *
 * This is what makes sampling reproducible. DuckDB's own `USING SAMPLE` and `random()` depend on which thread meets which
 * row; here a row's luck is the MD5 of the seed and its place, and its place does not depend on threads or on the order
 * of the input. The column `place` (an image's path) decides it where there is one, so that the same folder elsewhere gives the same
 * sample; other columns only tell apart rows with the same path, and rows without one.
 */
export function rowNumberSql(input: Named, place?: string): string {
  return `SELECT *, row_number() OVER (ORDER BY ${identity(input, place)}) AS ${quotedIdentifier(ROW_NUMBER)} FROM ${input.name}`;
}

/** SQL that adds {@link ROW_ID} to each row, where the rows in their order are cut into so many partitions of one size. */
export function rowIdSql({ name }: Named, partitions: number): string {
  const counted = `SELECT *, row_number() OVER () AS "#nth", count(*) OVER () AS "#rows" FROM ${name}`;
  // The first partition that ends behind the row, as tasks are cut.
  const partition = `("#nth" * ${partitions} - 1) // "#rows"`;
  const id = `((${partition}) << 33) + "#nth" - 1 - (${partition}) * "#rows" // ${partitions}`;
  return `SELECT * EXCLUDE ("#nth", "#rows"), CAST(${id} AS BIGINT) AS ${quotedIdentifier(ROW_ID)} FROM (${counted})`;
}

/** SQL for the rows whose luck is within bounds, over a relation that {@link rowNumberSql} made. */
export function sampleSql(numbered: Named, [from, to]: readonly [number, number], seed: number): string {
  const columns = numbered.ids.map(quotedIdentifier).join(", ");
  const luck = uniformSql(seed, quotedIdentifier(ROW_NUMBER));
  const least = from > 0 ? ` AND ${luck} >= CAST('${from}' AS DOUBLE)` : "";
  return `SELECT ${columns || '1 AS "#none"'} FROM ${numbered.name} WHERE ${luck} < CAST('${to}' AS DOUBLE)${least}`;
}

/**
 * SQL for `total` rows, as evenly over the values of `by` as they allow: all rows in rounds, one of each group per round
 * in an order drawn with the seed, and the first `total` of those. So small groups give all they have and the others share
 * the rest, to within one row. Rows come out by group and place.
 */
export function balancedSampleSql(input: Named, { by, byText, total, seed, place }: BalancedSample): string {
  const columns = input.ids.map(quotedIdentifier).join(", ");
  const group = quotedIdentifier(by);
  const groupText = `coalesce(${byText}, '')`;
  // A group's rows are numbered within the group: what other groups hold does not change which of its rows come first.
  const placed = `SELECT *, row_number() OVER (PARTITION BY ${group} ORDER BY ${identity(input, place)}) AS "#place" FROM ${input.name}`;
  const drawn = `SELECT *, row_number() OVER (PARTITION BY ${group} ORDER BY ${uniformSql(seed, `${groupText} || ':' || "#place"`)}, "#place") AS "#round" FROM (${placed})`;
  const ranked = `SELECT *, row_number() OVER (ORDER BY "#round", ${uniformSql(seed, groupText)}, ${group}) AS "#rank" FROM (${drawn})`;
  return `SELECT ${columns} FROM (${ranked}) WHERE "#rank" <= ${total} ORDER BY ${group} ASC NULLS FIRST, "#place"`;
}

/** What rows are sorted by to give each a place. Rows equal in all columns may change places: nobody can tell. */
function identity({ ids }: Named, place: string | undefined): string {
  const others = ids.filter((id) => id !== place).map(quotedIdentifier);
  const keys = place === undefined ? [] : [quotedIdentifier(place)];
  if (others.length > 0) keys.push(`hash(${others.join(", ")})`);
  return keys.length > 0 ? keys.join(", ") : "1";
}

/** What a balanced sample takes. */
export interface BalancedSample {
  /** The column of the groups. */
  readonly by: string;
  /** SQL for that column as text. */
  readonly byText: string;
  readonly total: number;
  readonly seed: number;
  /** The column that gives rows their place first. */
  readonly place?: string;
}
