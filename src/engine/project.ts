import { childrenOf, columnsIn, hasBatch, mapChildren, replaceBatches } from "../frame/expressions";
import type { BatchExpression, Expression } from "../frame/plan";
import { type Cutting, stageAs } from "./cutting";
import { columnOf, idsOf, type OutputColumn, type Pipeline, type Place } from "./pipeline";
import { type Computed, type Relation, reference } from "./relation";

/** Columns of a pipeline and what is computed of them: by the relational engine below the steps, by new steps, or over a stage. */
export function project(cut: Cutting, input: Pipeline, columns: readonly Computed[]): Pipeline {
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
    const id = cut.freshColumn();
    computed.push({ id, value: overSource(e, find) });
    return { from: id, relational: true };
  };
  const placeBatch = (e: BatchExpression): Place | undefined => {
    const errorAs = e.onError.kind === "null" ? cut.freshColumn() : undefined;
    const args = e.args.map((arg) => (errorAs && placeContent(arg, errorAs)) || place(arg));
    if (args.includes(undefined)) return undefined;
    const as = cut.freshColumn();
    if (e.onError.kind === "null" && errorAs) reasons.set(e.onError.errorColumn, { from: errorAs, relational: false });
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
    const as = cut.freshColumn();
    steps.push({ ...read, as, errorAs });
    return { from: as, relational: false };
  };

  for (const { id, value } of columns) {
    const placed = place(value);
    // Something relational over what a step makes: run the steps first, then the rest over their result.
    if (placed === undefined) return projectOverStage(cut, input, columns);
    output.push({ ...placed, as: id });
  }
  const source: Relation =
    computed.length === 0 ? input.source : { op: "extend", input: input.source, columns: computed };
  return { source, steps, columns: output, preservesRows: input.preservesRows };
}

function projectOverStage(cut: Cutting, input: Pipeline, columns: readonly Computed[]): Pipeline {
  const batches: Computed[] = [];
  const reasons: Computed[] = [];
  const rewritten = columns.map(({ id, value }) => ({
    id,
    value: replaceBatches(value, (batch) => {
      const made = cut.freshColumn();
      batches.push({ id: made, value: batch });
      reasons.push(...errorColumns(batch).map((error) => ({ id: error, value: reference(error) })));
      return reference(made);
    }),
  }));
  const kept = idsOf(input).map((id) => ({ id, value: reference(id) }));
  // What a nested batch function reads of another one is a column of its own by then.
  const withBatches = batches.length > 0 ? project(cut, input, [...kept, ...batches, ...reasons]) : input;
  return project(cut, stageAs(cut, cut.freshStage(), withBatches), rewritten);
}

/** The columns that take the reasons of failed rows, in an expression. */
function errorColumns(expression: Expression): string[] {
  const inner = childrenOf(expression).flatMap(errorColumns);
  if (expression.kind !== "batch" || expression.onError.kind !== "null") return inner;
  return [...inner, expression.onError.errorColumn];
}

function overSource(e: Expression, find: (id: string) => Place): Expression {
  if (e.kind === "column") return reference(find(e.name).from);
  return mapChildren(e, (child) => overSource(child, find));
}
