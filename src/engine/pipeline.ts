import { PomonaError } from "../errors";
import { childrenOf, columnsIn, hasBatch, mapChildren, replaceBatches } from "../frame/expressions";
import type { BatchExpression, Expression } from "../frame/plan";
import type { Step } from "../worker/task";
import { type Computed, columnsOf, generatedBy, type Relation, reference } from "./relation";

/**
 * A plan cut into what a relational engine does (`source`) and what workers do to its rows (`steps`). The steps are
 * chained without files between them: reading a file's content, a featurizer and a scaler make one stage.
 */
export interface Pipeline {
  /** Relational only: no batch function in it. */
  readonly source: Relation;
  readonly steps: readonly Step[];
  /** The output: which column of the last batch becomes which, by its id. */
  readonly columns: readonly OutputColumn[];
  /** Every source row gives exactly one output row, so row-wise operations may move below the steps. */
  readonly preservesRows: boolean;
}

interface OutputColumn extends Place {
  readonly as: string;
}

/** Where a value is. */
interface Place {
  readonly from: string;
  /** True where `from` is a column of `source`, not one that a step makes. */
  readonly relational: boolean;
}

/** A plan ready to run: `stages` first, in order, each into files that later ones read as `stage` leaves; then `root`. */
export interface Lowered {
  readonly stages: readonly { readonly id: string; readonly pipeline: Pipeline }[];
  readonly root: Pipeline;
}

/** Begins the names of stages that lowering makes up. */
const INTERNAL = "__pomona_";

/** True for a stage that lowering made, false for one that a user's `cache()` named. */
export function isInternal(id: string): boolean {
  return id.startsWith(INTERNAL);
}

/** Cuts an analyzed plan into stages. @param isCached true where the rows of a frame that the user cached are there already */
export function lower(relation: Relation, isCached: (id: string) => boolean): Lowered {
  const stages: { id: string; pipeline: Pipeline }[] = [];
  const staged = new Set<string>();
  let made = 0;
  // No id of analysis begins with this sign.
  const freshColumn = () => `#${made++}`;
  const freshStage = () => `${INTERNAL}${made++}`;

  return { root: prune(visit(relation)), stages };

  function visit(node: Relation): Pipeline {
    switch (node.op) {
      case "leaf":
        return node.content === undefined ? relational(node) : binaryFiles(node, node.content);
      case "range":
        return relational(node);
      case "sql":
        return relational({ ...node, views: mapValues(node.views, (view) => asRelational(visit(view))) });
      case "stage":
        if (node.input === undefined || isCached(node.id) || staged.has(node.id)) return relational(withoutInput(node));
        return stageAs(node.id, visit(node.input));
      case "join":
      case "set":
        return relational({ ...node, left: asRelational(visit(node.left)), right: asRelational(visit(node.right)) });
      case "project":
        return project(visit(node.input), node.columns);
      case "extend": {
        const input = visit(node.input);
        return project(input, [...idsOf(input).map((id) => ({ id, value: reference(id) })), ...node.columns]);
      }
      case "mapBatches": {
        const input = visit(node.input);
        const columns = node.takes.map(({ id, name }) => ({ from: columnOf(input, id).from, as: name }));
        return {
          source: input.source,
          steps: [...input.steps, { kind: "select", columns }, { kind: "table", fn: node.fn, schema: node.schema }],
          columns: node.schema.fields.map((f, i) => ({
            from: f.name,
            as: node.columns[i] ?? f.name,
            relational: false,
          })),
          preservesRows: false,
        };
      }
      case "limit":
      case "offset":
      case "repartition":
        return below(visit(node.input), [], (input) => ({ ...node, input }));
      case "sample":
        return below(visit(node.input), node.place ? [node.place] : [], (input) => ({ ...node, input }));
      case "balancedSample":
        return below(visit(node.input), node.place ? [node.by, node.place] : [node.by], (input) => ({
          ...node,
          input,
        }));
      case "generate":
        return generate(prune(visit(node.input)), node);
      case "filter":
        return below(visit(node.input), columnsIn(node.condition), (input) => ({ ...node, input }));
      case "sort": {
        const read = node.orders.flatMap((o) => columnsIn(o.child));
        return below(visit(node.input), read, (input) => ({ ...node, input }));
      }
      case "distinct":
        return node.on
          ? below(visit(node.input), node.on, (input) => ({ ...node, input }))
          : relational({ ...node, input: asRelational(visit(node.input)) });
      case "aggregate": {
        const input = visit(node.input);
        const read = [...node.grouping, ...node.aggregates].flatMap((c) => columnsIn(c.value));
        return relational({ ...node, input: relationalColumns(input, read) ?? asRelational(input) });
      }
    }
  }

  function relational(source: Relation): Pipeline {
    return {
      source,
      steps: [],
      columns: columnsOf(source).map((id) => ({ from: id, as: id, relational: true })),
      preservesRows: true,
    };
  }

  /** The listing is relational; a file's content is read by the worker that needs it, or never. */
  function binaryFiles(node: Extract<Relation, { op: "leaf" }>, as: string): Pipeline {
    const { content: _, ...listing } = node;
    const pipeline = relational(listing);
    const content: Step = {
      kind: "column",
      fn: { kind: "builtin", name: "binaryFile.content", params: {} },
      args: [node.columns[0] ?? "path"],
      as,
      type: "binary",
      ...(node.columns[0] === undefined ? {} : { rowName: node.columns[0] }),
    };
    return {
      ...pipeline,
      steps: [content],
      columns: [...pipeline.columns, { from: as, as, relational: false }],
    };
  }

  function project(input: Pipeline, columns: readonly Computed[]): Pipeline {
    const steps = [...input.steps];
    const computed: Computed[] = [];
    const output: OutputColumn[] = [];
    /** The columns that batch functions make beside their values. */
    const reasons = new Map<string, Place>();
    const find = (id: string): Place => reasons.get(id) ?? columnOf(input, id);
    const isRelational = (e: Expression) =>
      !hasBatch(e) && input.preservesRows && columnsIn(e).every((id) => find(id).relational);

    /** The column that holds an expression's value, added where it is not there yet; undefined if it can't be here. */
    const place = (e: Expression): Place | undefined => {
      if (e.kind === "alias") return place(e.child);
      if (e.kind === "column") return find(e.name);
      if (e.kind === "batch") return placeBatch(e);
      if (!isRelational(e)) return undefined;
      const id = freshColumn();
      computed.push({ id, value: overSource(e, find) });
      return { from: id, relational: true };
    };
    const placeBatch = (e: BatchExpression): Place | undefined => {
      const errorAs = e.onError.kind === "null" ? freshColumn() : undefined;
      const args = e.args.map((arg) => (errorAs && placeContent(arg, errorAs)) || place(arg));
      if (args.includes(undefined)) return undefined;
      const as = freshColumn();
      if (e.onError.kind === "null" && errorAs)
        reasons.set(e.onError.errorColumn, { from: errorAs, relational: false });
      const rowName = e.rowName === undefined ? undefined : find(e.rowName).from;
      steps.push({
        kind: "column",
        fn: e.fn,
        args: args.map((a) => a!.from),
        as,
        type: e.returns,
        ...(errorAs ? { errorAs } : {}),
        ...(rowName === undefined ? {} : { rowName }),
      });
      return { from: as, relational: false };
    };

    /** A file's content read anew for a function that keeps failed rows: a file that can't be read is one of them. */
    const placeContent = (e: Expression, errorAs: string): Place | undefined => {
      const from = e.kind === "column" ? find(e.name).from : undefined;
      const read = input.steps.find((step) => step.kind === "column" && step.as === from);
      if (read?.kind !== "column" || read.fn.name !== "binaryFile.content") return undefined;
      const as = freshColumn();
      steps.push({ ...read, as, errorAs });
      return { from: as, relational: false };
    };

    for (const { id, value } of columns) {
      const placed = place(value);
      // Something relational over what a step makes: run the steps first, then the rest over their result.
      if (placed === undefined) return projectOverStage(input, columns);
      output.push({ ...placed, as: id });
    }
    const source: Relation =
      computed.length === 0 ? input.source : { op: "extend", input: input.source, columns: computed };
    return { source, steps, columns: output, preservesRows: input.preservesRows };
  }

  function projectOverStage(input: Pipeline, columns: readonly Computed[]): Pipeline {
    const batches: Computed[] = [];
    const reasons: Computed[] = [];
    const rewritten = columns.map(({ id, value }) => ({
      id,
      value: replaceBatches(value, (batch) => {
        const made = freshColumn();
        batches.push({ id: made, value: batch });
        reasons.push(...errorColumns(batch).map((error) => ({ id: error, value: reference(error) })));
        return reference(made);
      }),
    }));
    const kept = idsOf(input).map((id) => ({ id, value: reference(id) }));
    // What a nested batch function reads of another one is a column of its own by then.
    const withBatches = batches.length > 0 ? project(input, [...kept, ...batches, ...reasons]) : input;
    return project(stageAs(freshStage(), withBatches), rewritten);
  }

  /** Puts a row-wise operation below the steps where it reads relational columns only; else runs the steps first. */
  function below(input: Pipeline, reads: readonly string[], wrap: (source: Relation) => Relation): Pipeline {
    if (input.preservesRows && reads.every((id) => columnOf(input, id).relational)) {
      const exposed = expose(input);
      return { ...exposed, source: wrap(exposed.source) };
    }
    return relational(wrap(asRelational(input)));
  }

  /** Elements become rows below what reads a file's content; what workers compute for a row is computed once, before. */
  function generate(input: Pipeline, node: Extract<Relation, { op: "generate" }>): Pipeline {
    const isLight = input.steps.every((step) => step.kind === "column" && step.fn.name === "binaryFile.content");
    const wrap = (source: Relation): Relation => ({ ...node, input: source });
    if (!isLight) return relational(wrap(asRelational(input)));
    const made = below(input, columnsIn(node.value), wrap);
    const missing = generatedBy(node).filter((id) => !made.columns.some((c) => c.as === id));
    return { ...made, columns: [...made.columns, ...missing.map((id) => ({ from: id, as: id, relational: true }))] };
  }

  /** The same pipeline over a source whose relational output columns carry their output ids. */
  function expose(input: Pipeline): Pipeline {
    const { steps } = prune(input);
    const outputs = input.columns.filter((c) => c.relational);
    const isPlain = outputs.every((c) => c.from === c.as) && outputs.length === columnsOf(input.source).length;
    if (isPlain) return { ...input, steps };
    const own = new Set(steps.flatMap((s) => (s.kind === "column" ? [s.as, ...(s.errorAs ? [s.errorAs] : [])] : [])));
    const needed = steps
      .flatMap((s) => (s.kind === "column" ? [...s.args, ...(s.rowName ? [s.rowName] : [])] : []))
      .filter((id) => !own.has(id));
    const args = new Map([...new Set(needed)].map((id) => [id, freshColumn()]));
    const renamed = (id: string) => args.get(id) ?? id;
    const columns = [
      ...outputs.map((c) => ({ id: c.as, value: reference(c.from) })),
      ...[...args].map(([id, as]) => ({ id: as, value: reference(id) })),
    ];
    return {
      ...input,
      source: { op: "project", input: input.source, columns },
      steps: steps.map((s) =>
        s.kind === "column"
          ? { ...s, args: s.args.map(renamed), ...(s.rowName ? { rowName: renamed(s.rowName) } : {}) }
          : s,
      ),
      columns: input.columns.map((c) => (c.relational ? { ...c, from: c.as } : c)),
    };
  }

  /** A relation of just these columns, if no step makes any of them. */
  function relationalColumns(input: Pipeline, reads: readonly string[]): Relation | undefined {
    if (!input.preservesRows || !reads.every((id) => columnOf(input, id).relational)) return undefined;
    const columns = input.columns.filter((c) => c.relational).map((c) => ({ id: c.as, value: reference(c.from) }));
    return { op: "project", input: input.source, columns };
  }

  function asRelational(input: Pipeline): Relation {
    const pruned = prune(input);
    if (pruned.steps.length > 0) return stageAs(freshStage(), pruned).source;
    const isPlain =
      pruned.columns.every((c) => c.from === c.as) && pruned.columns.length === columnsOf(pruned.source).length;
    if (isPlain) return pruned.source;
    const columns = pruned.columns.map((c) => ({ id: c.as, value: reference(c.from) }));
    return { op: "project", input: pruned.source, columns };
  }

  function stageAs(id: string, input: Pipeline): Pipeline {
    const pipeline = prune(input);
    stages.push({ id, pipeline });
    staged.add(id);
    return relational({ op: "stage", id, columns: pipeline.columns.map((c) => c.as) });
  }
}

/** How many partitions a relation asks for, if it does: by the last `repartition` that still holds at its top. */
export function requestedPartitions(relation: Relation): { partitions: number; shuffle: boolean } | undefined {
  switch (relation.op) {
    case "repartition":
      return relation;
    case "limit": {
      // The rows that `show` takes are computed in the partitions they were asked for in.
      const input = requestedPartitions(relation.input);
      return input && { ...input, partitions: Math.max(1, Math.min(input.partitions, relation.n)) };
    }
    case "project":
    case "extend":
    case "filter":
    case "sample":
      return requestedPartitions(relation.input);
    default:
      return undefined;
  }
}

/** Leaves out the steps whose results nobody reads. */
function prune(pipeline: Pipeline): Pipeline {
  let needed = new Set(pipeline.columns.map((c) => c.from));
  const steps: Step[] = [];
  for (const step of [...pipeline.steps].reverse()) {
    switch (step.kind) {
      case "column":
        if (!needed.has(step.as) && !(step.errorAs && needed.has(step.errorAs))) continue;
        for (const arg of step.args) needed.add(arg);
        break;
      case "select":
        needed = new Set(step.columns.map((c) => c.from));
        break;
      case "table":
        break;
    }
    steps.unshift(step);
  }
  return { ...pipeline, steps };
}

/** The columns that take the reasons of failed rows, in an expression. */
function errorColumns(expression: Expression): string[] {
  const inner = childrenOf(expression).flatMap(errorColumns);
  if (expression.kind !== "batch" || expression.onError.kind !== "null") return inner;
  return [...inner, expression.onError.errorColumn];
}

function columnOf(input: Pipeline, id: string): OutputColumn {
  const found = input.columns.find((c) => c.as === id);
  if (!found) throw new PomonaError(`The pipeline has no column ${id}, only ${idsOf(input).join(", ")}.`);
  return found;
}

function overSource(e: Expression, find: (id: string) => Place): Expression {
  if (e.kind === "column") return reference(find(e.name).from);
  return mapChildren(e, (child) => overSource(child, find));
}

function idsOf(input: Pipeline): string[] {
  return input.columns.map((c) => c.as);
}

function withoutInput({ id, columns }: Extract<Relation, { op: "stage" }>): Relation {
  return { op: "stage", id, columns };
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
