import type { MimeBundle } from "../kernel/mime-bundle";
import { htmlTable } from "../showing/html-table";
import { counted } from "../showing/quantities";
import { isPlainObject } from "./inspection";
import { valueText } from "./value-text";

const MOST_ROWS = 50;
const MOST_COLUMNS = 50;

/** An array of plain objects, such as `collect()` gives, as a table; undefined for any other value. */
export function objectsBundle(value: unknown): MimeBundle | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const rows: unknown[] = value.slice(0, MOST_ROWS);
  if (!rows.every(isPlainObject)) return undefined;
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (names.length === 0) return undefined;
  const cells = rows.map((row) => names.slice(0, MOST_COLUMNS).map((name) => row[name]));
  return { "text/html": tableHtml(names, cells, value.length, names.length) };
}

interface ArrowLike {
  readonly numRows: number;
  readonly schema: { readonly fields: readonly { readonly name: string; readonly type: unknown }[] };
  getChildAt(index: number): { get(index: number): unknown } | null;
}

/** An Arrow Table or RecordBatch, of whichever copy of the library; undefined for any other value. */
export function arrowBundle(value: unknown): MimeBundle | undefined {
  if (!isArrow(value)) return undefined;
  const { fields } = value.schema;
  const columns = fields.slice(0, MOST_COLUMNS).map((_, j) => value.getChildAt(j));
  const rows = Array.from({ length: Math.min(value.numRows, MOST_ROWS) }, (_, i) => columns.map((c) => c?.get(i)));
  const names = fields.map((field) => field.name);
  const types = fields.map((field) => String(field.type));
  const kind = "batches" in value ? "Table" : "RecordBatch";
  const lines = names.map((name, i) => `  ${name}: ${types[i]}`);
  return {
    "text/html": tableHtml(names, rows, value.numRows, names.length, types),
    "text/plain": [`Arrow ${kind}, ${shapeText(value.numRows, names.length)}`, ...lines].join("\n"),
  };
}

function isArrow(value: unknown): value is ArrowLike {
  if (typeof value !== "object" || value === null) return false;
  const { numRows, schema, getChildAt } = value as Partial<ArrowLike>;
  return typeof numRows === "number" && typeof getChildAt === "function" && Array.isArray(schema?.fields);
}

interface DanfoLike {
  readonly $isSeries: boolean;
  readonly shape: readonly number[];
  readonly columns: readonly unknown[];
  readonly index: readonly unknown[];
  readonly values: readonly unknown[];
  readonly dtypes: readonly unknown[];
}

/** A Danfo.js DataFrame or Series; undefined for any other value. */
export function danfoBundle(value: unknown): MimeBundle | undefined {
  if (!isDanfo(value)) return undefined;
  const rows = value.values.slice(0, MOST_ROWS).map((row, i) => {
    const cells = value.$isSeries ? [row] : (row as readonly unknown[]);
    return [value.index[i], ...cells.slice(0, MOST_COLUMNS)];
  });
  const [count = rows.length, width = value.columns.length] = value.shape;
  const types = ["index", ...value.dtypes.map(String)];
  const html = tableHtml(["", ...value.columns.map(String)], rows, count, width, types, 1);
  const kind = value.$isSeries ? "Series" : "DataFrame";
  // The library's own text is of a few rows and columns; it writes all of a series.
  const text = count > MOST_ROWS && value.$isSeries ? `${value.values.slice(0, 5).join("\n")}\n...` : String(value);
  return { "text/html": html, "text/plain": `${text.trimEnd()}\nDanfo ${kind}, ${shapeText(count, width)}` };
}

function isDanfo(value: unknown): value is DanfoLike {
  if (typeof value !== "object" || value === null) return false;
  const { $isSeries, shape, columns, index, values } = value as Partial<DanfoLike>;
  return typeof $isSeries === "boolean" && [shape, columns, index, values].every(Array.isArray);
}

/** @param extra columns in front that do not count, such as an index */
function tableHtml(
  names: readonly string[],
  cells: readonly (readonly unknown[])[],
  rows: number,
  columns: number,
  types: readonly string[] = [],
  extra = 0,
): string {
  const header = names.slice(0, MOST_COLUMNS + extra);
  const shown = [
    ...(rows > cells.length ? [`the first ${cells.length} rows`] : []),
    ...(columns > MOST_COLUMNS ? [`the first ${MOST_COLUMNS} columns`] : []),
  ];
  return htmlTable({
    header,
    rows: cells.map((row) => row.map(valueText)),
    titles: types.slice(0, header.length),
    right: header.map((_, j) => cells.some((row) => isNumber(row[j])) && cells.every((row) => isNumberOrNone(row[j]))),
    note: `${shapeText(rows, columns)}${shown.length > 0 ? `; shown: ${shown.join(", ")}` : ""}`,
  });
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" || typeof value === "bigint";
}

function isNumberOrNone(value: unknown): boolean {
  return value === null || value === undefined || isNumber(value);
}

function shapeText(rows: number, columns: number): string {
  return `${counted(rows, "row")} x ${counted(columns, "column")}`;
}
