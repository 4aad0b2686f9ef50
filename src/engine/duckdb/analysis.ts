import { createHash } from "node:crypto";
import type { SourceFunction } from "../../data/batch-function";
import { asNullable, type StructField, type StructType } from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import { sameType } from "../../frame/coercion";
import type { Plan } from "../../frame/plan";
import { type ObservedRead, observed, observing } from "../../storage/observed-reads";
import { VERSION } from "../../version";
import { resolvePlan } from "../analyzer/analyzer";
import { lower } from "../lower";
import { type Lowered, namedOutput, type Pipeline } from "../pipeline";
import { outputSchema } from "../pipeline-schema";
import { keptFramesOf, leafKey, leavesOf } from "../plan-leaves";
import type { LeafPlan, Relation } from "../relation";
import type { Analysis, AnalysisContext, StagedFiles } from "../relational";
import { type BoundSource, type Fetching, parquetSql } from "./bound-source";
import type { DuckDb } from "./duckdb";
import { duckdbType } from "./duckdb-types";
import { type FetchedSources, sourceFetcher, toldOfOrigin } from "./fetched-sources";
import { type RowsNeeded, visitLeaves } from "./leaf-needs";
import { bindSource } from "./sources";
import {
  type ColumnType,
  columnTypes,
  compileRelational,
  type LeafRelation,
  type LeafSql,
  uniqueNames,
  viewsSql,
} from "./sql";
import { expressionValue } from "./sql-expression";
import { querySql, topQuerySql } from "./sql-query";
import { quotedIdentifier } from "./sql-text";
import { withoutUnreadColumns } from "./view-columns";

/** Looks up a plan's sources, finds what its names mean, and cuts it into stages. @throws AnalysisError, StorageError */
export async function analyze(plan: Plan, duckdb: DuckDb, { cached, ...looking }: AnalysisContext): Promise<Analysis> {
  const context = { relational: duckdb, ...looking };
  const sources = new Map<string, BoundSource>();
  const inputPaths: string[] = [];
  const reads: ObservedRead[] = [];
  await observing(
    (read) => reads.push(read),
    async () => {
      for (const leaf of leavesOf(plan, cached)) {
        const key = leafKey(leaf);
        if (leaf.op === "read") inputPaths.push(...leaf.paths);
        if (!sources.has(key)) sources.set(key, await bindSource(leaf, context));
      }
      // Of rows that are there already, what they were made of.
      for (const id of keptFramesOf(plan, cached)) for (const read of cached.get(id)?.reads ?? []) observed(read);
    },
  );
  const staged = new Map<string, StagedFiles>(cached);
  const sourceOf = (leaf: LeafPlan) => sources.get(leafKey(leaf))!;
  const isCached = (id: string) => cached.has(id);

  /** @param planned the schemas of stages that have not run */
  const compiling =
    (planned: ReadonlyMap<string, StructType>, fetched: FetchedSources = new Map()) =>
    (relation: LeafRelation): LeafSql => {
      if (relation.op === "leaf") {
        return leafSql(relation.leaf, fetched.get(leafKey(relation.leaf)) ?? sourceOf(relation.leaf));
      }
      const files = staged.get(relation.id);
      if (files) return { sql: parquetSql(files.files.map((f) => f.url)), schema: files.schema };
      const schema = planned.get(relation.id)!;
      return { sql: emptySql(schema), schema };
    };
  /** The schemas of the stages before a result. */
  const plannedStages = async ({ stages }: Lowered) => {
    const planned = new Map<string, StructType>();
    const compile = (relation: Relation) => compileRelational(relation, compiling(planned));
    const types = (relation: Relation) => columnTypes(relation, compiling(planned));
    for (const { id, pipeline } of stages) {
      planned.set(id, await knownSchemaOf(pipeline, { compile, typesOf: types }, duckdb));
    }
    return planned;
  };

  /** What the plan's stages need of leaves' rows, once it is cut into them. */
  let uses: ReadonlyMap<string, readonly RowsNeeded[]> | undefined;
  const load = async (how: Fetching, isWanted: (source: BoundSource, key: string) => boolean = () => true) => {
    for (const [key, source] of sources) {
      if (source.load && isWanted(source, key)) sources.set(key, await source.load(how, uses?.get(key)));
    }
  };

  const probed = async (probe: Relation) => {
    const lowered = lower(probe, isCached);
    const planned = await plannedStages(lowered);
    return schemaOf(lowered.root, { compile: (r) => compileRelational(r, compiling(planned)) }, duckdb);
  };

  const { relation, output, cachedFrames } = await resolvePlan(plan, {
    leaf: (leaf) => ({
      schema: sourceOf(leaf).schema,
      ...(leaf.op === "read" && leaf.format === "binaryFile" ? { contentAt: CONTENT_POSITION } : {}),
    }),
    cached: (id) => cached.get(id)?.frame,
    schemaOf: probed,
    typeOf: (value, types) =>
      expressionValue(value, (id) => ({ sql: "", type: types.get(id) ?? "void", nullable: true })).type,
    async schemaOfQuery(query, views, source) {
      const empty = { type: "struct", fields: [] } as const;
      const lowered = lower({ op: "sql", query, source, views, schema: empty, columns: [] }, isCached);
      const { source: bare } = lowered.root;
      const planned = await plannedStages(lowered);
      const bind = () => viewsSql(bare.op === "sql" ? bare.views : {}, {}, compiling(planned));
      let bound = bind();
      if (await duckdb.findsColumnsInRows(querySql(query, bound))) {
        if (lowered.stages.length > 0) throw pivotOverWorkers();
        await load({ signal: looking.signal });
        bound = bind();
      }
      const schema = await duckdb.describe(querySql(query, bound));
      const top = await duckdb.describe(topQuerySql(query, bound)).catch(() => schema);
      return { ...schema, fields: schema.fields.map((f, i) => ({ ...f, name: top.fields[i]?.name ?? f.name })) };
    },
  });
  const read = await withoutUnreadColumns(relation, { schemaOf: probed, readColumns: duckdb.readColumns });
  const cut = lower(read, isCached);
  const names = output.map((o) => o.name);
  const lowered = { ...cut, root: namedOutput(cut.root, output, uniqueNames(names)) };
  const planned = await plannedStages(lowered);
  uses = usesOf(lowered);

  const compile = (source: Relation) => compileRelational(source, compiling(planned));
  /** The leaves that a query reads. */
  const leavesRead = (source: Relation) => {
    const keys = new Set<string>();
    compileRelational(source, (relation) => {
      if (relation.op === "leaf") keys.add(leafKey(relation.leaf));
      return compiling(planned)(relation);
    });
    return keys;
  };
  const typesOf = (source: Relation) => columnTypes(source, compiling(planned));
  const fetchFor = sourceFetcher({ sources, keyOf: leafKey, duckdb, resolve: compiling(planned) });
  const schemas = new Map<Pipeline, Promise<StructType>>();
  const analysis: Analysis = {
    lowered,
    names,
    reads,
    cachedFrames,
    staged,
    inputPaths,
    schemaOf(pipeline) {
      const described = schemas.get(pipeline) ?? schemaOf(pipeline, { compile }, duckdb);
      schemas.set(pipeline, described);
      return described;
    },
    knownSchemaOf: (pipeline) => knownSchemaOf(pipeline, { compile, typesOf }, duckdb),
    async copy(source, columns, path, signal, listener) {
      if ([...sources.values()].some((one) => one.load)) {
        const read = leavesRead(source);
        await load({ signal, listener }, ({ fetch }, key) => !fetch && read.has(key));
      }
      const sql = (resolve: (leaf: LeafRelation) => LeafSql) => selectSql(compileRelational(source, resolve), columns);
      const fetched = await fetchFor(source, sql, { signal, listener });
      await duckdb.copyToParquet(sql(compiling(planned, fetched)), path, signal).catch((error: unknown) => {
        throw toldOfOrigin(error, fetched);
      });
    },
    async explain(source, columns) {
      const sql = (resolve: (leaf: LeafRelation) => LeafSql) => selectSql(compileRelational(source, resolve), columns);
      const fetched = await fetchFor(source, sql, { signal: looking.signal, isDry: true });
      const plan = await duckdb.explain(sql(compiling(planned, fetched)));
      const summaries = [...fetched.values()].map(({ summary }) => summary);
      for (const key of leavesRead(source)) {
        const summary = sources.get(key)?.summary?.(uses?.get(key));
        if (summary !== undefined) summaries.push(summary);
      }
      return [plan.trimEnd(), ...summaries.map((summary) => `Fetches of ${summary}`)].join("\n");
    },
    // Of what lies elsewhere each query fetches what it needs.
    load: (signal, listener) => load({ signal, listener }, ({ fetch }) => !fetch),
    filesOf(source) {
      const found =
        source.op === "stage" ? staged.get(source.id) : source.op === "leaf" ? sourceOf(source.leaf) : undefined;
      return found?.files && { files: found.files, names: found.schema.fields.map((f) => f.name) };
    },
    fingerprint(more) {
      const inputs = [...sources.values()].map((s) => s.fingerprint);
      // A spool folder's name differs from run to run; what lies in it is named by its content.
      const text = JSON.stringify([VERSION, plan, inputs, more], comparable()).replaceAll(
        /file:[^"]*\/(shipped-)/g,
        "$1",
      );
      return createHash("sha256").update(text).digest("hex");
    },
  };
  // A type that does not fit shows when its query is described.
  await analysis.schemaOf(lowered.root);
  return analysis;
}

function usesOf({ stages, root }: Lowered): Map<string, RowsNeeded[]> {
  const uses = new Map<string, RowsNeeded[]>();
  for (const { source } of [...stages.map(({ pipeline }) => pipeline), root]) {
    visitLeaves(source, (leaf, rows) => {
      const key = leafKey(leaf);
      uses.set(key, [...(uses.get(key) ?? []), rows]);
    });
  }
  return uses;
}

function pivotOverWorkers(): AnalysisError {
  return new AnalysisError("PIVOT finds its columns in the values of rows that workers have yet to make.", {
    remedy: "Name the values, PIVOT … ON column IN (1, 2) …, or keep the view's frame first: await df.cache().count().",
  });
}

/** Behind path, modificationTime and length, as in Spark. */
const CONTENT_POSITION = 3;

/**
 * Leaves out of a plan's text what differs from run to run: the cell that a function was written in has another number
 * whenever it is run again, and plans and cached frames are numbered as they are made.
 */
function comparable(): (this: unknown, key: string, value: unknown) => unknown {
  const numbers = new Map<unknown, number>();
  return function (key, value) {
    if (key === ("cellOrigin" satisfies keyof SourceFunction)) return undefined;
    const { op, kind } = this as { readonly op?: unknown; readonly kind?: unknown };
    const isPlanId = key === "planId" && (op !== undefined || kind === "column" || kind === "star");
    if (!isPlanId && !(key === "id" && op === "cached")) return value;
    const number = numbers.get(value) ?? numbers.size;
    numbers.set(value, number);
    return number;
  };
}

/** What files hold may be null, whatever they say of it, unless this program wrote them. */
function leafSql(leaf: LeafPlan, { sql, schema }: Pick<BoundSource, "sql" | "schema">): LeafSql {
  return { sql, schema: leaf.op === "read" && !leaf.isOwn ? asNullable(schema) : schema };
}

/** How relations become SQL while a plan is looked up. */
interface Compiling {
  compile(relation: Relation): string;
  /** What the columns of that SQL hold, by position. */
  typesOf(relation: Relation): readonly ColumnType[];
}

/** The schema of a pipeline's output as it is written: what the source gives may be null. @throws AnalysisError */
async function schemaOf(
  pipeline: Pipeline,
  { compile }: Pick<Compiling, "compile">,
  duckdb: DuckDb,
): Promise<StructType> {
  return outputSchema(pipeline, await duckdb.describe(compile(pipeline.source)));
}

/** The schema of a pipeline's output with what may be null in it, as Spark says it. @throws AnalysisError */
async function knownSchemaOf(pipeline: Pipeline, { compile, typesOf }: Compiling, duckdb: DuckDb): Promise<StructType> {
  const { fields } = await duckdb.describe(compile(pipeline.source));
  const known = typesOf(pipeline.source);
  const source = fields.map((field, i): StructField => {
    const { type, nullable } = known[i] ?? field;
    return { ...field, type: sameType(type, field.type) ? type : field.type, nullable };
  });
  return outputSchema(pipeline, { type: "struct", fields: source });
}

/** SQL for some columns of a query. */
export function selectSql(sql: string, columns: readonly { readonly from: string; readonly as: string }[]): string {
  const list = columns.map(({ from, as }) => `${quotedIdentifier(from)} AS ${quotedIdentifier(as)}`).join(", ");
  return `SELECT ${list || '1 AS "__none"'} FROM (${sql})`;
}

/** No rows, but the right types: stands for a stage that has not run. */
function emptySql(schema: StructType): string {
  const names = uniqueNames(schema.fields.map((f) => f.name));
  const columns = schema.fields.map(
    (f, i) => `CAST(NULL AS ${duckdbType(f.type)}) AS ${quotedIdentifier(names[i] ?? "")}`,
  );
  return `SELECT ${columns.join(", ") || "1"} WHERE false`;
}
