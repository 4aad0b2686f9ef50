import { columnsIn, hasBatch, mapChildren, replaceBatches } from "../frame/expressions";
import { type BatchExpression, type Expression, outputName, type Plan } from "../frame/plan";
import { resolveColumn } from "../frame/resolve";
import type { Step } from "../worker/task";

/**
 * A plan cut into what a relational engine does (`source`) and what workers do to its rows (`steps`). The steps are
 * chained without files between them: reading a file's content, a featurizer and a scaler make one stage.
 */
export interface Pipeline {
  /** Relational only: no batch function in it. */
  readonly source: Plan;
  readonly steps: readonly Step[];
  /** The output: which column of the last batch becomes which. */
  readonly columns: readonly OutputColumn[];
  /** Every source row gives exactly one output row, so row-wise operations may move below the steps. */
  readonly preservesRows: boolean;
}

interface OutputColumn {
  readonly from: string;
  readonly as: string;
  /** True where `from` is a column of `source`, not one that a step makes. */
  readonly relational: boolean;
}

/** A plan ready to run: `stages` first, in order, each into files that later ones read as `cached` leaves; then `root`. */
export interface Lowered {
  readonly stages: readonly { readonly id: string; readonly pipeline: Pipeline }[];
  readonly root: Pipeline;
}

/** Begins the names of columns and stages that lowering makes up. */
const INTERNAL = "__pomona_";

/** True for a stage that lowering made, false for one that a user's `cache()` named. */
export function isInternal(id: string): boolean {
  return id.startsWith(INTERNAL);
}

/** What lowering has to know of the plan's leaves. */
export interface Catalog {
  /** The column names of a relational plan. */
  columnsOf(plan: Plan): readonly string[];
  /** Told of each stage before its result is read, so that its columns can be known. */
  onStage(id: string, pipeline: Pipeline): void;
  /** True where the rows of a `cached` plan are there already. */
  isCached(id: string): boolean;
}

/** Cuts a plan into stages. @throws AnalysisError for a column that does not exist. */
export function lower(plan: Plan, catalog: Catalog): Lowered {
  const stages: { id: string; pipeline: Pipeline }[] = [];
  const staged = new Set<string>();
  let names = 0;
  const freshName = () => `${INTERNAL}${names++}`;
  const { columnsOf } = catalog;

  return { root: prune(visit(plan)), stages };

  function visit(node: Plan): Pipeline {
    switch (node.op) {
      case "read":
        return node.format === "binaryFile" ? binaryFiles(node) : relational(node);
      case "local":
      case "range":
        return relational(node);
      case "sql":
        return relational({ ...node, views: mapValues(node.views, (view) => asRelational(visit(view))) });
      case "join":
      case "union":
        return relational({ ...node, left: asRelational(visit(node.left)), right: asRelational(visit(node.right)) });
      case "cached":
        if (catalog.isCached(node.id) || staged.has(node.id)) return relational(node);
        return stageAs(node.id, visit(node.input));
      case "project":
        return project(visit(node.input), node.columns);
      case "withColumns": {
        const input = visit(node.input);
        return project(input, withColumns(namesOf(input), node.columns));
      }
      case "rename": {
        const input = visit(node.input);
        const renamed = new Map(
          Object.entries(node.names)
            .filter(([from]) => namesOf(input).some((name) => sameName(name, from)))
            .map(([from, to]) => [resolveColumn(from, namesOf(input)), to]),
        );
        return { ...input, columns: input.columns.map((c) => ({ ...c, as: renamed.get(c.as) ?? c.as })) };
      }
      case "drop": {
        const input = visit(node.input);
        return { ...input, columns: input.columns.filter((c) => !node.names.some((name) => sameName(name, c.as))) };
      }
      case "mapBatches": {
        const input = visit(node.input);
        const select: Step = { kind: "select", columns: input.columns.map(({ from, as }) => ({ from, as })) };
        return {
          source: input.source,
          steps: [...input.steps, select, { kind: "table", fn: node.fn, schema: node.schema }],
          columns: node.schema.fields.map((f) => ({ from: f.name, as: f.name, relational: false })),
          preservesRows: false,
        };
      }
      case "limit":
      case "sample":
      case "repartition":
        return below(visit(node.input), [], (input) => ({ ...node, input }));
      case "balancedSample":
        return below(visit(node.input), [node.by], (input) => ({ ...node, input }));
      case "filter":
        return below(visit(node.input), columnsIn(node.condition), (input) => ({ ...node, input }));
      case "filterSql": {
        const input = visit(node.input);
        const words = new Set(node.condition.toLowerCase().match(/[\p{L}\p{N}_]+/gu));
        const mentioned = namesOf(input).filter((name) => words.has(name.toLowerCase()));
        return below(input, mentioned, (source) => ({ ...node, input: source }));
      }
      case "sort":
        return below(
          visit(node.input),
          node.orders.flatMap((o) => columnsIn(o.child)),
          (input) => ({ ...node, input }),
        );
      case "distinct":
        return node.columns
          ? below(visit(node.input), node.columns, (input) => ({ ...node, input }))
          : relational({ ...node, input: asRelational(visit(node.input)) });
      case "aggregate": {
        const input = visit(node.input);
        const read = [...node.grouping, ...node.aggregates].flatMap(columnsIn);
        const source = relationalColumns(input, read) ?? asRelational(input);
        return relational({ ...node, input: source });
      }
    }
  }

  function relational(source: Plan): Pipeline {
    return {
      source,
      steps: [],
      columns: columnsOf(source).map((name) => ({ from: name, as: name, relational: true })),
      preservesRows: true,
    };
  }

  /** The listing is relational; a file's content is read by the worker that needs it, or never. */
  function binaryFiles(node: Plan): Pipeline {
    const listing = relational(node);
    const content: Step = {
      kind: "column",
      fn: { kind: "builtin", name: "binaryFile.content", params: {} },
      args: ["path"],
      as: freshName(),
      type: "binary",
    };
    return {
      ...listing,
      steps: [content],
      // What folders k=v say stands behind the content, as in Spark.
      columns: [
        ...listing.columns.slice(0, 3),
        { from: content.as, as: "content", relational: false },
        ...listing.columns.slice(3),
      ],
    };
  }

  function project(input: Pipeline, columns: readonly Expression[]): Pipeline {
    const steps = [...input.steps];
    const computed: { name: string; value: Expression }[] = [];
    const output: OutputColumn[] = [];
    const find = (name: string) => input.columns.find((c) => c.as === resolveColumn(name, namesOf(input)))!;
    const isRelational = (e: Expression) =>
      !hasBatch(e) && input.preservesRows && columnsIn(e).every((name) => find(name).relational);

    /** The column that holds an expression's value, added where it is not there yet; undefined if it can't be here. */
    const place = (e: Expression): Omit<OutputColumn, "as"> | undefined => {
      if (e.kind === "alias") return place(e.child);
      if (e.kind === "column") return find(e.name);
      if (e.kind === "batch") return placeBatch(e);
      if (!isRelational(e)) return undefined;
      const name = freshName();
      computed.push({ name, value: overSource(e, find) });
      return { from: name, relational: true };
    };
    const placeBatch = (e: BatchExpression): Omit<OutputColumn, "as"> | undefined => {
      const errorAs = e.onError.kind === "null" ? freshName() : undefined;
      const args = e.args.map((arg) => (errorAs && placeContent(arg, errorAs)) || place(arg));
      if (args.includes(undefined)) return undefined;
      const as = freshName();
      if (e.onError.kind === "null") {
        output.push({ from: errorAs!, as: e.onError.errorColumn, relational: false });
      }
      steps.push({
        kind: "column",
        fn: e.fn,
        args: args.map((a) => a!.from),
        as,
        type: e.returns,
        ...(errorAs ? { errorAs } : {}),
      });
      return { from: as, relational: false };
    };

    /** A file's content read anew for a function that keeps failed rows: a file that can't be read is one of them. */
    const placeContent = (e: Expression, errorAs: string): Omit<OutputColumn, "as"> | undefined => {
      const from = e.kind === "column" ? find(e.name).from : undefined;
      const read = input.steps.find((step) => step.kind === "column" && step.as === from);
      if (read?.kind !== "column" || read.fn.name !== "binaryFile.content") return undefined;
      const as = freshName();
      steps.push({ ...read, as, errorAs });
      return { from: as, relational: false };
    };

    for (const column of columns) {
      const before = output.length;
      const placed = place(column);
      // Something relational over what a step makes: run the steps first, then the rest over their result.
      if (placed === undefined) return projectOverStage(input, columns);
      // An error column stands right behind the column it explains.
      output.splice(before, 0, { ...placed, as: outputName(column) });
    }
    const source: Plan =
      computed.length === 0 ? input.source : { op: "withColumns", input: input.source, columns: computed };
    return { source, steps, columns: output, preservesRows: input.preservesRows };
  }

  function projectOverStage(input: Pipeline, columns: readonly Expression[]): Pipeline {
    const batches: Expression[] = [];
    const rewritten = columns.map((column) =>
      replaceBatches(column, (batch) => {
        const name = freshName();
        batches.push({ kind: "alias", child: batch, name });
        return { kind: "column", name };
      }),
    );
    const kept = namesOf(input).map((name): Expression => ({ kind: "column", name }));
    // What a nested batch function reads of another one is a column of its own by then.
    const withBatches = batches.length > 0 ? project(input, [...kept, ...batches]) : input;
    const named = rewritten.map((column, i): Expression => {
      const original = columns[i]!;
      return column === original ? column : { kind: "alias", child: column, name: outputName(original) };
    });
    return project(stageAs(freshName(), withBatches), named);
  }

  /** Puts a row-wise operation below the steps where it reads relational columns only; else runs the steps first. */
  function below(input: Pipeline, reads: readonly string[], wrap: (source: Plan) => Plan): Pipeline {
    if (input.preservesRows && reads.every((name) => columnNamed(input, name).relational)) {
      const exposed = expose(input);
      return { ...exposed, source: wrap(exposed.source) };
    }
    return relational(wrap(asRelational(input)));
  }

  /** The same pipeline over a source whose relational output columns carry their output names. */
  function expose(input: Pipeline): Pipeline {
    const { steps } = prune(input);
    const outputs = input.columns.filter((c) => c.relational);
    const isPlain = outputs.every((c) => c.from === c.as) && outputs.length === columnsOf(input.source).length;
    if (isPlain) return { ...input, steps };
    const made = new Set(steps.flatMap((s) => (s.kind === "column" ? [s.as] : [])));
    const needed = steps.flatMap((s) => (s.kind === "column" ? s.args : [])).filter((name) => !made.has(name));
    const args = new Map([...new Set(needed)].map((name) => [name, freshName()]));
    const source: Plan = {
      op: "project",
      input: input.source,
      columns: [
        ...outputs.map((c): Expression => alias(c.from, c.as)),
        ...[...args].map(([name, as]): Expression => alias(name, as)),
      ],
    };
    return {
      ...input,
      source,
      steps: steps.map((s) => (s.kind === "column" ? { ...s, args: s.args.map((a) => args.get(a) ?? a) } : s)),
      columns: input.columns.map((c) => (c.relational ? { ...c, from: c.as } : c)),
    };
  }

  /** A relational plan of just these columns, if no step makes any of them. */
  function relationalColumns(input: Pipeline, reads: readonly string[]): Plan | undefined {
    if (!input.preservesRows || !reads.every((name) => columnNamed(input, name).relational)) return undefined;
    const columns = input.columns.filter((c) => c.relational);
    return { op: "project", input: input.source, columns: columns.map((c) => alias(c.from, c.as)) };
  }

  function asRelational(input: Pipeline): Plan {
    const pruned = prune(input);
    if (pruned.steps.length > 0) return stageAs(freshName(), pruned).source;
    const isPlain =
      pruned.columns.every((c) => c.from === c.as) && pruned.columns.length === columnsOf(pruned.source).length;
    if (isPlain) return pruned.source;
    return { op: "project", input: pruned.source, columns: pruned.columns.map((c) => alias(c.from, c.as)) };
  }

  function stageAs(id: string, input: Pipeline): Pipeline {
    const pipeline = prune(input);
    stages.push({ id, pipeline });
    staged.add(id);
    catalog.onStage(id, pipeline);
    return relational({ op: "cached", id, input: input.source });
  }
}

/** How many partitions a plan asks for, if it does: by the last `repartition` that still holds at its top. */
export function requestedPartitions(plan: Plan): { partitions: number; shuffle: boolean } | undefined {
  switch (plan.op) {
    case "repartition":
      return plan;
    case "limit": {
      // The rows that `show` takes are computed in the partitions they were asked for in.
      const input = requestedPartitions(plan.input);
      return input && { ...input, partitions: Math.max(1, Math.min(input.partitions, plan.n)) };
    }
    case "project":
    case "withColumns":
    case "rename":
    case "drop":
    case "filter":
    case "filterSql":
    case "sample":
      return requestedPartitions(plan.input);
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

function withColumns(
  names: readonly string[],
  columns: readonly { readonly name: string; readonly value: Expression }[],
): Expression[] {
  const replaced = (name: string) => columns.find((c) => sameName(c.name, name));
  const kept = names.map((name): Expression => {
    const column = replaced(name);
    return column ? { kind: "alias", child: column.value, name: column.name } : { kind: "column", name };
  });
  const added = columns.filter((c) => !names.some((name) => sameName(name, c.name)));
  return [...kept, ...added.map((c): Expression => ({ kind: "alias", child: c.value, name: c.name }))];
}

function columnNamed(input: Pipeline, name: string): OutputColumn {
  const resolved = resolveColumn(name, namesOf(input));
  return input.columns.find((c) => c.as === resolved)!;
}

function overSource(e: Expression, find: (name: string) => OutputColumn): Expression {
  if (e.kind === "column") return { kind: "column", name: find(e.name).from };
  return mapChildren(e, (child) => overSource(child, find));
}

function namesOf(input: Pipeline): string[] {
  return input.columns.map((c) => c.as);
}

function alias(name: string, as: string): Expression {
  return name === as ? { kind: "column", name } : { kind: "alias", child: { kind: "column", name }, name: as };
}

/** Spark's default: names differ only by their letters, not by case. */
function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
