import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { StructType } from "../../data/types";
import { PomonaError } from "../../errors";
import { unaliased } from "../../frame/column";
import { type Computed, columnsOf, generatedBy, type LeafPlan, type Relation, type SqlPlan } from "../relation";
import { called, column, literal, named, protoExpression, sortOrder, star } from "./expressions";
import {
  Expression_SortOrder_NullOrdering,
  Expression_SortOrder_SortDirection,
  ExpressionSchema,
  type Expression as ProtoExpression,
} from "./protos/spark/connect/expressions_pb";
import {
  Aggregate_GroupType,
  Join_JoinType,
  type Relation as Proto,
  RelationSchema,
  SetOperation_SetOpType,
} from "./protos/spark/connect/relations_pb";

/** What a query reads, by name. */
export type Views = Readonly<Record<string, Proto>>;

/** What relations are made of that is not in them. */
export interface Leaves {
  /** A source, with the columns that Spark gives it. */
  leaf(leaf: LeafPlan): { readonly relation: Proto; readonly schema: StructType };
  /** A query in Spark's SQL over views. */
  query(source: SqlPlan, views: Views): Proto;
  /** What a stage made: the rows of functions on workers, or of a frame that is cached. Its columns are the stage's. */
  stage(id: string): Proto;
}

/** A relation as Spark's, whose columns are called by their ids. @throws AnalysisError */
export function sparkRelation(relation: Relation, leaves: Leaves): Proto {
  const visit = (input: Relation) => sparkRelation(input, leaves);
  switch (relation.op) {
    case "leaf": {
      const { relation: source, schema } = leaves.leaf(relation.leaf);
      return renamed(
        source,
        schema.fields.map(({ name }) => name),
        relation.columns,
      );
    }
    case "range": {
      const [start, end, step] = [relation.start, relation.end, relation.step].map(BigInt) as [bigint, bigint, bigint];
      return renamed(of({ case: "range", value: { start, end, step } }), ["id"], [relation.column]);
    }
    case "sql": {
      const views = Object.entries(relation.views).map(([name, view]) => [name, visit(view)] as const);
      const query = leaves.query(relation.source, Object.fromEntries(views));
      return of({ case: "toDf", value: { input: query, columnNames: [...relation.columns] } });
    }
    case "stage":
      return leaves.stage(relation.id);
    case "project":
      return projected(visit(relation.input), computed(relation.columns));
    case "extend":
      return projected(visit(relation.input), [star(), ...computed(relation.columns)]);
    case "filter":
      return of({
        case: "filter",
        value: { input: visit(relation.input), condition: protoExpression(relation.condition) },
      });
    case "sample": {
      const [lowerBound, upperBound] = relation.bounds;
      const seed = BigInt(relation.seed);
      // Parts of one whole must not share rows: Spark sorts each partition for it. Of one sample nobody can tell.
      const deterministicOrder = relation.isSplit === true;
      const input = visit(relation.input);
      return of({
        case: "sample",
        value: { input, lowerBound, upperBound, withReplacement: false, seed, deterministicOrder },
      });
    }
    case "balancedSample":
      return balancedSample(visit(relation.input), relation);
    case "generate":
      return generate(visit(relation.input), relation);
    case "limit":
      return of({ case: "limit", value: { input: visit(relation.input), limit: relation.n } });
    case "offset":
      return of({ case: "offset", value: { input: visit(relation.input), offset: relation.n } });
    case "sort":
      return of({
        case: "sort",
        value: { input: visit(relation.input), order: relation.orders.map(sortOrder), isGlobal: true },
      });
    case "aggregate": {
      const input = visit(relation.input);
      const aggregated = of({
        case: "aggregate",
        value: {
          input,
          groupType: Aggregate_GroupType.GROUPBY,
          groupingExpressions: computed(relation.grouping),
          aggregateExpressions: computed(relation.aggregates),
        },
      });
      return aggregated;
    }
    case "distinct": {
      const input = visit(relation.input);
      const keys = relation.on ?? columnsOf(relation.input);
      // Without columns, every row is a duplicate of the first.
      if (keys.length === 0) return of({ case: "limit", value: { input, limit: 1 } });
      return of({ case: "deduplicate", value: { input, columnNames: [...keys], allColumnsAsKeys: false } });
    }
    case "join": {
      const { how, condition } = relation;
      const [left, right] = [visit(relation.left), visit(relation.right)];
      const joinType = JOINS[how];
      const on = condition ? { joinCondition: protoExpression(condition) } : {};
      return of({ case: "join", value: { left, right, joinType, ...on } });
    }
    case "set": {
      const [leftInput, rightInput] = [visit(relation.left), visit(relation.right)];
      const setOpType = SETS[relation.kind];
      return of({ case: "setOp", value: { leftInput, rightInput, setOpType, isAll: relation.all, byName: false } });
    }
    case "repartition": {
      const { partitions: numPartitions, shuffle } = relation;
      return of({ case: "repartition", value: { input: visit(relation.input), numPartitions, shuffle } });
    }
    case "mapBatches":
      throw new PomonaError("A function on workers reached the messages for Spark.", {
        remedy: "This is a mistake in Pomona; please report it with the plan.",
      });
  }
}

const JOINS = {
  inner: Join_JoinType.INNER,
  left: Join_JoinType.LEFT_OUTER,
  right: Join_JoinType.RIGHT_OUTER,
  full: Join_JoinType.FULL_OUTER,
  semi: Join_JoinType.LEFT_SEMI,
  anti: Join_JoinType.LEFT_ANTI,
  cross: Join_JoinType.CROSS,
} as const;

const SETS = {
  union: SetOperation_SetOpType.UNION,
  intersect: SetOperation_SetOpType.INTERSECT,
  except: SetOperation_SetOpType.EXCEPT,
} as const;

/** A message of one kind of relation. */
export function of(relType: NonNullable<MessageInitShape<typeof RelationSchema>["relType"]>): Proto {
  return create(RelationSchema, { common: {}, relType });
}

/** Just these columns. */
export function projected(input: Proto, expressions: readonly ProtoExpression[]): Proto {
  return of({ case: "project", value: { input, expressions: [...expressions] } });
}

/** Columns under other names, by position. */
export function renamed(input: Proto, from: readonly string[], to: readonly string[]): Proto {
  if (from.every((name, i) => name === to[i])) return input;
  return of({ case: "toDf", value: { input, columnNames: [...to] } });
}

function computed(columns: readonly Computed[]): ProtoExpression[] {
  return columns.map(({ id, value }) => named(protoExpression(unaliased(value)), id));
}

function generate(input: Proto, relation: Extract<Relation, { op: "generate" }>): Proto {
  const { value, outer, position } = relation;
  const fn = `${position === undefined ? "" : "pos"}explode${outer ? "_outer" : ""}`;
  return projected(input, [star(), named(called(fn, [protoExpression(value)]), ...generatedBy(relation))]);
}

/**
 * `total` rows, as evenly over the values of `by` as they allow: all rows in rounds, one of each group per round in an order drawn with
 * the seed, and the first `total` of those.
 */
function balancedSample(input: Proto, relation: Extract<Relation, { op: "balancedSample" }>): Proto {
  const { by, total, seed, place } = relation;
  const ids = columnsOf(relation.input);
  const [round, rank] = ["#round", "#rank"];
  const luck = (...of: readonly ProtoExpression[]) => called("xxhash64", [literal(seed), ...of]);
  // What a row is tells its luck, so that the same rows give the same sample; a file's content is not read for it.
  const told = place === undefined ? ids.filter((id) => id !== by) : [place];
  const keys = told.length > 0 ? told.map(column) : [column(by)];
  const rounds = projected(input, [star(), named(rowNumber([column(by)], [luck(...keys), ...keys]), round)]);
  const ranks = projected(rounds, [star(), named(rowNumber([], [column(round), luck(column(by)), column(by)]), rank)]);
  const condition = called("<=", [column(rank), literal(total)]);
  const chosen = of({ case: "filter", value: { input: ranks, condition } });
  const sorted = of({
    case: "sort",
    value: {
      input: chosen,
      isGlobal: true,
      order: [by, ...told].map((id) =>
        sortOrder({ child: { kind: "column", name: id }, direction: "asc", nulls: "first" }),
      ),
    },
  });
  return projected(sorted, ids.map(column));
}

function rowNumber(partitionSpec: readonly ProtoExpression[], keys: readonly ProtoExpression[]): ProtoExpression {
  const orderSpec = keys.map((child) => ({
    child,
    direction: Expression_SortOrder_SortDirection.ASCENDING,
    nullOrdering: Expression_SortOrder_NullOrdering.SORT_NULLS_FIRST,
  }));
  const value = { windowFunction: called("row_number", []), partitionSpec: [...partitionSpec], orderSpec };
  return create(ExpressionSchema, { exprType: { case: "window", value } });
}
