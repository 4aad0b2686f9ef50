import { create, toBinary } from "@bufbuild/protobuf";
import { RecordBatch, type Schema } from "apache-arrow";
import { arrowSchema } from "../../data/arrow";
import { ipcStream } from "../../data/ipc";
import { sha256Of } from "../../data/shipped-file";
import { sparkJson } from "../../data/types";
import { batchFromColumns, vectorFromValues } from "../../data/vectors";
import type { Plan } from "../../frame/plan";
import { fromJson } from "../local-values";
import { LocalRelationSchema } from "./protos/spark/connect/relations_pb";

/** Rows of this program as Spark takes them: an Arrow stream, and the schema that says what Arrow does not. */
export interface LocalData {
  readonly data: Uint8Array;
  /** In Spark's JSON. */
  readonly schema: string;
}

/** Rows in one Arrow batch. */
const BATCH_ROWS = 8192;

export function localData({ schema, rows }: Extract<Plan, { op: "local" }>): LocalData {
  const arrow = arrowSchema(schema);
  const batches: RecordBatch[] = [];
  for (let start = 0; start < rows.length; start += BATCH_ROWS) {
    const part = rows.slice(start, start + BATCH_ROWS);
    const columns = schema.fields.map(({ name, type }, i) => ({
      name,
      vector: vectorFromValues(
        part.map((row) => fromJson(row[i] ?? null, type)),
        type,
      ),
    }));
    batches.push(withSchema(batchFromColumns(columns, part.length), arrow));
  }
  return { data: ipcStream(batches, arrow), schema: JSON.stringify(sparkJson(schema)) };
}

/** A batch says of each column that it may be null; the schema knows better. */
function withSchema(batch: RecordBatch, schema: Schema): RecordBatch {
  return new RecordBatch(schema, batch.data);
}

/** The same as an artifact, by which large data is sent once a session. @returns its hash is in the name that Spark expects */
export function cachedData(local: LocalData): { readonly hash: string; readonly content: Uint8Array } {
  const content = toBinary(LocalRelationSchema, create(LocalRelationSchema, local));
  return { hash: sha256Of(content), content };
}
