import type { RecordBatch } from "apache-arrow";
import { type StructType, simpleString } from "../data/types";
import { throwIfAborted } from "../errors";
import { AnalysisError } from "../frame/analysis-error";
import type { Sink } from "../frame/runtime";
import { readParquetBatches } from "../parquet";
import type { Place } from "../storage";
import type { OutputJob, TaskManifest } from "../storage/commit";
import { csvText, type RowText } from "../text/csv-write";
import { compressionEnding, encoded } from "../text/encode";
import { jsonText } from "../text/json-write";
import { lineText } from "../text/line-text";
import { valuesOf } from "../text/vector-values";
import type { Job } from "./job";
import type { PartResult } from "./run-pipeline";

/** The formats that are written as text. */
type TextSink = Sink & { readonly format: "csv" | "json" | "text" };

export function isTextSink(sink: Sink): sink is TextSink {
  return sink.format !== "parquet";
}

/** A text file's ending: `.csv`, `.json.gz`. @throws IllegalArgumentError for a compression that is not written here */
export function textExtension({ format, options }: TextSink): string {
  return `.${format === "text" ? "txt" : format}${compressionEnding(options)}`;
}

/**
 * Writes parts of text: the stage's Parquet parts, each into the committer's attempt file.
 * @throws AnalysisError for a column that the format has no text for, as Spark does
 */
export async function writeTextParts(
  schema: StructType,
  sink: TextSink,
  committer: OutputJob,
  { storages, signal }: Pick<Job, "storages" | "signal">,
  runStage: () => Promise<readonly PartResult[]>,
): Promise<TaskManifest[]> {
  const text = rowText(schema, sink);
  const parts: TaskManifest[] = [];
  for (const part of await runStage()) {
    const resumed = committer.resumed.get(part.partition);
    if (resumed) {
      parts.push(resumed);
      continue;
    }
    const place = committer.draftPlace(part.partition, 0);
    const rows = textOf({ url: part.url, storage: storages.for(part.url) }, schema, text, signal);
    const draft = await storages.for(place.url).drafts.write(place, encoded(rows, sink.options));
    const manifest = { partition: part.partition, draft, rows: part.rows, failedRows: part.failedRows };
    await committer.commitTask(manifest);
    parts.push(manifest);
  }
  return parts;
}

function rowText(schema: StructType, sink: TextSink): RowText {
  switch (sink.format) {
    case "csv": {
      const nested = schema.fields.find((f) => typeof f.type !== "string");
      if (nested) {
        throw new AnalysisError(`CSV has no form for column \`${nested.name}\` of type ${simpleString(nested.type)}.`, {
          remedy: "Drop the column, spread it into plain columns, or write Parquet or JSON.",
        });
      }
      return csvText(schema, sink.options);
    }
    case "json":
      return jsonText(schema, sink.options);
    case "text": {
      const [only, ...others] = schema.fields;
      if (only?.type !== "string" || others.length > 0) {
        throw new AnalysisError("A text file has one column, a string; what is to be written has others.", {
          remedy: 'Select it, e.g. select(concat_ws(",", ...).as("value")), or write CSV.',
        });
      }
      return lineText(sink.options);
    }
  }
}

async function* textOf(file: Place, schema: StructType, text: RowText, signal: AbortSignal): AsyncGenerator<string> {
  if (text.head !== "") yield text.head;
  for await (const batch of readParquetBatches(file, { signal })) {
    throwIfAborted(signal);
    yield batchText(batch, schema, text);
  }
}

function batchText(batch: RecordBatch, schema: StructType, text: RowText): string {
  const columns = schema.fields.map((field, i) => valuesOf(batch.getChildAt(i) as never, field.type));
  let out = "";
  for (let row = 0; row < batch.numRows; row++) out += text.row(columns.map((values) => values[row] ?? null));
  return out;
}
