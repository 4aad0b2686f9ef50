import type { FunctionSpec } from "../data/batch-function";
import type { StructType } from "../data/types";
import type { Expression, JoinType, Plan } from "../frame/plan";

/**
 * A plan after analysis: every column has an id, which no other column of the query has, and expressions say ids where plans
 * say names. Names, aliases, stars and what else a reader of the plan has to look up are gone.
 */
export type Relation =
  | {
      readonly op: "leaf";
      readonly leaf: LeafPlan;
      /** The ids of its columns, by position. */
      readonly columns: readonly string[];
      /** The id of a file's content, which is not relational: a worker reads it. */
      readonly content?: string;
    }
  | {
      readonly op: "range";
      readonly start: string;
      readonly end: string;
      readonly step: string;
      readonly column: string;
    }
  /** A query in the engine's own SQL over views, whose columns have their names. */
  | {
      readonly op: "sql";
      readonly query: string;
      /** Which of a program's queries it is: a command in it is done once. */
      readonly source: SqlPlan;
      readonly views: Readonly<Record<string, Relation>>;
      readonly schema: StructType;
      readonly columns: readonly string[];
      /** All columns of the views that have lost those which the query does not read: nulls stand for these. */
      readonly narrowed?: Readonly<Record<string, StructType>>;
      /** The columns that nothing reads of the result. */
      readonly unread?: readonly string[];
    }
  /** What a stage left behind, or what its rows are computed from where it has not run. */
  | { readonly op: "stage"; readonly id: string; readonly columns: readonly string[]; readonly input?: Relation }
  /** Just these columns. */
  | { readonly op: "project"; readonly input: Relation; readonly columns: readonly Computed[] }
  /** These columns beside those of the input. */
  | { readonly op: "extend"; readonly input: Relation; readonly columns: readonly Computed[] }
  | { readonly op: "filter"; readonly input: Relation; readonly condition: Expression }
  | {
      readonly op: "sample";
      readonly input: Relation;
      /** Rows whose luck is at least the first and below the second. */
      readonly bounds: readonly [number, number];
      /** One of the parts that a whole is split into. */
      readonly isSplit?: true;
      readonly seed: number;
      /** The column that gives rows their place first. */
      readonly place?: string;
    }
  | {
      readonly op: "balancedSample";
      readonly input: Relation;
      readonly by: string;
      readonly total: number;
      readonly seed: number;
      readonly place?: string;
    }
  /** A row for each element of an array, or entry of a map (key and value), beside the input's columns. */
  | {
      readonly op: "generate";
      readonly input: Relation;
      readonly value: Expression;
      /** Whether rows without an element stay, with nulls. */
      readonly outer: boolean;
      /** The column of places from 0. */
      readonly position?: string;
      readonly columns: readonly string[];
    }
  | { readonly op: "limit"; readonly input: Relation; readonly n: number }
  | { readonly op: "offset"; readonly input: Relation; readonly n: number }
  | { readonly op: "sort"; readonly input: Relation; readonly orders: readonly SortKey[] }
  | {
      readonly op: "aggregate";
      readonly input: Relation;
      readonly grouping: readonly Computed[];
      readonly aggregates: readonly Computed[];
    }
  /** Each different row once, or one row for each combination of values in `on`. */
  | { readonly op: "distinct"; readonly input: Relation; readonly on?: readonly string[] }
  | {
      readonly op: "join";
      readonly left: Relation;
      readonly right: Relation;
      readonly how: JoinType;
      readonly condition?: Expression;
    }
  /** Rows of both sides, columns by position under the left side's ids. */
  | {
      readonly op: "set";
      readonly kind: "union" | "intersect" | "except";
      readonly all: boolean;
      readonly left: Relation;
      readonly right: Relation;
    }
  | { readonly op: "repartition"; readonly input: Relation; readonly partitions: number; readonly shuffle: boolean }
  | {
      readonly op: "mapBatches";
      readonly input: Relation;
      /** The columns that the function gets, under their names. */
      readonly takes: readonly OutputName[];
      readonly fn: FunctionSpec;
      readonly schema: StructType;
      readonly columns: readonly string[];
    };

export type SqlPlan = Extract<Plan, { op: "sql" }>;

export type LeafPlan = Extract<Plan, { op: "read" | "local" }>;

/** A column and what it is computed from. */
export interface Computed {
  readonly id: string;
  readonly value: Expression;
}

/** A column and the name it goes by outside. */
export interface OutputName {
  readonly id: string;
  readonly name: string;
}

export interface SortKey {
  readonly child: Expression;
  readonly direction: "asc" | "desc";
  readonly nulls: "first" | "last";
}

/** The ids of a relation's columns, in order. */
export function columnsOf(relation: Relation): readonly string[] {
  switch (relation.op) {
    case "leaf":
      return relation.content === undefined ? relation.columns : [...relation.columns, relation.content];
    case "range":
      return [relation.column];
    case "sql":
    case "stage":
    case "mapBatches":
      return relation.columns;
    case "project":
      return relation.columns.map((c) => c.id);
    case "extend":
      return [...columnsOf(relation.input), ...relation.columns.map((c) => c.id)];
    case "generate":
      return [...columnsOf(relation.input), ...generatedBy(relation)];
    case "aggregate":
      return [...relation.grouping, ...relation.aggregates].map((c) => c.id);
    case "join":
      return relation.how === "semi" || relation.how === "anti"
        ? columnsOf(relation.left)
        : [...columnsOf(relation.left), ...columnsOf(relation.right)];
    case "set":
      return columnsOf(relation.left);
    default:
      return columnsOf(relation.input);
  }
}

/** The ids of the columns that a `generate` adds. */
export function generatedBy({ position, columns }: Extract<Relation, { op: "generate" }>): readonly string[] {
  return position === undefined ? columns : [position, ...columns];
}

/** The inputs of a relation, left before right. */
export function relationInputs(relation: Relation): readonly Relation[] {
  switch (relation.op) {
    case "leaf":
    case "range":
      return [];
    case "sql":
      return Object.values(relation.views);
    case "stage":
      return relation.input ? [relation.input] : [];
    case "join":
    case "set":
      return [relation.left, relation.right];
    default:
      return [relation.input];
  }
}

/** A column as an expression. */
export function reference(id: string): Expression {
  return { kind: "column", name: id };
}
