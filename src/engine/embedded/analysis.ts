import { createHash } from "node:crypto";
import type { SourceFunction } from "../../data/batch-function";
import { type DataType, type StructField, type StructType, structField } from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import { inputsOf, type Plan } from "../../frame/plan";
import { VERSION } from "../../version";
import { type Lowered, lower, type Pipeline } from "../pipeline";
import type { Relational } from "./duckdb";
import { duckdbType } from "./duckdb-types";
import type { ReadSettings } from "./files";
import { type BoundSource, bindSource, parquetSql } from "./sources";
import type { Spool } from "./spool";
import {
  type CompiledQuery,
  type CompileOptions,
  columnTypes,
  compileRelational,
  describingQueries,
  type LeafPlan,
} from "./sql";
import { quotedIdentifier } from "./sql-text";

/** A plan reads a stage whose columns are not known yet. */
class UnplannedStage extends Error {
  constructor(readonly id: string) {
    super(`Stage ${id} is not planned yet.`);
  }
}

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
  compile(plan: Plan): Promise<CompiledQuery>;
  /** Parses the text files among the sources; before it, queries over them have the right columns and no rows. */
  load(signal: AbortSignal): Promise<void>;
  /** The files of a leaf, where it is nothing but Parquet files. */
  filesOf(plan: Plan): BoundSource["files"];
}

/** Looks up a plan's sources and cuts it into stages. @throws AnalysisError, StorageError */
export async function analyze(
  plan: Plan,
  duckdb: Relational,
  scratch: Spool,
  cached: CachedStages,
  options: { readonly settings: ReadSettings; readonly signal?: AbortSignal },
): Promise<Analysis> {
  const context = { relational: duckdb, spool: scratch, ...options };
  const sources = new Map<string, BoundSource>();
  const inputPaths: string[] = [];
  for (const leaf of leavesOf(plan, cached)) {
    const key = JSON.stringify(leaf);
    if (leaf.op === "read") inputPaths.push(...leaf.paths);
    if (!sources.has(key)) sources.set(key, await bindSource(leaf, context));
  }
  const staged: CachedStages = new Map(cached);
  const planned = new Map<string, StructType>();
  const pipelines = new Map<string, Pipeline>();

  const leafSql = (leaf: LeafPlan): CompiledQuery => {
    if (leaf.op === "mapBatches") throw new AnalysisError("A batch function cannot run inside a query.");
    if (leaf.op !== "cached") {
      const { sql, schema } = sources.get(JSON.stringify(leaf))!;
      return { sql, ...columnsOf(schema) };
    }
    const files = staged.get(leaf.id);
    if (files) return { sql: parquetSql(files.files.map((f) => f.url)), ...columnsOf(files.schema) };
    const schema = planned.get(leaf.id);
    if (!schema) throw new UnplannedStage(leaf.id);
    return { sql: emptySql(schema), ...columnsOf(schema) };
  };
  const describing = <T>(attempt: (options: CompileOptions) => T) =>
    describingQueries(
      (sql) => duckdb.describe(sql),
      (describeQuery) => attempt({ describeQuery }),
    );
  const compile = (source: Plan) => describing((options) => compileRelational(source, leafSql, options));
  const cut = () =>
    describing((options) =>
      lower(plan, {
        columnsOf: (source) => compileRelational(source, leafSql, options).columns,
        isCached: (id) => cached.has(id),
        onStage: (id, pipeline) => pipelines.set(id, pipeline),
      }),
    );
  // Cutting needs the columns of a stage as soon as something reads it: describe that stage, then cut afresh.
  const lowered = async (): Promise<Lowered> => {
    for (;;) {
      try {
        return await cut();
      } catch (error) {
        if (!(error instanceof UnplannedStage)) throw error;
        planned.set(error.id, await schemaOf(pipelines.get(error.id)!, { compile }, duckdb));
      }
    }
  };

  const analysis: Analysis = {
    lowered: await lowered(),
    staged,
    inputPaths,
    compile,
    async load(until) {
      for (const [key, source] of sources) if (source.load) sources.set(key, await source.load(until));
    },
    filesOf(source) {
      if (source.op === "cached") return staged.get(source.id)?.files;
      return source.op === "read" ? sources.get(JSON.stringify(source))?.files : undefined;
    },
    fingerprint(more) {
      const inputs = [...sources.values()].map((s) => s.fingerprint);
      // A spool folder's name differs from run to run; what lies in it is named by its content.
      const text = JSON.stringify([VERSION, plan, inputs, more], withoutOrigin).replaceAll(
        /file:[^"]*\/(broadcast-)/g,
        "$1",
      );
      return createHash("sha256").update(text).digest("hex");
    },
  };
  // An unknown column inside an expression shows when its query is described.
  for (const { pipeline } of analysis.lowered.stages) await schemaOf(pipeline, analysis, duckdb);
  await schemaOf(analysis.lowered.root, analysis, duckdb);
  return analysis;
}

/** The cell that a function was written in has another number whenever it is run again. */
function withoutOrigin(key: string, value: unknown): unknown {
  return key === ("cellOrigin" satisfies keyof SourceFunction) ? undefined : value;
}

/** The schema of a pipeline's output. @throws AnalysisError */
export async function schemaOf(
  pipeline: Pipeline,
  { compile }: Pick<Analysis, "compile">,
  duckdb: Relational,
): Promise<StructType> {
  const source = await duckdb.describe((await compile(pipeline.source)).sql);
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
export async function sourceSql(pipeline: Pipeline, { compile }: Pick<Analysis, "compile">): Promise<string> {
  return selectSql((await compile(pipeline.source)).sql, pipeline.columns);
}

/** SQL for some columns of a query. */
export function selectSql(sql: string, columns: readonly { readonly from: string; readonly as: string }[]): string {
  const list = columns.map(({ from, as }) => `${quotedIdentifier(from)} AS ${quotedIdentifier(as)}`).join(", ");
  return `SELECT ${list || '1 AS "__none"'} FROM (${sql})`;
}

function columnsOf(schema: StructType): Omit<CompiledQuery, "sql"> {
  return { columns: schema.fields.map((f) => f.name), types: columnTypes(schema) };
}

/** No rows, but the right types: stands for a stage that has not run. */
function emptySql(schema: StructType): string {
  const columns = schema.fields.map((f) => `CAST(NULL AS ${duckdbType(f.type)}) AS ${quotedIdentifier(f.name)}`);
  return `SELECT ${columns.join(", ")} WHERE false`;
}

type Leaf = Extract<Plan, { op: "read" | "local" }>;

function leavesOf(plan: Plan, cached: CachedStages): Leaf[] {
  if (plan.op === "cached" && cached.has(plan.id)) return [];
  if (plan.op === "read" || plan.op === "local") return [plan];
  return inputsOf(plan).flatMap((input) => leavesOf(input, cached));
}
