import type { StructType } from "../../data/types";
import { childrenOf, columnsIn, hasBatch } from "../../frame/expressions";
import type { Expression } from "../../frame/plan";
import { type Computed, columnsOf, type Relation, reference, relationInputs } from "../relation";

type Query = Extract<Relation, { op: "sql" }>;

/** What has to be asked of the engine to know what a query reads. */
export interface QueryReader {
  schemaOf(relation: Relation): Promise<StructType>;
  /**
   * The columns of each view that a query reads for some columns of its result, by position.
   * @returns undefined where that can't be known: it may read all
   */
  readColumns(
    query: string,
    views: Readonly<Record<string, StructType>>,
    result: { readonly count: number; readonly wanted: readonly number[] },
  ): Promise<Readonly<Record<string, readonly number[]>> | undefined>;
}

/** The same relation, whose queries in SQL text leave out the columns of views that they do not read and workers would have to make. */
export async function withoutUnreadColumns(relation: Relation, reader: QueryReader): Promise<Relation> {
  return visit(relation, new Set(columnsOf(relation)), reader);
}

/** @param wanted the columns that are read of it */
async function visit(node: Relation, wanted: ReadonlySet<string>, reader: QueryReader): Promise<Relation> {
  const all = (input: Relation) => visit(input, new Set(columnsOf(input)), reader);
  const reading = (input: Relation, expressions: readonly Expression[], kept: Iterable<string>) =>
    expressions.some(readsWholeRows)
      ? all(input)
      : visit(input, new Set([...kept, ...expressions.flatMap(columnsIn)]), reader);
  switch (node.op) {
    case "leaf":
    case "range":
      return node;
    case "sql":
      return query(node, wanted, reader);
    case "stage":
      return node.input ? { ...node, input: await all(node.input) } : node;
    case "project":
      return { ...node, input: await reading(node.input, readOf(node.columns, wanted), []) };
    case "extend":
      return { ...node, input: await reading(node.input, readOf(node.columns, wanted), wanted) };
    case "filter":
      return { ...node, input: await reading(node.input, [node.condition], wanted) };
    case "sort":
      return {
        ...node,
        input: await reading(
          node.input,
          node.orders.map((o) => o.child),
          wanted,
        ),
      };
    case "generate":
      return { ...node, input: await reading(node.input, [node.value], wanted) };
    case "limit":
    case "offset":
    case "repartition":
      return { ...node, input: await visit(node.input, wanted, reader) };
    case "aggregate": {
      const values = [...node.grouping, ...node.aggregates].map((c) => c.value);
      return { ...node, input: await reading(node.input, values, []) };
    }
    case "mapBatches":
      return { ...node, input: await visit(node.input, new Set(node.takes.map((c) => c.id)), reader) };
    case "join": {
      const kept = new Set([...wanted, ...(node.condition ? columnsIn(node.condition) : [])]);
      return { ...node, left: await visit(node.left, kept, reader), right: await visit(node.right, kept, reader) };
    }
    // What a row's luck is, or whether it is another one's equal, all of its columns decide.
    case "set":
      return { ...node, left: await all(node.left), right: await all(node.right) };
    case "sample":
    case "balancedSample":
    case "distinct":
      return { ...node, input: await all(node.input) };
  }
}

async function query(node: Query, wanted: ReadonlySet<string>, reader: QueryReader): Promise<Query> {
  const isWorthIt = Object.values(node.views).some(needsWorkers);
  const read = isWorthIt ? await readBy(node, wanted, reader) : undefined;
  const views: Record<string, Relation> = {};
  const narrowed: Record<string, StructType> = {};
  for (const [name, view] of Object.entries(node.views)) {
    const used = read?.used[name];
    if (read && used && used.length < columnsOf(view).length) narrowed[name] = read.schemas[name]!;
    const kept = narrowed[name] && used ? onlyColumns(view, used) : view;
    views[name] = await visit(kept, new Set(columnsOf(kept)), reader);
  }
  const unread = read ? node.columns.filter((id) => !wanted.has(id)) : [];
  return { ...node, views, narrowed, unread };
}

function onlyColumns(view: Relation, positions: readonly number[]): Relation {
  const ids = columnsOf(view).filter((_, i) => positions.includes(i));
  if (view.op === "project") return { ...view, columns: view.columns.filter((c) => ids.includes(c.id)) };
  return { op: "project", input: view, columns: ids.map((id) => ({ id, value: reference(id) })) };
}

async function readBy({ query: text, views, columns }: Query, wanted: ReadonlySet<string>, reader: QueryReader) {
  const schemas: Record<string, StructType> = {};
  for (const [name, view] of Object.entries(views)) schemas[name] = await reader.schemaOf(view);
  const positions = columns.flatMap((id, i) => (wanted.has(id) ? [i] : []));
  const used = await reader.readColumns(text, schemas, { count: columns.length, wanted: positions });
  return used && { used, schemas };
}

/** True where a column may cost more than reading it from a file: DuckDB itself leaves out those that it has. */
function needsWorkers(node: Relation): boolean {
  if (node.op === "leaf") return node.content !== undefined;
  if (node.op === "mapBatches") return true;
  if ((node.op === "project" || node.op === "extend") && node.columns.some((c) => hasBatch(c.value))) return true;
  return relationInputs(node).some(needsWorkers);
}

function readOf(columns: readonly Computed[], wanted: ReadonlySet<string>): Expression[] {
  // A function that keeps failed rows makes a second column, which may be wanted alone.
  const makesErrors = columns.some(({ value }) => hasBatch(value));
  return columns.filter(({ id }) => makesErrors || wanted.has(id)).map((c) => c.value);
}

/** Random numbers go by all that a row holds; so may stars in SQL text. */
function readsWholeRows(expression: Expression): boolean {
  if (expression.kind === "call" && expression.fn === "rand") return true;
  if (expression.kind === "text" && expression.parts.some((part) => typeof part === "string" && STARS.test(part)))
    return true;
  return childrenOf(expression).some(readsWholeRows);
}

const STARS = /\*|columns/i;
