import { create, toBinary } from "@bufbuild/protobuf";
import { RecordBatch } from "apache-arrow";
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
  /** Absent where there is no row: Spark 3.5 reads no stream without a batch. */
  readonly data?: Uint8Array;
  /** In Spark's JSON. */
  readonly schema: string;
}

/** All rows are in one batch: of a second one Spark 3.5 takes no notice, without a word. */
export function localData({ schema, rows }: Extract<Plan, { op: "local" }>): LocalData {
  const json = JSON.stringify(sparkJson(schema));
  if (rows.length === 0) return { schema: json };
  const columns = schema.fields.map(({ name, type }, i) => ({
    name,
    vector: vectorFromValues(
      rows.map((row) => fromJson(row[i] ?? null, type)),
      type,
    ),
  }));
  const arrow = arrowSchema(schema);
  // A batch says of each column that it may be null; the schema knows better.
  const batch = new RecordBatch(arrow, batchFromColumns(columns, rows.length).data);
  return { data: ipcStream([batch], arrow), schema: json };
}

/** The same as an artifact, by which large data is sent once a session. @returns its hash is in the name that Spark expects */
export function cachedData(local: LocalData): { readonly hash: string; readonly content: Uint8Array } {
  const content = toBinary(LocalRelationSchema, create(LocalRelationSchema, local));
  return { hash: sha256Of(content), content };
}
