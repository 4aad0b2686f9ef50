import type { RecordBatch } from "apache-arrow";
import { type StructField, type StructType, structField } from "../data/types";
import type { TextFile } from "./chunks";
import type { Value } from "./columns";
import { corruptField } from "./corrupt-column";
import { CsvTypes } from "./csv-infer";
import type { CsvReading } from "./csv-options";
import { csvRecords } from "./csv-records";
import { csvConverter } from "./csv-values";
import { MalformedRecordError, malformedRecord } from "./errors";
import type { Options } from "./option-values";
import { RowBatches } from "./row-batches";
import { sampler } from "./sampler";

/**
 * The columns of CSV files: named by the first record's values or `_c0`, `_c1`, …; strings, or what all values have in common
 * where the option `inferSchema` asks for it. No file with a record: no column.
 */
export async function csvSchema(
  files: readonly TextFile[],
  reading: CsvReading,
  options: Options,
  signal?: AbortSignal,
): Promise<StructType> {
  const first = await firstRecord(files, reading, signal);
  if (!first) return { type: "struct", fields: [] };
  const names = columnNames(first.values, reading);
  if (!reading.inferSchema) return { type: "struct", fields: names.map((name) => structField(name, "string")) };
  const types = new CsvTypes(names.length, reading, options);
  const isSampled = sampler(reading.samplingRatio);
  for (const file of files) {
    let isFirst = reading.header;
    for await (const { values, texts } of csvRecords(file, reading, { signal, withTexts: false, forSchema: true })) {
      values.forEach((record, i) => {
        const wasFirst = isFirst;
        isFirst = false;
        // Read by lines, every line like the header is left out; over lines, each file's first record.
        const isHeader = reading.multiLine ? wasFirst : reading.header && texts[i] === first.text;
        if (record && !isHeader && isSampled()) types.add(record);
      });
    }
  }
  const found = types.result();
  return { type: "struct", fields: names.map((name, i) => structField(name, found[i] ?? "string")) };
}

async function firstRecord(files: readonly TextFile[], reading: CsvReading, signal?: AbortSignal) {
  for (const file of files) {
    for await (const { values, texts } of csvRecords(file, reading, { signal, withTexts: false, forSchema: true })) {
      if (values.length === 0) continue;
      const [record] = values;
      return record ? { values: record, text: texts[0] } : undefined;
    }
  }
  return undefined;
}

/** A header's names: what occurs twice (in any case) gets its position behind it, what is empty is `_c` and its position. */
function columnNames(values: readonly string[], reading: CsvReading): string[] {
  if (!reading.header) return values.map((_, i) => `_c${i}`);
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value.toLowerCase(), (counts.get(value.toLowerCase()) ?? 0) + 1);
  return values.map((value, i) => {
    if (value === "" || value === reading.syntax.nullValue) return `_c${i}`;
    return (counts.get(value.toLowerCase()) ?? 0) > 1 ? `${value}${i}` : value;
  });
}

/**
 * The rows of CSV files, in batches of `schema`'s columns. Values go to columns by position. A record that does not fit is null
 * where it can't be read and told in the column of corrupt records, or dropped, or ends the reading, as the option `mode` says.
 * @throws MalformedRecordError @throws IllegalArgumentError for a type that CSV has no values of
 */
export async function* csvBatches(
  files: readonly TextFile[],
  schema: StructType,
  reading: CsvReading,
  signal?: AbortSignal,
): AsyncGenerator<RecordBatch> {
  const corrupt = corruptField(schema, reading.corruptColumn);
  const fields = schema.fields.filter((_, i) => i !== corrupt);
  const convert = rowConverter(fields, reading);
  const batches = new RowBatches(schema);
  const withTexts = corrupt >= 0 || reading.mode === "FAILFAST";
  for (const file of files) {
    let isFirst = reading.header;
    for await (const { values, texts } of csvRecords(file, reading, { signal, withTexts })) {
      for (const [i, record] of values.entries()) {
        if (isFirst) {
          isFirst = false;
          checkHeader(record ?? [], fields, reading, file);
          continue;
        }
        const row: Value[] = [];
        const problem = convert(record, row);
        if (problem !== undefined) {
          if (reading.mode === "DROPMALFORMED") continue;
          if (reading.mode === "FAILFAST") throw malformedRecord(problem, texts[i] ?? "", file);
        }
        if (corrupt >= 0) row.splice(corrupt, 0, problem === undefined ? null : (texts[i] ?? ""));
        batches.add(row);
        if (batches.isFull) yield batches.take() as RecordBatch;
      }
    }
  }
  const last = batches.take();
  if (last) yield last;
}

/** Fills `row`; what is wrong with the record, if anything is. */
function rowConverter(fields: readonly StructField[], reading: CsvReading) {
  const converters = fields.map((field) => csvConverter(field.name, field.type, reading));
  const { nullValue } = reading.syntax;
  return (record: readonly string[] | null, row: Value[]): string | undefined => {
    if (!record) {
      for (let i = 0; i < fields.length; i++) row.push(null);
      return "there is no value in it";
    }
    let problem: string | undefined;
    if (record.length !== fields.length) problem = `it has ${record.length} values for ${fields.length} columns`;
    for (let i = 0; i < fields.length; i++) {
      const text = record[i];
      let value: Value | undefined = null;
      if (text !== undefined && text !== nullValue) {
        value = converters[i]?.(text);
        if (value === undefined) problem ??= `${JSON.stringify(text)} is no value of column \`${fields[i]?.name}\``;
      }
      row.push(value ?? null);
    }
    return problem;
  };
}

function checkHeader(names: readonly string[], fields: readonly StructField[], reading: CsvReading, file: TextFile) {
  if (reading.enforceSchema) return;
  const fits =
    names.length === fields.length && names.every((name, i) => name.toLowerCase() === fields[i]?.name.toLowerCase());
  if (fits) return;
  const wanted = fields.map((f) => f.name).join(", ");
  throw new MalformedRecordError(`the header is ${names.join(", ")}, the schema's columns are ${wanted}`, {
    path: file.url,
    remedy:
      'Columns are read by position: correct the header or the schema, or leave out option("enforceSchema", false).',
  });
}
