import type { RecordBatch } from "apache-arrow";
import type { StructType } from "../data/types";
import { lineGroups, type TextFile, textChunks } from "./chunks";
import { corruptField } from "./corrupt-column";
import { malformedRecord } from "./errors";
import { JsonTypes } from "./json-infer";
import type { JsonReading } from "./json-options";
import { type JsonNode, JsonSyntaxError, parseJson } from "./json-parser";
import { isArray, isObject, JsonConverter } from "./json-values";
import { RowBatches } from "./row-batches";
import { sampler } from "./sampler";
import { javaTrim } from "./values";

/** A record's value, or what is wrong with its text. */
type Parsed = { readonly node: JsonNode } | { readonly problem: string };

/**
 * The columns of JSON files, by name, from all records. Records that are no JSON make a column of their own, which the option
 * `columnNameOfCorruptRecord` names.
 * @throws MalformedRecordError for such a record in mode FAILFAST
 */
export async function jsonSchema(
  files: readonly TextFile[],
  reading: JsonReading,
  signal?: AbortSignal,
): Promise<StructType> {
  const types = new JsonTypes(reading);
  const isSampled = sampler(reading.samplingRatio);
  for (const file of files) {
    for await (const texts of records(file, reading, signal)) {
      for (const text of texts) {
        if (!isSampled()) continue;
        const parsed = parsedRecord(text, reading);
        const problem =
          parsed && ("problem" in parsed ? parsed.problem : types.add(parsed.node) ? undefined : "no row");
        if (parsed && "problem" in parsed) types.corrupt();
        if (problem !== undefined && reading.mode === "FAILFAST") throw malformedRecord(problem, text, file);
      }
    }
  }
  return types.result();
}

/**
 * The rows of JSON files, in batches of `schema`'s columns: a line is a record, or with the option `multiLine` a file. An array
 * of objects is as many rows.
 * @throws MalformedRecordError in mode FAILFAST
 */
export async function* jsonBatches(
  files: readonly TextFile[],
  schema: StructType,
  reading: JsonReading,
  signal?: AbortSignal,
): AsyncGenerator<RecordBatch> {
  const corrupt = corruptField(schema, reading.corruptColumn);
  const fields: StructType = { type: "struct", fields: schema.fields.filter((_, i) => i !== corrupt) };
  const batches = new RowBatches(schema);
  const converter = new JsonConverter(reading);
  for (const file of files) {
    for await (const texts of records(file, reading, signal)) {
      for (const text of texts) {
        const parsed = parsedRecord(text, reading);
        if (!parsed) continue;
        const found =
          "problem" in parsed ? { rows: [], problem: parsed.problem } : rowsOf(parsed.node, fields, converter);
        const { problem } = found;
        if (problem !== undefined) {
          if (reading.mode === "DROPMALFORMED") continue;
          if (reading.mode === "FAILFAST") throw malformedRecord(problem, text, file);
        }
        const rows = problem !== undefined && found.rows.length === 0 ? [fields.fields.map(() => null)] : found.rows;
        for (const row of rows) {
          if (corrupt >= 0) row.splice(corrupt, 0, problem === undefined ? null : text);
          batches.add(row);
        }
      }
      const batch = batches.isFull ? batches.take() : undefined;
      if (batch) yield batch;
    }
  }
  const last = batches.take();
  if (last) yield last;
}

function rowsOf(node: JsonNode, fields: StructType, converter: JsonConverter) {
  converter.problem = undefined;
  const items = isArray(node) ? node.items : [node];
  // A null is none either, though it tells nothing of the columns.
  if (!items.every(isObject)) return { rows: [], problem: "it is no object" };
  const rows = items.map((item) => converter.row(item, fields));
  return { rows, problem: converter.problem };
}

function parsedRecord(text: string, reading: JsonReading): Parsed | undefined {
  if (javaTrim(text) === "") return undefined;
  try {
    const node = parseJson(text, reading.syntax);
    return node === undefined ? undefined : { node };
  } catch (error) {
    if (error instanceof JsonSyntaxError) return { problem: error.message };
    throw error;
  }
}

/** A mark that the encoding's name makes needless is a part of the first record, as in Spark. */
function isTold16({ encoding }: JsonReading): boolean {
  return /^utf-16[lb]e$/i.test(encoding);
}

async function* records(file: TextFile, reading: JsonReading, signal?: AbortSignal): AsyncGenerator<string[]> {
  const refuseUtf16 = !reading.multiLine && !reading.isEncodingTold;
  const decode = { encoding: reading.encoding, keepMark: isTold16(reading), refuseUtf16, signal };
  if (!reading.multiLine) return yield* lineGroups(file, { ...decode, lineSep: reading.lineSep });
  let whole = "";
  for await (const chunk of textChunks(file, decode)) whole += chunk;
  yield [whole];
}
