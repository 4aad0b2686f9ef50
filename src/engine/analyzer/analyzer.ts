import type { StructType } from "../../data/types";
import {
  AnalysisError,
  DuplicateColumnError,
  refuseDuplicates,
  UnresolvedColumnError,
} from "../../frame/analysis-error";
import type { Expression, Plan } from "../../frame/plan";
import { matching, quotedName, sameName } from "../../frame/resolve";
import { type Computed, type LeafPlan, type OutputName, type Relation, reference, type SqlPlan } from "../relation";
import { type Attribute, find, Identities, lookUp, outputOnly, type Resolved } from "./attribute";
import { conditionParts } from "./condition-text";
import { bind, bindAll, type Context, placeOf, reaching } from "./expressions";
import { generated } from "./generators";
import { resolveJoin } from "./joins";
import { lifting } from "./lifted";
import { isPresentEnough, resolveFill, resolveReplace } from "./missing-values";
import { errorAttributes, projected, resolveAggregate, resolveProject } from "./projections";
import { resolveSet } from "./sets";
import { resolveSummary } from "./summary";

/** What analysis knows of the world: sources that were looked up, and what the session keeps. */
export interface KnownSources {
  /** The columns of a source, and the place among them of a file's content where a worker reads that. */
  leaf(leaf: LeafPlan): { readonly schema: StructType; readonly contentAt?: number };
  /** A cached frame whose rows are there already. */
  cached(id: string): Resolved | undefined;
  /** The columns and types of a relation, without running it. */
  readonly schemaOf: Context["schemaOf"];
  /** The type of an expression, where that is known without asking. */
  readonly typeOf: Context["typeOf"];
  /** The columns of a query in the engine's SQL. @param frames what is known by now of the frames that the plan caches, by id */
  schemaOfQuery(
    query: string,
    views: Readonly<Record<string, Relation>>,
    source: SqlPlan,
    frames: ReadonlyMap<string, Resolved>,
  ): Promise<StructType>;
}

/** A plan in terms of ids, and the names its columns have outside. */
export interface AnalyzedPlan {
  readonly relation: Relation;
  readonly output: readonly OutputName[];
  /** What was found out about the frames that the plan caches, by the id of their `cached` plan. */
  readonly cachedFrames: ReadonlyMap<string, Resolved>;
}

/**
 * Finds what each name in a plan means: Spark's rules for columns with one name, aliases of frames, columns of frames, fields.
 * @see https://github.com/apache/spark/blob/master/sql/catalyst/src/main/scala/org/apache/spark/sql/catalyst/expressions/package.scala
 * @throws UnresolvedColumnError, AmbiguousColumnError, ForeignColumnError, AnalysisError
 */
export async function resolvePlan(plan: Plan, catalog: KnownSources): Promise<AnalyzedPlan> {
  const analyzer = new Analyzer(catalog);
  const resolved = await analyzer.resolve(plan);
  return {
    relation: outputOnly(resolved),
    output: resolved.output.map(({ id, name }) => ({ id, name })),
    cachedFrames: analyzer.cachedFrames,
  };
}

/** The resolved form of a plan's inputs, for what is resolved elsewhere. */
export type Resolve = (plan: Plan) => Promise<Resolved>;

class Analyzer {
  readonly cachedFrames = new Map<string, Resolved>();
  private readonly context: Context;

  constructor(private readonly catalog: KnownSources) {
    const { schemaOf, typeOf } = catalog;
    this.context = { ids: new Identities(), schemaOf, typeOf };
  }

  async resolve(plan: Plan): Promise<Resolved> {
    const resolved = await this.node(plan);
    if (plan.planId === undefined) return resolved;
    const frames = new Map(resolved.frames);
    return { ...resolved, frames: frames.set(plan.planId, [...(frames.get(plan.planId) ?? []), resolved.output]) };
  }

  private async node(plan: Plan): Promise<Resolved> {
    const { context } = this;
    const { ids } = context;
    switch (plan.op) {
      case "read":
      case "local":
        return this.leaf(plan);
      case "range": {
        const { start, end, step } = plan;
        const id = ids.attribute("id", { type: "long" });
        const relation: Relation = { op: "range", start, end, step, column: id.id };
        return { relation, output: [id], hidden: [], frames: new Map() };
      }
      case "sql":
        return this.query(plan);
      case "cached":
        return this.cached(plan);
      case "project":
        return resolveProject(await this.resolve(plan.input), plan.columns, context);
      case "withColumns":
        return this.withColumns(await this.resolve(plan.input), plan.columns);
      case "rename": {
        const input = await this.resolve(plan.input);
        // One name after the other, as Spark does: what a name became may be renamed again.
        const names = Object.entries(plan.names);
        const output = input.output.map((a) => {
          const name = names.reduce((now, [from, to]) => (sameName(from, now) ? to : now), a.name);
          return name === a.name ? a : ids.renewed(a, { name });
        });
        return projected(input, output, []);
      }
      case "toNames": {
        const input = await this.resolve(plan.input);
        if (plan.names.length !== input.output.length) {
          throw new AnalysisError(
            `[ASSIGNMENT_ARITY_MISMATCH] The number of columns or variables assigned or aliased: ${input.output.length} does not match the number of source expressions: ${plan.names.length}.`,
            { remedy: `Name all columns: ${input.output.map((a) => a.name).join(", ")}.` },
          );
        }
        const output = input.output.map((a, i) => ids.renewed(a, { name: plan.names[i] ?? a.name }));
        return projected(input, output, []);
      }
      case "alias": {
        const { below: _, ...input } = await this.resolve(plan.input);
        return { ...input, output: input.output.map((a) => ({ ...a, qualifier: plan.name })), hidden: [] };
      }
      case "drop":
        return this.drop(await this.resolve(plan.input), plan.names, plan.columns ?? []);
      case "filter":
        return this.filter(await this.resolve(plan.input), plan.condition);
      case "filterSql":
        return this.filterText(await this.resolve(plan.input), plan.condition);
      case "sort": {
        const input = reaching(
          plan.orders.map((o) => o.child),
          await this.resolve(plan.input),
        );
        const keys = await bindAll(
          plan.orders.map((o) => o.child),
          input,
          context,
        );
        const { lift, under } = lifting(ids);
        const orders = plan.orders.map((o, i) => ({ ...o, child: lift(keys[i]?.value ?? o.child) }));
        return over(input, (relation) => ({ op: "sort", input: under(relation), orders }));
      }
      case "sample": {
        const { seed, fraction, lower = 0 } = plan;
        return this.rows(plan.input, ({ output }, relation) => ({
          op: "sample",
          input: relation,
          bounds: [lower, fraction],
          ...(plan.lower === undefined ? {} : { isSplit: true }),
          seed,
          ...placed(placeOf(output)),
        }));
      }
      case "balancedSample":
        return this.rows(plan.input, (input, relation) => ({
          op: "balancedSample",
          input: relation,
          by: find({ kind: "column", name: quotedName(plan.by) }, input).attribute.id,
          total: plan.total,
          seed: plan.seed,
          ...placed(placeOf(input.output)),
        }));
      case "limit":
      case "offset": {
        const { op, n } = plan;
        return over(await this.resolve(plan.input), (input) => ({ op, input, n }));
      }
      case "repartition": {
        const { partitions, shuffle } = plan;
        return over(await this.resolve(plan.input), (input) => ({ op: "repartition", input, partitions, shuffle }));
      }
      case "distinct":
        return this.rows(plan.input, (input, relation) => {
          const on = plan.columns?.flatMap((name) => columnsNamed(name, input).map((a) => a.id));
          return { op: "distinct", input: relation, ...(on ? { on: [...new Set(on)] } : {}) };
        });
      case "aggregate":
        return resolveAggregate(await this.resolve(plan.input), plan.grouping, plan.aggregates, context);
      case "join":
        return resolveJoin(plan, await this.resolve(plan.left), await this.resolve(plan.right), context);
      case "union":
      case "intersect":
      case "except":
        return resolveSet(plan, await this.resolve(plan.left), await this.resolve(plan.right), context);
      case "mapBatches":
        return this.mapBatches(plan);
      case "dropMissing": {
        const input = await this.resolve(plan.input);
        const condition = await isPresentEnough(plan, input, context);
        return over(input, (relation) => ({ op: "filter", input: relation, condition }));
      }
      case "fillMissing":
        return resolveFill(plan, await this.resolve(plan.input), context);
      case "replaceValues":
        return resolveReplace(plan, await this.resolve(plan.input), context);
      case "summary":
        return resolveSummary(plan, await this.resolve(plan.input), context);
    }
  }

  private leaf(leaf: LeafPlan): Resolved {
    const { schema, contentAt } = this.catalog.leaf(leaf);
    if (leaf.op === "read") {
      refuseDuplicates(
        schema.fields.map((f) => f.name),
        "Names that differ only by case are one name.",
      );
    }
    const { ids } = this.context;
    const output = schema.fields.map((f) => ids.attribute(f.name, { type: f.type }));
    const content = contentAt === undefined ? undefined : ids.attribute("content", { type: "binary" });
    const columns = output.map((a) => a.id);
    const relation: Relation = { op: "leaf", leaf, columns, ...(content ? { content: content.id } : {}) };
    if (content) output.splice(contentAt ?? 0, 0, content);
    return { relation, output, hidden: [], frames: new Map() };
  }

  private async query(plan: Extract<Plan, { op: "sql" }>): Promise<Resolved> {
    const views: Record<string, Relation> = {};
    for (const [name, view] of Object.entries(plan.views)) {
      const { relation, output } = await this.resolve(view);
      refuseDuplicates(
        output.map((a) => a.name),
        `SQL could not tell the columns of the view ${quotedName(name)} apart.`,
      );
      views[name] = {
        op: "project",
        input: relation,
        columns: output.map((a) => ({ id: a.name, value: reference(a.id) })),
      };
    }
    const schema = await this.catalog.schemaOfQuery(plan.query, views, plan, this.cachedFrames);
    const output = schema.fields.map((f) => this.context.ids.attribute(f.name, { type: f.type }));
    const columns = output.map((a) => a.id);
    const relation: Relation = { op: "sql", query: plan.query, source: plan, views, schema, columns };
    return { relation, output, hidden: [], frames: new Map() };
  }

  private async cached({ id, input }: Extract<Plan, { op: "cached" }>): Promise<Resolved> {
    const kept = this.cachedFrames.get(id) ?? this.catalog.cached(id);
    if (kept) return this.again(id, kept);
    const resolved = await this.resolve(input);
    const relation = outputOnly(resolved);
    const stage: Relation = {
      op: "stage",
      id,
      columns: [...new Set(resolved.output.map((a) => a.id))],
      input: relation,
    };
    const { below: _, ...rest } = resolved;
    const frame: Resolved = { ...rest, relation: stage, hidden: [] };
    this.cachedFrames.set(id, frame);
    return frame;
  }

  /** A kept frame once more: other ids, and other identities in it and in the frames that it was made from. */
  private again(id: string, kept: Resolved): Resolved {
    const { ids } = this.context;
    const columns = kept.relation.op === "stage" ? kept.relation.columns : [];
    const newIds = new Map(columns.map((column) => [column, ids.id(column.replace(/#\d+$/, ""))]));
    const renewed = new Map<number, Attribute>();
    const renew = (a: Attribute): Attribute => {
      const known = renewed.get(a.key) ?? ids.renewed(a);
      renewed.set(a.key, known);
      return { ...a, key: known.key, id: newIds.get(a.id) ?? a.id };
    };
    return {
      relation: { op: "stage", id, columns: [...newIds.values()] },
      output: kept.output.map(renew),
      hidden: [],
      frames: new Map([...kept.frames].map(([plan, frames]) => [plan, frames.map((frame) => frame.map(renew))])),
    };
  }

  /** Spark keeps a replaced column's place and takes the new spelling of its name. */
  private async withColumns(
    given: Resolved,
    columns: readonly { readonly name: string; readonly value: Expression }[],
  ): Promise<Resolved> {
    refuseDuplicates(
      columns.map((c) => c.name),
      "A column can have one new value.",
    );
    const values = columns.map(({ name, value }): Expression => ({ kind: "alias", child: value, name }));
    const { input, made: elements } = await generated(given, values, this.context);
    const bound = await bindAll(
      columns.map((c) => c.value),
      input,
      this.context,
      (_, i) => values[i] && elements.get(values[i])?.[0],
    );
    const output: Attribute[][] = input.output.map((a) => [a]);
    const computed: Computed[] = [];
    for (const [i, { name }] of columns.entries()) {
      const made = bound[i];
      if (!made) continue;
      const added = this.context.ids.attribute(name, { type: made.type });
      const errors = errorAttributes(made, this.context);
      computed.push({ id: added.id, value: made.value }, ...errors.map(({ id }) => ({ id, value: reference(id) })));
      const places = matching(
        name,
        input.output.map((a) => a.name),
      );
      for (const [n, place] of places.entries()) output[place] = n === 0 ? [added, ...errors] : [added];
      if (places.length === 0) output.push([added, ...errors]);
    }
    return projected(input, output.flat(), computed);
  }

  private drop(input: Resolved, names: readonly string[], columns: readonly Expression[]): Resolved {
    const dropped = new Set<number>();
    for (const column of columns) {
      // What is not there, or no column of its own, is left alone.
      const found = column.kind === "column" ? lookUp(column, input) : undefined;
      if (found && found.fields.length === 0) dropped.add(found.attribute.key);
    }
    const output = input.output.filter((a) => !dropped.has(a.key) && !names.some((name) => sameName(name, a.name)));
    return projected(input, output, []);
  }

  private async filter(plan: Resolved, condition: Expression): Promise<Resolved> {
    const input = reaching([condition], plan);
    const { value } = await bind(condition, input, this.context);
    const { lift, under } = lifting(this.context.ids);
    const lifted = lift(value);
    return over(input, (relation) => ({ op: "filter", input: under(relation), condition: lifted }));
  }

  /** Names in the text become columns where they are some; what else there is, the engine's SQL has to know. */
  private async filterText(plan: Resolved, text: string): Promise<Resolved> {
    const found = conditionParts(text);
    const input = reaching(
      found.filter((part) => typeof part !== "string"),
      plan,
    );
    const parts: (string | Expression)[] = [];
    for (const part of found) {
      if (typeof part === "string") parts.push(part);
      else parts.push(lookUp(part, input) ? (await bind(part, input, this.context)).value : part.name);
    }
    const filtered = over(input, (relation) => ({ op: "filter", input: relation, condition: { kind: "text", parts } }));
    try {
      await this.catalog.schemaOf(filtered.relation);
    } catch (error) {
      if (!(error instanceof UnresolvedColumnError)) throw error;
      const names = input.output.map((a) => a.name);
      throw new UnresolvedColumnError(error.column, names, { cause: error });
    }
    return filtered;
  }

  private async mapBatches(plan: Extract<Plan, { op: "mapBatches" }>): Promise<Resolved> {
    const input = await this.resolve(plan.input);
    const names = input.output.map((a) => a.name);
    refuseExactDuplicates(names);
    const output = plan.schema.fields.map((f) => this.context.ids.attribute(f.name, { type: f.type }));
    const relation: Relation = {
      op: "mapBatches",
      input: input.relation,
      takes: input.output.map(({ id, name }) => ({ id, name })),
      fn: plan.fn,
      schema: plan.schema,
      columns: output.map((a) => a.id),
    };
    return { relation, output, hidden: [], frames: input.frames };
  }

  /** An operation that depends on which columns there are. */
  private async rows(plan: Plan, make: (input: Resolved, relation: Relation) => Relation): Promise<Resolved> {
    const { below: _, ...input } = await this.resolve(plan);
    return { ...input, relation: make(input, outputOnly(input)), hidden: [] };
  }
}

/** An operation on rows, which passes every column on. */
function over(input: Resolved, make: (relation: Relation) => Relation): Resolved {
  const { below } = input;
  const made: Resolved = { ...input, relation: make(input.relation) };
  if (!below) return made;
  return {
    ...made,
    below: { input: below.input, passing: (inner, column) => over(below.passing(inner, column), make) },
  };
}

function placed([place]: Expression[]): { readonly place?: string } {
  return place?.kind === "column" ? { place: place.name } : {};
}

/** All columns of a name, which is taken whole. @throws AnalysisError */
export function columnsNamed(name: string, { output }: Pick<Resolved, "output">): readonly Attribute[] {
  const found = output.filter((a) => sameName(a.name, name));
  if (found.length > 0) return found;
  throw new UnresolvedColumnError(
    name,
    output.map((a) => a.name),
    { among: true },
  );
}

/** A batch function finds its columns by name. */
function refuseExactDuplicates(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new DuplicateColumnError(twice, "A batch function finds its columns by name.");
}
