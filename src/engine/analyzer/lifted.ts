import { childrenOf, hasBatch, mapChildren } from "../../frame/expressions";
import type { Expression } from "../../frame/plan";
import { aggregateParts, isAggregate, overParts } from "../duckdb/sql-aggregates";
import { type Computed, type Relation, reference } from "../relation";
import type { Identities } from "./attribute";

/** Functions on workers out of expressions that the relational engine computes: each becomes a column of its input first, as in Spark. */
export interface Lifting {
  /** The expression over those columns. */
  lift(value: Expression): Expression;
  /** The input with the columns that were lifted until now. */
  under(relation: Relation): Relation;
}

/** Begins with nothing lifted. */
export function lifting(ids: Identities): Lifting {
  const made = new Map<string, Computed>();
  const lift = (value: Expression): Expression => {
    if (value.kind !== "batch") return mapChildren(value, lift);
    const key = JSON.stringify(value);
    const column = made.get(key) ?? { id: ids.id(value.fn.name), value };
    made.set(key, column);
    return reference(column.id);
  };
  return {
    lift,
    under: (relation) => (made.size === 0 ? relation : { op: "extend", input: relation, columns: [...made.values()] }),
  };
}

type Aggregate = Extract<Relation, { op: "aggregate" }>;

/** A grouping whose keys and aggregates may have functions on workers in them, and be their arguments. */
export function liftedAggregate(aggregate: Aggregate, ids: Identities): Relation {
  const { grouping, aggregates } = aggregate;
  if (![...grouping, ...aggregates].some(({ value }) => hasBatch(value))) return aggregate;
  const below = lifting(ids);
  const keys = grouping.map(({ id, value }) => ({ id, value: below.lift(value) }));
  const keyed = new Set(grouping.flatMap(({ value }) => batchesIn(value)));
  // What is inside an aggregate, or part of a key, is computed for each row; the rest for each group.
  const perRow = (value: Expression): Expression => {
    if (isAggregate(value) || keyed.has(JSON.stringify(value))) return below.lift(value);
    return mapChildren(value, perRow);
  };
  const results = aggregates.map(({ id, value }) => ({ id, value: perRow(value) }));
  const input = below.under(aggregate.input);
  if (!results.some(({ value }) => hasBatch(value))) {
    return { op: "aggregate", input, grouping: keys, aggregates: results };
  }
  const keyValues = keys.map((key) => key.value);
  const parts = aggregateParts(
    keyValues,
    results.map((result) => result.value),
  );
  const columns = parts.map((value, i) => keys[i] ?? { id: ids.id("part"), value });
  const named = (value: Expression): Expression => {
    const part = value.kind === "column" ? /^part_(\d+)$/.exec(value.name)?.[1] : undefined;
    if (part !== undefined) return reference(columns[Number(part)]?.id ?? "");
    return withoutRowName(mapChildren(value, named));
  };
  const grouped: Relation = {
    op: "aggregate",
    input,
    grouping: columns.slice(0, keys.length),
    aggregates: columns.slice(keys.length),
  };
  const shown = [
    ...keys.map(({ id }) => ({ id, value: reference(id) })),
    ...results.map(({ id, value }) => ({ id, value: named(overParts(value, keyValues, parts)) })),
  ];
  return { op: "project", input: grouped, columns: shown };
}

function batchesIn(value: Expression): string[] {
  return value.kind === "batch" ? [JSON.stringify(value)] : childrenOf(value).flatMap(batchesIn);
}

/** A group is no row of the input. */
function withoutRowName(value: Expression): Expression {
  if (value.kind !== "batch") return value;
  const { rowName: _, ...batch } = value;
  return batch;
}
