import { DataType, type RecordBatch, TimeUnit, type Vector } from "apache-arrow";
import type { StructType } from "../data/types";
import { IllegalArgumentError } from "../errors";
import { cellText } from "./cell-text";
import { escapeControls } from "./control-characters";

/** How `show` prints. */
export interface ShowFormat {
  /**
   * Cells longer than this many characters end in `...`; `true` is 20, `false` prints them whole and aligns to the left.
   * @default true
   */
  truncate?: boolean | number;
  /** One line per value instead of one per row. @default false */
  vertical?: boolean;
}

/**
 * Rows as a table, Spark's exact text (`Dataset.showString`): a line break at the end, but none behind `only showing top`.
 * @param batches at least `n` rows where there are as many, and one more where there are more.
 * @see https://github.com/apache/spark/blob/master/sql/core/src/main/scala/org/apache/spark/sql/classic/Dataset.scala
 */
export function showString(
  schema: StructType,
  batches: readonly RecordBatch[],
  n: number,
  format: ShowFormat = {},
): string {
  return shownText(shownRows(schema, batches, n, format), format);
}

/** The first rows as `show` prints them, cell by cell. */
export interface ShownRows {
  readonly header: readonly string[];
  /** At most `n`. */
  readonly rows: readonly (readonly string[])[];
  /** `only showing top n rows` where there are more, else empty. */
  readonly more: string;
}

/** The cells of the first `n` rows. The parameters are {@link showString}'s. */
export function shownRows(
  schema: StructType,
  batches: readonly RecordBatch[],
  n: number,
  format: ShowFormat = {},
): ShownRows {
  const truncate = truncation(format);
  const all = textRows(schema, batches, n + 1, truncate);
  return {
    // Names are never cut.
    header: schema.fields.map((field) => escapeControls(field.name)),
    rows: all.slice(0, n).map((row) => row.map((text) => shortened(escapeControls(text), truncate))),
    more: all.length > n ? `only showing top ${n} ${n === 1 ? "row" : "rows"}` : "",
  };
}

/** Those cells as {@link showString} prints them. */
export function shownText({ header, rows, more }: ShownRows, format: ShowFormat = {}): string {
  if (format.vertical) return rows.length === 0 ? "(0 rows)" : vertical(header, rows) + more;
  return horizontal(header, rows, truncation(format) > 0) + more;
}

/** The characters a cell may have; 0 for as many as it likes. */
function truncation({ truncate = true }: ShowFormat): number {
  return truncate === false ? 0 : truncate === true ? 20 : truncate;
}

/**
 * What `show` was given, in PySpark's order or as options.
 * @throws IllegalArgumentError for a value of another type, as PySpark's `NOT_EXPECTED_TYPE`
 */
export function showArguments([first = 20, second, third]: readonly unknown[]): ShowFormat & { n: number } {
  const [n, given, vertical] = isOptions(first) ? [20, first, undefined] : [first, second, third];
  const options = isOptions(given) ? given : {};
  const format = {
    truncate: isOptions(given) ? (given.truncate ?? true) : (given ?? true),
    vertical: vertical ?? options.vertical ?? false,
  };
  if (typeof n !== "number" || !Number.isSafeInteger(n)) {
    const all =
      typeof n === "boolean" ? `For whole values, give both: show(20, ${n}) or show({ truncate: ${n} }).` : undefined;
    throw notExpected("n", "int", n, all);
  }
  const { truncate } = format;
  const isNumber = typeof truncate === "number" && Number.isFinite(truncate);
  if (typeof truncate !== "boolean" && !isNumber) throw notExpected("truncate", "bool", truncate);
  if (typeof format.vertical !== "boolean") throw notExpected("vertical", "bool", format.vertical);
  return { ...options, n, truncate: isNumber ? Math.trunc(truncate) : truncate, vertical: format.vertical };
}

function isOptions(value: unknown): value is ShowFormat {
  return typeof value === "object" && value !== null;
}

function notExpected(name: string, type: string, value: unknown, remedy?: string): IllegalArgumentError {
  const got = value === null ? "null" : typeof value === "number" ? `${value}` : typeof value;
  return new IllegalArgumentError(`[NOT_EXPECTED_TYPE] Argument \`${name}\` should be ${type}, got ${got}.`, {
    remedy,
  });
}

/** Spark's least width of a column. */
const MIN_WIDTH = 3;

function textRows(schema: StructType, batches: readonly RecordBatch[], most: number, truncate: number): string[][] {
  const characters = truncate > 0 ? truncate : Number.POSITIVE_INFINITY;
  const rows: string[][] = [];
  for (const batch of batches) {
    for (let i = 0; i < batch.numRows && rows.length < most; i++) {
      rows.push(schema.fields.map((field, j) => cellText(exactValue(batch.getChildAt(j), i), field.type, characters)));
    }
  }
  return rows;
}

/** Spark counts UTF-16 units here, as JavaScript does; half a character that is left at the end becomes `?` in its output. */
function shortened(text: string, truncate: number): string {
  if (truncate <= 0 || text.length <= truncate) return text;
  const kept = text.slice(0, truncate < 4 ? truncate : truncate - 3).replace(/[\ud800-\udbff]$/, "?");
  return truncate < 4 ? kept : `${kept}...`;
}

function horizontal(header: readonly string[], rows: readonly (readonly string[])[], alignRight: boolean): string {
  const widths = header.map((name, j) => {
    let width = Math.max(MIN_WIDTH, halfWidth(name));
    for (const row of rows) width = Math.max(width, halfWidth(row[j] ?? ""));
    return width;
  });
  const line = (cells: readonly string[]) => `|${cells.map((c, j) => pad(c, widths[j] ?? 0, alignRight)).join("|")}|\n`;
  const rule = `+${widths.map((width) => "-".repeat(width)).join("+")}+\n`;
  return rule + line(header) + rule + rows.map(line).join("") + rule;
}

function vertical(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const nameWidth = Math.max(MIN_WIDTH, ...header.map(halfWidth));
  let dataWidth = MIN_WIDTH;
  for (const row of rows) for (const cell of row) dataWidth = Math.max(dataWidth, halfWidth(cell));
  return rows
    .map((row, i) => {
      const title = `-RECORD ${i}`.padEnd(nameWidth + dataWidth + 5, "-");
      const lines = row.map(
        (cell, j) => ` ${pad(header[j] ?? "", nameWidth, false)} | ${pad(cell, dataWidth, false)} `,
      );
      return `${[title, ...lines].join("\n")}\n`;
    })
    .join("");
}

function pad(text: string, width: number, alignRight: boolean): string {
  const space = " ".repeat(Math.max(0, width - halfWidth(text)));
  return alignRight ? space + text : text + space;
}

/** How wide a terminal shows a text: East Asian characters take two places. Ranges from Spark's `Utils.stringHalfWidth`. */
function halfWidth(text: string): number {
  return text.length + (text.match(FULL_WIDTH)?.length ?? 0);
}

const FULL_WIDTH =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]/g;

/** A column's value; of a time all microseconds, for which Arrow's milliseconds have too few digits far from 1970. */
function exactValue(column: Vector | null, row: number): unknown {
  const value: unknown = column?.get(row);
  const isInMicroseconds = DataType.isTimestamp(column?.type) && column.type.unit === TimeUnit.MICROSECOND;
  return isInMicroseconds && value !== null ? column?.data[0]?.values[row] : value;
}
