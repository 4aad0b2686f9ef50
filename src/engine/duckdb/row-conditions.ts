import type { DataType } from "../../data/types";
import type { Expression } from "../../frame/plan";
import type { ChunkStatistics, StatisticsValue } from "../../parquet/chunk-statistics";

/** What a filter asks of one column: rows for which it is not true are of no use. */
export interface RowCondition {
  /** The column's id. */
  readonly column: string;
  readonly test:
    | { readonly op: "<" | "<=" | ">" | ">="; readonly value: string | number }
    | { readonly op: "in"; readonly values: readonly (string | number)[] }
    | { readonly op: "isnull" }
    | { readonly op: "isnotnull" };
}

/** What of a filter's condition is known to be asked of single columns; all of it holds for a row that passes. */
export function conditionsIn(expression: Expression): RowCondition[] {
  switch (expression.kind) {
    case "alias":
      return conditionsIn(expression.child);
    case "text":
      return textConditions(expression.parts);
    case "call":
      return callConditions(expression.fn, expression.args);
    default:
      return [];
  }
}

const MIRRORED = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" } as const;

function callConditions(fn: string, args: readonly Expression[]): RowCondition[] {
  if (fn === "and") return args.flatMap(conditionsIn);
  const [first, second] = args;
  if (first?.kind === "literal" && second?.kind === "column") {
    return callConditions(fn in MIRRORED ? MIRRORED[fn as "<"] : fn === "=" ? fn : "", [second, first]);
  }
  if (first?.kind !== "column") return [];
  const column = first.name;
  switch (fn) {
    case "isnull":
    case "isnotnull":
      return [{ column, test: { op: fn } }];
    case "=":
    case "in": {
      const values = args.slice(1).map(constant);
      return values.includes(undefined) ? [] : [{ column, test: { op: "in", values: values as (string | number)[] } }];
    }
    case "<":
    case "<=":
    case ">":
    case ">=": {
      const value = constant(second);
      return value === undefined ? [] : [{ column, test: { op: fn, value } }];
    }
    default:
      return [];
  }
}

/** A literal's value; a time as text that {@link microseconds} takes. */
function constant(expression: Expression | undefined): string | number | undefined {
  if (expression?.kind !== "literal") return undefined;
  const { value, type } = expression;
  if (type === "timestamp" && typeof value === "string") return `${TIME}${value}`;
  return type === undefined && (typeof value === "string" || typeof value === "number") ? value : undefined;
}

/** Tells times from texts. */
const TIME = "\0";

const ATOM = /^\s*\0(\d+)\0\s*(=|<=|>=|<|>)\s*(?:(-?\d{1,15})|'([^'\0]*)')\s*$/;

/** SQL text of nothing but `column op value` joined by `and`. */
function textConditions(parts: readonly (string | Expression)[]): RowCondition[] {
  if (parts.some((part) => typeof part === "string" && part.includes("\0"))) return [];
  const text = parts.map((part, i) => (typeof part === "string" ? part : `\0${i}\0`)).join("");
  const conditions: RowCondition[] = [];
  for (const atom of text.split(/\band\b/i)) {
    const [, place, op, digits, string] = ATOM.exec(atom) ?? [];
    const column = parts[Number(place)];
    if (op === undefined || typeof column !== "object" || column.kind !== "column") return [];
    const value = digits === undefined ? (string ?? "") : Number(digits);
    const test = op === "=" ? { op: "in" as const, values: [value] } : { op: op as "<", value };
    conditions.push({ column: column.name, test });
  }
  return conditions;
}

/**
 * True where rows with these statistics may pass: false is certain. Compared is only what Spark compares as the numbers or bytes
 * that they are.
 */
export function mayPass({ test }: RowCondition, type: DataType, statistics: ChunkStatistics): boolean {
  const { values, nulls, least, most } = statistics;
  if (test.op === "isnull") return nulls !== 0;
  if (nulls !== undefined && nulls === values && values > 0) return false;
  if (test.op === "isnotnull") return true;
  if (test.op === "in") {
    return test.values.some((value) => {
      const wanted = comparable(value, type);
      return wanted === undefined || !(isLess(wanted, least) || isLess(most, wanted));
    });
  }
  const wanted = comparable(test.value, type);
  if (wanted === undefined) return true;
  switch (test.op) {
    case "<":
      return least === undefined || isLess(least, wanted);
    case "<=":
      return !isLess(wanted, least);
    // NaN is above every number, and no statistics know of it.
    case ">":
      return isFloating(type) || most === undefined || isLess(wanted, most);
    case ">=":
      return isFloating(type) || !isLess(most, wanted);
  }
}

const isFloating = (type: DataType) => type === "float" || type === "double";

/** Whether one value is certainly less than another; false where either is not known. */
function isLess(a: StatisticsValue | undefined, b: StatisticsValue | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) < 0;
  }
  return a < b;
}

/** A literal as the statistics of a column have its values; undefined where Spark would convert one of both. */
function comparable(value: string | number, type: DataType): StatisticsValue | undefined {
  switch (type) {
    case "byte":
    case "short":
    case "integer":
    case "long":
      return Number.isSafeInteger(value) ? BigInt(value) : undefined;
    case "float":
    case "double":
      return typeof value === "number" && Number.isFinite(value) ? value : undefined;
    case "string":
      return typeof value === "string" && !value.startsWith(TIME) && !/\p{Surrogate}/u.test(value)
        ? Buffer.from(value, "utf8")
        : undefined;
    case "date":
      return typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value) ? days(value) : undefined;
    case "timestamp":
      return typeof value === "string" && value.startsWith(TIME) ? microseconds(value.slice(TIME.length)) : undefined;
    default:
      return undefined;
  }
}

function days(text: string): bigint | undefined {
  const time = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text
    ? undefined
    : BigInt(time / 86_400_000);
}

function microseconds(text: string): bigint | undefined {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : BigInt(time) * 1000n;
}

/** What is known of a column whose value a folder `k=v` says. */
export function folderStatistics(value: string | null, type: DataType): ChunkStatistics {
  if (value === null) return { values: 1, nulls: 1 };
  const exact = (known: StatisticsValue | undefined): ChunkStatistics =>
    known === undefined ? { values: 1, nulls: 0 } : { values: 1, nulls: 0, least: known, most: known };
  switch (type) {
    case "byte":
    case "short":
    case "integer":
    case "long":
      return exact(/^-?\d+$/.test(value) ? BigInt(value) : undefined);
    case "string":
      return exact(Buffer.from(value, "utf8"));
    case "date":
      return exact(/^\d{4}-\d\d-\d\d$/.test(value) ? days(value) : undefined);
    default:
      return exact(undefined);
  }
}
