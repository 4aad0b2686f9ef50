import { columnsIn } from "../frame/expressions";
import type { Step } from "../worker/task";
import { asRelational, type Cutting, cutting, stageAs } from "./cutting";
import { columnOf, idsOf, type Lowered, type Pipeline, prune, relational } from "./pipeline";
import { project } from "./project";
import { columnsOf, generatedBy, type Relation, reference } from "./relation";

/** Cuts an analyzed plan into stages. @param isCached true where the rows of a frame that the user cached are there already */
export function lower(relation: Relation, isCached: (id: string) => boolean): Lowered {
  const cut = cutting(isCached);
  return { root: prune(visit(cut, relation)), stages: cut.stages };
}

function visit(cut: Cutting, node: Relation): Pipeline {
  switch (node.op) {
    case "leaf":
      return node.content === undefined ? relational(node) : binaryFiles(node, node.content);
    case "range":
      return relational(node);
    case "sql":
      return relational({ ...node, views: mapValues(node.views, (view) => asRelational(cut, visit(cut, view))) });
    case "stage":
      if (node.input === undefined || cut.isCached(node.id) || cut.staged.has(node.id))
        return relational(withoutInput(node));
      return stageAs(cut, node.id, visit(cut, node.input));
    case "join":
    case "set":
      return relational({
        ...node,
        left: asRelational(cut, visit(cut, node.left)),
        right: asRelational(cut, visit(cut, node.right)),
      });
    case "project":
      return project(cut, visit(cut, node.input), node.columns);
    case "extend": {
      const input = visit(cut, node.input);
      return project(cut, input, [...idsOf(input).map((id) => ({ id, value: reference(id) })), ...node.columns]);
    }
    case "mapBatches": {
      const input = visit(cut, node.input);
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
      return below(cut, visit(cut, node.input), [], (input) => ({ ...node, input }));
    case "sample":
      return below(cut, visit(cut, node.input), node.place ? [node.place] : [], (input) => ({ ...node, input }));
    case "balancedSample":
      return below(cut, visit(cut, node.input), node.place ? [node.by, node.place] : [node.by], (input) => ({
        ...node,
        input,
      }));
    case "generate":
      return generate(cut, prune(visit(cut, node.input)), node);
    case "filter":
      return below(cut, visit(cut, node.input), columnsIn(node.condition), (input) => ({ ...node, input }));
    case "sort": {
      const read = node.orders.flatMap((o) => columnsIn(o.child));
      return below(cut, visit(cut, node.input), read, (input) => ({ ...node, input }));
    }
    case "distinct":
      return node.on
        ? below(cut, visit(cut, node.input), node.on, (input) => ({ ...node, input }))
        : relational({ ...node, input: asRelational(cut, visit(cut, node.input)) });
    case "aggregate": {
      const input = visit(cut, node.input);
      const read = [...node.grouping, ...node.aggregates].flatMap((c) => columnsIn(c.value));
      return relational({ ...node, input: relationalColumns(input, read) ?? asRelational(cut, input) });
    }
  }
}

/** Path, modificationTime and length: what a listing begins with. */
const CONTENT_ARGUMENTS = 3;

/** The listing is relational; a file's content is read by the worker that needs it, or never. */
function binaryFiles(node: Extract<Relation, { op: "leaf" }>, as: string): Pipeline {
  const { content: _, ...listing } = node;
  const pipeline = relational(listing);
  const content: Step = {
    kind: "column",
    fn: { kind: "builtin", name: "binaryFile.content", params: {} },
    // A worker on another machine tells by size and time whether the file that it sees is the one that was listed.
    args: node.columns.slice(0, CONTENT_ARGUMENTS),
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

/** Puts a row-wise operation below the steps where it reads relational columns only; else runs the steps first. */
function below(
  cut: Cutting,
  input: Pipeline,
  reads: readonly string[],
  wrap: (source: Relation) => Relation,
): Pipeline {
  if (input.preservesRows && reads.every((id) => columnOf(input, id).relational)) {
    const exposed = expose(cut, input);
    return { ...exposed, source: wrap(exposed.source) };
  }
  return relational(wrap(asRelational(cut, input)));
}

/** Elements become rows below what reads a file's content; what workers compute for a row is computed once, before. */
function generate(cut: Cutting, input: Pipeline, node: Extract<Relation, { op: "generate" }>): Pipeline {
  const isLight = input.steps.every((step) => step.kind === "column" && step.fn.name === "binaryFile.content");
  const wrap = (source: Relation): Relation => ({ ...node, input: source });
  if (!isLight) return relational(wrap(asRelational(cut, input)));
  const made = below(cut, input, columnsIn(node.value), wrap);
  const missing = generatedBy(node).filter((id) => !made.columns.some((c) => c.as === id));
  return { ...made, columns: [...made.columns, ...missing.map((id) => ({ from: id, as: id, relational: true }))] };
}

/** The same pipeline over a source whose relational output columns carry their output ids. */
function expose(cut: Cutting, input: Pipeline): Pipeline {
  const { steps } = prune(input);
  const outputs = input.columns.filter((c) => c.relational);
  const isPlain = outputs.every((c) => c.from === c.as) && outputs.length === columnsOf(input.source).length;
  if (isPlain) return { ...input, steps };
  const own = new Set(steps.flatMap((s) => (s.kind === "column" ? [s.as, ...(s.errorAs ? [s.errorAs] : [])] : [])));
  const needed = steps
    .flatMap((s) => (s.kind === "column" ? [...s.args, ...(s.rowName ? [s.rowName] : [])] : []))
    .filter((id) => !own.has(id));
  const args = new Map([...new Set(needed)].map((id) => [id, cut.freshColumn()]));
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

function withoutInput({ id, columns }: Extract<Relation, { op: "stage" }>): Relation {
  return { op: "stage", id, columns };
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
