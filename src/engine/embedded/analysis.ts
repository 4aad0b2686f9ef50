import { createHash } from "node:crypto";
import { type DataType, type StructField, type StructType, structField } from "../../data/types";
import { inputsOf, type Plan } from "../../frame/plan";
import { VERSION } from "../../version";
import { type Lowered, lower, type Pipeline } from "../pipeline";
import type { Relational } from "./duckdb";
import { duckdbType } from "./duckdb-types";
import { type BoundSource, bindSource, parquetSql } from "./sources";
import type { Spool } from "./spool";
import { compileRelational } from "./sql";

/** A stage's result: Parquet files, in order. */
export interface StagedFiles {
  readonly schema: StructType;
  readonly files: readonly { readonly url: string; readonly rows: number }[];
}

/** The stages that a session keeps, by the id of their `cached` plan. */
export type CachedStages = Map<string, StagedFiles>;

/** A plan whose sources were looked up and which is cut into stages; no work has been done. */
export interface Analysis {
  readonly lowered: Lowered;
  /** Results of the stages that ran; the engine adds to it. */
  readonly staged: CachedStages;
  /** What the plan reads, as its user wrote it. */
  readonly inputPaths: readonly string[];
  /** Equal for two plans that compute the same from the same files. */
  fingerprint(more: unknown): string;
  /** SQL and columns of a relational plan. */
  compile(plan: Plan): { readonly sql: string; readonly columns: readonly string[] };
  /** The files of a leaf, where it is nothing but Parquet files. */
  filesOf(plan: Plan): BoundSource["files"];
}

/** Looks up a plan's sources and cuts it into stages. @throws AnalysisError, StorageError */
export async function analyze(
  plan: Plan,
  duckdb: Relational,
  scratch: Spool,
  cached: CachedStages,
  signal?: AbortSignal,
): Promise<Analysis> {
  const sources = new Map<string, BoundSource>();
  const inputPaths: string[] = [];
  for (const leaf of leavesOf(plan, cached)) {
    const key = JSON.stringify(leaf);
    if (leaf.op === "read") inputPaths.push(...leaf.paths);
    if (!sources.has(key)) sources.set(key, await bindSource(leaf, duckdb, scratch, signal));
  }
  const staged: CachedStages = new Map(cached);
  const planned = new Map<string, StructType>();

  const compileWith = (source: Plan, names?: ReadonlyMap<string, readonly string[]>) =>
    compileRelational(source, (leaf) => {
      if (leaf.op === "cached") {
        const files = staged.get(leaf.id);
        if (files) return { sql: parquetSql(files.files.map((f) => f.url)), columns: columnNames(files.schema) };
        const schema = planned.get(leaf.id);
        if (schema) return { sql: emptySql(schema), columns: columnNames(schema) };
        return { sql: "", columns: names?.get(leaf.id) ?? [] };
      }
      const source = sources.get(JSON.stringify(leaf))!;
      return { sql: source.sql, columns: columnNames(source.schema) };
    });

  const lowered = lower(plan, {
    columnsOf: (source, names) => compileWith(source, names).columns,
    isCached: (id) => cached.has(id),
  });
  const analysis: Analysis = {
    lowered,
    staged,
    inputPaths,
    compile: (source) => compileWith(source),
    filesOf(source) {
      if (source.op === "cached") return staged.get(source.id)?.files;
      return source.op === "read" ? sources.get(JSON.stringify(source))?.files : undefined;
    },
    fingerprint(more) {
      const inputs = [...sources.values()].map((s) => s.fingerprint);
      // A spool folder's name differs from run to run; what lies in it is named by its content.
      const text = JSON.stringify([VERSION, plan, inputs, more]).replaceAll(/file:[^"]*\/(broadcast-)/g, "$1");
      return createHash("sha256").update(text).digest("hex");
    },
  };
  for (const stage of lowered.stages) planned.set(stage.id, await schemaOf(stage.pipeline, analysis, duckdb));
  // An unknown column inside an expression shows when its query is described.
  await schemaOf(lowered.root, analysis, duckdb);
  return analysis;
}

/** The schema of a pipeline's output. @throws AnalysisError */
export async function schemaOf(pipeline: Pipeline, analysis: Analysis, duckdb: Relational): Promise<StructType> {
  const source = await duckdb.describe(analysis.compile(pipeline.source).sql);
  let fields = new Map<string, StructField>(source.fields.map((f) => [f.name, f]));
  const add = (name: string, type: DataType) => fields.set(name, structField(name, type));
  for (const step of pipeline.steps) {
    switch (step.kind) {
      case "column":
        add(step.as, step.type);
        if (step.errorAs) add(step.errorAs, "string");
        break;
      case "select":
        fields = new Map(step.columns.map(({ from, as }) => [as, { ...fields.get(from)!, name: as }]));
        break;
      case "table":
        fields = new Map(step.schema.fields.map((f) => [f.name, f]));
        break;
    }
  }
  return { type: "struct", fields: pipeline.columns.map(({ from, as }) => ({ ...fields.get(from)!, name: as })) };
}

/** SQL for the output columns of a pipeline without steps. */
export function sourceSql(pipeline: Pipeline, analysis: Analysis): string {
  return selectSql(analysis.compile(pipeline.source).sql, pipeline.columns);
}

/** SQL for some columns of a query. */
export function selectSql(sql: string, columns: readonly { readonly from: string; readonly as: string }[]): string {
  const list = columns.map(({ from, as }) => `${identifier(from)} AS ${identifier(as)}`).join(", ");
  return `SELECT ${list || '1 AS "__none"'} FROM (${sql})`;
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function columnNames(schema: StructType): string[] {
  return schema.fields.map((f) => f.name);
}

/** No rows, but the right types: stands for a stage that has not run. */
function emptySql(schema: StructType): string {
  const columns = schema.fields.map((f) => `CAST(NULL AS ${duckdbType(f.type)}) AS ${identifier(f.name)}`);
  return `SELECT ${columns.join(", ")} WHERE false`;
}

type Leaf = Extract<Plan, { op: "read" | "local" }>;

function leavesOf(plan: Plan, cached: CachedStages): Leaf[] {
  if (plan.op === "cached" && cached.has(plan.id)) return [];
  if (plan.op === "read" || plan.op === "local") return [plan];
  return inputsOf(plan).flatMap((input) => leavesOf(input, cached));
}
