import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type RecordBatch, Table } from "apache-arrow";
import { type DataType, type StructType, simpleString } from "../../src/data/types";
import { valuesFromVector } from "../../src/data/vectors";
import type { DataFrame } from "../../src/frame/dataframe";
import { parseSchema } from "../../src/frame/ddl";
import type { Session } from "../../src/session/session";
import { golden } from "../support/golden";
import type { Frames } from "./case";

/** A column's name, its type with the nullability of what is inside, and whether it may be null. */
export type ColumnAnswer = readonly [name: string, type: string, nullable: boolean];

/** A value, or the name of the error in its place. */
export type ValueAnswer = unknown | { readonly error: string };

/** What Spark answers for a case: `test/golden/conformance.py`. */
export type Answer =
  | { readonly error: string }
  | { readonly column: ColumnAnswer; readonly values: readonly ValueAnswer[] }
  | { readonly columns: readonly ColumnAnswer[]; readonly rows: readonly (readonly unknown[])[] };

/** As the script prints it: of a column its name, its type, whether it may be null, and its values. */
type Printed = readonly [...ColumnAnswer, values: readonly ValueAnswer[]] | Exclude<Answer, { column: unknown }>;

/**
 * Spark's answers by the cases' keys.
 * @param version whose: the pinned one's, or those of an earlier one, of which what is different is kept (`other-version.mjs`)
 */
export function sparkAnswers(version?: "4.0"): Readonly<Record<string, Answer>> {
  const others = version === undefined ? "{}" : readFileSync(join(__dirname, `spark-${version}.json`), "utf8");
  const all = { ...golden<Record<string, Printed>>("conformance"), ...JSON.parse(others) } as Record<string, Printed>;
  return Object.fromEntries(
    Object.entries(all).map(([key, printed]) => {
      if (!isColumn(printed)) return [key, printed];
      const [name, type, nullable, values] = printed;
      return [key, { column: [name, type, nullable], values }];
    }),
  );
}

function isColumn(printed: Printed): printed is Extract<Printed, readonly unknown[]> {
  return Array.isArray(printed);
}

interface FrameSpec {
  readonly schema: string;
  readonly rows: readonly (readonly unknown[])[];
}

const specs = JSON.parse(readFileSync(join(__dirname, "frames.json"), "utf8")) as Record<string, FrameSpec>;

/** The ids of a frame's rows, in order. */
export function idsOf(frame: string): number[] {
  return (specs[frame]?.rows ?? []).map((row) => row[0] as number);
}

/** The frames of `frames.json` on a session. */
export function framesOn(session: Session): Frames {
  return Object.fromEntries(
    Object.entries(specs).map(([name, { schema, rows }]) => {
      const types = parseSchema(schema).fields.map((f) => f.type);
      const values = rows.map((row) => row.map((value, i) => givenValue(value, types[i] ?? "void")));
      return [name, session.createDataFrame(values, schema)];
    }),
  );
}

/** A value of `frames.json` as a user would give it. */
function givenValue(value: unknown, type: DataType): unknown {
  if (value === null) return null;
  if (typeof type === "string") {
    if (type === "double" || type === "float") return value === "-0.0" ? -0 : Number(value);
    if (type === "long") return BigInt(value as string);
    if (type === "binary") return new Uint8Array(Buffer.from(value as string, "base64"));
    if (type === "date" || type === "timestamp" || type === "timestamp_ntz") return new Date(value as string);
    return value;
  }
  switch (type.type) {
    case "array":
      return (value as unknown[]).map((item) => givenValue(item, type.elementType));
    case "struct":
      return Object.fromEntries(
        type.fields.map((f) => [f.name, givenValue((value as Record<string, unknown>)[f.name], f.type)]),
      );
    case "map":
      return new Map(Object.entries(value as object).map(([k, v]) => [k, givenValue(v, type.valueType)]));
  }
}

/** What a frame has, in the form of the answers. */
export async function answerOf(df: DataFrame): Promise<Extract<Answer, { columns: unknown }>> {
  const schema = await df.schema();
  const batches: RecordBatch[] = [];
  for await (const batch of df.runtime.execute(df.plan)) batches.push(batch);
  return { columns: columnsOf(schema), rows: rowsOf(schema, batches) };
}

function columnsOf(schema: StructType): ColumnAnswer[] {
  return schema.fields.map(({ name, type, nullable }) => [name, fullType(type), nullable]);
}

/** A type's text, with what inside it may not be null, as `printSchema` tells. */
function fullType(type: DataType): string {
  const required = (child: DataType, nullable: boolean) => `${fullType(child)}${nullable ? "" : " not null"}`;
  if (typeof type === "string") return simpleString(type);
  switch (type.type) {
    case "array":
      return `array<${required(type.elementType, type.containsNull)}>`;
    case "map":
      return `map<${fullType(type.keyType)},${required(type.valueType, type.valueContainsNull)}>`;
    case "struct":
      return `struct<${type.fields.map((f) => `${f.name}:${required(f.type, f.nullable)}`).join(",")}>`;
  }
}

function rowsOf(schema: StructType, batches: readonly RecordBatch[]): unknown[][] {
  return batches.flatMap((batch) => {
    const table = new Table([batch]);
    const columns = schema.fields.map((field, i) => {
      const vector = table.getChildAt(i);
      return vector ? valuesFromVector(vector, field.type).map((value) => comparable(value, field.type)) : [];
    });
    return Array.from({ length: batch.numRows }, (_, row) => columns.map((column) => column[row]));
  });
}

/** A value in the form that the Python side gives Spark's. */
function comparable(value: unknown, type: DataType): unknown {
  if (value === null || value === undefined) return null;
  if (typeof type === "string") {
    if (typeof value === "bigint") return value.toString();
    if (typeof value === "number") {
      if (type === "float" || type === "double") return numberText(value);
      return value;
    }
    if (type.startsWith("decimal")) return String(value).replace(/\.0*$|(\.\d*?)0+$/, "$1");
    if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
    if (value instanceof Date) return type === "date" ? isoDay(value) : isoTime(value);
    return value;
  }
  switch (type.type) {
    case "array":
      return Array.from(value as Iterable<unknown>, (item) => comparable(item, type.elementType));
    case "struct":
      return type.fields.map((f) => comparable((value as Record<string, unknown>)[f.name], f.type));
    case "map":
      return [...(value as Map<unknown, unknown>)]
        .map(([k, v]) => [comparable(k, type.keyType), comparable(v, type.valueType)])
        .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
}

function numberText(value: number): unknown {
  if (Object.is(value, -0)) return "-0.0";
  return Number.isFinite(value) ? value : String(value);
}

function isoDay(value: Date): string {
  return value
    .toISOString()
    .replace(/T.*/, "")
    .replace(/^\+0+(?=\d{4,})/, "");
}

/** As Python's `isoformat`, without what a Date has not: microseconds. */
function isoTime(value: Date): string {
  return value
    .toISOString()
    .replace("Z", "")
    .replace(/\.000$/, "");
}

/** Python's text of a time, cut to what a Date holds. */
export function cutTime(text: unknown): unknown {
  if (Array.isArray(text)) return text.map(cutTime);
  return typeof text === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/.test(text)
    ? text.slice(0, 23).replace(/\.000$/, "")
    : text;
}

/** True where two answers are the same; numbers to within `within`, relatively. */
export function isSame(given: unknown, wanted: unknown, within = 0): boolean {
  // What is only the same to some digits has no sign at zero.
  const unsigned = (value: unknown) => (within > 0 && value === "-0.0" ? 0 : value);
  const [actual, expected] = [unsigned(given), unsigned(wanted)];
  if (typeof actual === "number" && typeof expected === "number") {
    return (
      actual === expected ||
      Math.abs(actual - expected) <= within * Math.max(Math.abs(expected), within > 0 ? 1e-300 : 0)
    );
  }
  if (Array.isArray(actual) && Array.isArray(expected)) {
    return actual.length === expected.length && actual.every((item, i) => isSame(item, expected[i], within));
  }
  return actual === expected;
}

/** True for what Spark gives and Python cannot show: a year beyond 9999. */
export function isUnseen(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    "error" in value &&
    /^(?:ValueError|OverflowError)/.test(String(value.error))
  );
}

/** The name of an error as Spark's messages begin: `[NAME] ...`. */
export function errorName(error: unknown): string {
  const found = /\[([A-Z][A-Z_0-9]+(?:\.[A-Z_0-9]+)?)\]/.exec((error as Error).message);
  return found?.[1] ?? `${(error as Error).name}: ${(error as Error).message.slice(0, 160)}`;
}
