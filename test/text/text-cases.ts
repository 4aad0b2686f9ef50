import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { RecordBatch } from "apache-arrow";
import { decimalText } from "../../src/data/decimal";
import { type DataType, type StructType, simpleString } from "../../src/data/types";
import { PomonaError } from "../../src/errors";
import { listed } from "../../src/storage";
import type { TextFile } from "../../src/text/chunks";
import { localFile } from "../support/local-file";

/** An input with options, and what Spark makes of it. */
export interface TextCase {
  readonly files: Readonly<Record<string, string | { readonly base64: string }>>;
  readonly options: Readonly<Record<string, string>>;
  readonly schema?: string;
  readonly spark: Answer;
}

export type Answer =
  | { readonly schema: readonly (readonly [string, string])[]; readonly rows: readonly (readonly unknown[])[] }
  | { readonly error: string };

async function filesIn(folder: string) {
  const { storage, url } = localFile(folder);
  return (await listed(storage, url, { recursive: false })).map((file) => ({ ...file, storage }));
}

/** Runs `read` on a case's files in a folder of their own; a named error is an answer too. */
export async function answerOf(
  one: Pick<TextCase, "files">,
  read: (
    files: readonly (TextFile & { readonly size: number })[],
  ) => Promise<{ schema: StructType; batches: AsyncIterable<RecordBatch> }>,
): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), "pomona-text-"));
  try {
    for (const [name, text] of Object.entries(one.files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), typeof text === "string" ? text : Buffer.from(text.base64, "base64"));
    }
    const { schema, batches } = await read(await filesIn(folder));
    const rows: unknown[][] = [];
    for await (const batch of batches) {
      for (let row = 0; row < batch.numRows; row++) {
        rows.push(schema.fields.map((field, i) => plain(batch.getChildAt(i)?.get(row), field.type, batch, i, row)));
      }
    }
    return { schema: schema.fields.map((f) => [f.name, simpleString(f.type)]), rows };
  } catch (error) {
    if (error instanceof PomonaError) return { error: error.name };
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A value as the golden files have it: dates as days, timestamps as microseconds, decimals and long integers as text. */
function plain(value: unknown, type: DataType, batch: RecordBatch, column: number, row: number): unknown {
  if (value === null || value === undefined) return null;
  if (type === "timestamp" || type === "timestamp_ntz") {
    const data = batch.data.children[column]?.values as BigInt64Array | undefined;
    return number(data?.[row] ?? 0n);
  }
  return nested(value, type);
}

function nested(value: unknown, type: DataType): unknown {
  if (value === null || value === undefined) return null;
  if (typeof type !== "string") {
    switch (type.type) {
      case "array":
        return Array.from(value as Iterable<unknown>, (item) => nested(item, type.elementType));
      case "struct":
        return type.fields.map((f) => nested((value as Record<string, unknown>)[f.name], f.type));
      case "map":
        return Object.entries((value as { toJSON(): object }).toJSON()).map(([k, v]) => [k, nested(v, type.valueType)]);
    }
  }
  if (type === "date") return Number(value) / 86_400_000;
  if (type === "timestamp" || type === "timestamp_ntz") return Number(value) * 1000;
  if (type.startsWith("decimal")) return decimalText(value as never, Number(/,(\d+)/.exec(type)?.[1]));
  if (type === "binary") return Buffer.from(value as Uint8Array).toString("hex");
  if (typeof value === "bigint") return number(value);
  if (typeof value !== "number") return value;
  if (Object.is(value, -0)) return "-0.0";
  return Number.isFinite(value) ? value : String(value);
}

function number(value: bigint): number | string {
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}
