import { create } from "@bufbuild/protobuf";
import { type StructType, sparkJson } from "../../data/types";
import type { Plan } from "../../frame/plan";
import { resolvePlan } from "../analyzer/analyzer";
import type { Resolved } from "../analyzer/attribute";
import { uniqueNames } from "../duckdb/sql";
import { lower } from "../lower";
import { type Lowered, namedOutput, type Pipeline } from "../pipeline";
import { outputSchema } from "../pipeline-schema";
import { leafKey, leavesOf } from "../plan-leaves";
import type { LeafPlan, Relation } from "../relation";
import type { SparkClient } from "./client";
import { schemaOfProto } from "./data-types";
import { column, named } from "./expressions";
import { cachedData, localData } from "./local-relation";
import type { SparkPath } from "./paths";
import { PlanSchema, type Plan as ProtoPlan } from "./protos/spark/connect/base_pb";
import { type Relation as Proto, RelationCommonSchema } from "./protos/spark/connect/relations_pb";
import { type Leaves, of, projected, sparkRelation } from "./relations";
import type { RunCommand, SparkQueries } from "./sql";

/** A frame that the session keeps on Spark. */
export interface KeptFrame {
  readonly frame: Resolved;
  readonly relation: Proto;
}

/** What looking up a plan needs. */
export interface SparkAnalysisContext {
  readonly client: SparkClient;
  readonly paths: SparkPath;
  readonly kept: ReadonlyMap<string, KeptFrame>;
  readonly sql: SparkQueries;
  readonly commands: Commands;
  readonly signal: AbortSignal;
}

/** How commands of SQL are done, for which a plan that is only looked up has no rows of functions. */
export interface Commands {
  /** Stages whose rows are those of functions. @param frames what is known of those that are kept, by id */
  stages(lowered: Lowered, sources: Sources, frames: ReadonlyMap<string, Resolved>): Promise<ReadyStages>;
  /** @param query its text @param name what workers do in its stages; empty where they do nothing */
  run(query: string, name: string): RunCommand;
}

/** Stages by id, and what workers do in them. */
export interface ReadyStages {
  readonly stages: ReadonlyMap<string, Proto>;
  readonly name: string;
}

/** What a plan's pipelines read. */
export interface Sources {
  /** The columns of a relation that {@link sourceOf} gave. */
  schemaOfSource(source: Proto): Promise<StructType>;
  /** The rows that a pipeline's steps read, over what the stages before it made; only these columns. */
  sourceOf(pipeline: Pipeline, columns: readonly string[], stages: ReadonlyMap<string, Proto>): Proto;
}

/** A plan whose sources Spark looked up, cut into relations and functions on workers; no work has been done but that of commands. */
export interface SparkAnalysis extends Sources {
  readonly lowered: Lowered;
  /** What the result's columns are called, in order. Names may come twice. */
  readonly names: readonly string[];
  /** What is known of the frames that the plan caches, by id. */
  readonly cachedFrames: ReadonlyMap<string, Resolved>;
  /** The columns of a pipeline's output. */
  schemaOf(pipeline: Pipeline): Promise<StructType>;
  /** Tells Spark what it needs to know of the relations that {@link sourceOf} gave. */
  tell(): Promise<void>;
}

/** Rows that are sent with a plan; more go once, as an artifact. */
const LOCAL_BYTES = 1024 * 1024;

/** The number of the last source that was looked up: numbers that servers give to views of queries are small. */
let lastPlanId = 1_000_000n;

/** Looks up a plan's sources and finds what its names mean. @throws AnalysisError */
export async function analyzed(plan: Plan, context: SparkAnalysisContext): Promise<SparkAnalysis> {
  const { client, kept, sql, commands, signal } = context;
  const sources = new Map<string, { readonly relation: Proto; readonly schema: StructType }>();
  for (const leaf of leavesOf(plan, kept)) {
    const key = leafKey(leaf);
    if (!sources.has(key)) sources.set(key, await source(leaf, context));
  }
  const isCached = (id: string) => kept.has(id);
  /** Rows of stages that have not run: none, of the right types. */
  const shapes = new Map<string, Proto>([...kept].map(([id, { relation }]) => [id, relation]));

  const leavesOver = (stages: ReadonlyMap<string, Proto>): Leaves => ({
    leaf: (leaf) => sources.get(leafKey(leaf))!,
    query: sql.relationOf,
    stage: (id) => stages.get(id) ?? kept.get(id)?.relation ?? shapes.get(id)!,
  });
  const sourceOf: Sources["sourceOf"] = (pipeline, columns, stages) =>
    projected(sparkRelation(pipeline.source, leavesOver(stages)), columns.map(column));
  const tell = () => sql.ready(signal);
  const schemaOfSource = async (relation: Proto) => {
    await tell();
    return await schemaOfRelation(client, relation, signal);
  };
  const planStages = async ({ stages }: Lowered) => {
    for (const { id, pipeline } of stages) {
      if (shapes.has(id)) continue;
      const schema = await schemaOf(pipeline);
      shapes.set(id, emptyRelation(schema));
    }
  };
  const schemaOf = async (pipeline: Pipeline) => {
    const source = await schemaOfSource(sparkRelation(pipeline.source, leavesOver(shapes)));
    return outputSchema(pipeline, source);
  };
  const probed = async (probe: Relation) => {
    const lowered = lower(probe, isCached);
    // What a probe's stages are called says nothing of the plan's.
    const before = new Map(shapes);
    await planStages(lowered);
    const schema = await schemaOf(lowered.root);
    for (const id of [...shapes.keys()]) if (!before.has(id)) shapes.delete(id);
    return schema;
  };

  const { relation, output, cachedFrames } = await resolvePlan(plan, {
    leaf: (leaf) => ({ schema: sources.get(leafKey(leaf))!.schema }),
    cached: (id) => kept.get(id)?.frame,
    schemaOf: probed,
    // Spark says what it makes of types.
    typeOf: () => undefined,
    async schemaOfQuery(query, views, source, frames) {
      const empty = { type: "struct", fields: [] } as const;
      const lowered = lower({ op: "sql", query, source, views, schema: empty, columns: [] }, isCached);
      await planStages(lowered);
      const bound = lowered.root.source.op === "sql" ? lowered.root.source.views : {};
      const viewsOver = (stages: ReadonlyMap<string, Proto>) =>
        mapValues(bound, (view) => sparkRelation(view, leavesOver(stages)));
      if (sql.isToDo(source)) {
        const { stages, name } = await commands.stages(lowered, { sourceOf, schemaOfSource }, frames);
        const made = viewsOver(stages);
        await tell();
        await sql.perform(source, made, commands.run(query, name), signal);
      }
      return schemaOfSource(sql.relationOf(source, viewsOver(shapes)));
    },
  });
  const cut = lower(relation, isCached);
  const names = output.map((o) => o.name);
  const lowered = { ...cut, root: namedOutput(cut.root, output, uniqueNames(names)) };
  for (const { id } of lowered.stages) if (!kept.has(id)) shapes.delete(id);
  await planStages(lowered);
  return {
    lowered,
    names,
    cachedFrames,
    schemaOf,
    schemaOfSource,
    sourceOf,
    tell,
  };
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, of: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, of(value)]));
}

async function source(leaf: LeafPlan, { client, paths, signal }: SparkAnalysisContext) {
  if (leaf.op === "local") return { relation: await localRelation(leaf, client, signal), schema: leaf.schema };
  const schema = leaf.schema && JSON.stringify(sparkJson(leaf.schema));
  const read = of({
    case: "read",
    value: {
      readType: {
        case: "dataSource",
        value: {
          format: leaf.format,
          options: { ...leaf.options },
          paths: leaf.paths.map(paths),
          ...(schema === undefined ? {} : { schema }),
        },
      },
    },
  });
  // What has a number Spark looks up once, from 4.0 on: files are listed for this question, and not again for the plan that asks it.
  const common = create(RelationCommonSchema, { planId: ++lastPlanId });
  const relation: Proto = { ...read, common };
  return { relation, schema: await schemaOfRelation(client, relation, signal) };
}

async function localRelation(
  leaf: Extract<LeafPlan, { op: "local" }>,
  client: SparkClient,
  signal: AbortSignal,
): Promise<Proto> {
  const local = localData(leaf);
  if (!local.data || local.data.byteLength <= LOCAL_BYTES) return of({ case: "localRelation", value: local });
  const { hash, content } = cachedData(local);
  await client.addArtifact(`cache/${hash}`, content, signal);
  return of({ case: "cachedLocalRelation", value: { hash } });
}

function emptyRelation(schema: StructType): Proto {
  const names = uniqueNames(schema.fields.map((f) => f.name));
  const fields = schema.fields.map((field, i) => ({ ...field, name: names[i] ?? field.name }));
  return of({ case: "localRelation", value: localData({ op: "local", schema: { ...schema, fields }, rows: [] }) });
}

/** The columns that Spark finds in a relation. @throws AnalysisError */
export async function schemaOfRelation(client: SparkClient, relation: Proto, signal: AbortSignal): Promise<StructType> {
  const result = await client.analyze({ case: "schema", value: { plan: planOf(relation) } }, signal);
  return schemaOfProto(result.case === "schema" ? result.value.schema : undefined);
}

/** A plan of a relation. */
export function planOf(relation: Proto): ProtoPlan {
  return create(PlanSchema, { opType: { case: "root", value: relation } });
}

/** Just these columns under other names. */
export function renamedColumns(
  input: Proto,
  columns: readonly { readonly from: string; readonly as: string }[],
): Proto {
  return projected(
    input,
    columns.map(({ from, as }) => named(column(from), as)),
  );
}
