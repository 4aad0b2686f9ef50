import type { FunctionSpec, Json } from "../data/batch-function";
import { javaDouble } from "../data/java-number";
import type { DataType, StructType } from "../data/types";
import { functionNamed } from "./function-entry";
import type { LiteralValue } from "./literal";

/** An expression over the columns of one input. Plain data: it survives JSON. */
export type Expression =
  /**
   * A column by name: `a`, a field `a.b`, or `frame.a` of an aliased frame. With `planId`, the column that the plan of that
   * id has under this name, and no other.
   */
  | { readonly kind: "column"; readonly name: string; readonly planId?: number }
  /** All columns: of the input, of the struct or aliased frame `of`, or of the plan of that id. */
  | { readonly kind: "star"; readonly of?: string; readonly planId?: number }
  /** `type` is absent where the value says it all: boolean, integer or double, string, null. Dates are ISO strings. */
  | { readonly kind: "literal"; readonly value: LiteralValue; readonly type?: DataType }
  /** `fn` is a name in the table of functions; operators are functions too. */
  | { readonly kind: "call"; readonly fn: string; readonly args: readonly Expression[] }
  | { readonly kind: "cast"; readonly child: Expression; readonly to: DataType }
  | {
      readonly kind: "case";
      readonly branches: readonly { readonly when: Expression; readonly then: Expression }[];
      readonly otherwise?: Expression;
    }
  /** `more` are the names of what gives several columns. */
  | { readonly kind: "alias"; readonly child: Expression; readonly name: string; readonly more?: readonly string[] }
  | BatchExpression
  | ResolvedExpression;

/** What analysis puts in the place of names; no DataFrame makes these. */
export type ResolvedExpression =
  /** A field of a struct, or of each struct in an array. */
  | { readonly kind: "field"; readonly child: Expression; readonly field: string; readonly each: boolean }
  /** SQL text with its columns in between. */
  | { readonly kind: "text"; readonly parts: readonly (string | Expression)[] };

/** A fan-out column: a batch function of other columns, computed on workers. */
export interface BatchExpression {
  readonly kind: "batch";
  readonly fn: FunctionSpec;
  readonly args: readonly Expression[];
  /** A column that is one more argument where the input has it. */
  readonly argIfThere?: string;
  readonly returns: DataType;
  /** What a row that fails does: fail the job, or become null with the reason in the column named here. */
  readonly onError: { readonly kind: "fail" } | { readonly kind: "null"; readonly errorColumn: string };
  /** Resolved: the column that names a row in errors, where there is one. */
  readonly rowName?: string;
}

export interface SortOrder {
  readonly child: Expression;
  readonly direction: "asc" | "desc";
  readonly nulls: "first" | "last";
}

export type JoinType = "inner" | "left" | "right" | "full" | "semi" | "anti" | "cross";

/** Whose SQL a text is. */
export type SqlDialect = "duckdb" | "spark";

export type ReadFormat = "binaryFile" | "parquet" | "csv" | "json" | "text";

/**
 * A lazy query: what to compute, never how or where. Plain data: it survives JSON. `planId` tells a DataFrame's own columns from
 * others of their names; what a plan computes does not depend on it.
 */
export type Plan = PlanNode & { readonly planId?: number };

type PlanNode =
  | {
      readonly op: "read";
      readonly format: ReadFormat;
      readonly paths: readonly string[];
      readonly options: Readonly<Record<string, string>>;
      readonly schema?: StructType;
      /** True for files that this program wrote and nobody else: what the schema says of nulls holds. */
      readonly isOwn?: true;
    }
  | { readonly op: "local"; readonly schema: StructType; readonly rows: readonly (readonly Json[])[] }
  /** Whole numbers from `start` to before `end` in a column `id`; longs, as text. */
  | { readonly op: "range"; readonly start: string; readonly end: string; readonly step: string }
  /** A query in an engine's own SQL; an engine that does not speak the dialect refuses it. */
  | {
      readonly op: "sql";
      readonly dialect: SqlDialect;
      readonly query: string;
      readonly views: Readonly<Record<string, Plan>>;
    }
  | { readonly op: "project"; readonly input: Plan; readonly columns: readonly Expression[] }
  | {
      readonly op: "withColumns";
      readonly input: Plan;
      readonly columns: readonly { readonly name: string; readonly value: Expression }[];
    }
  | { readonly op: "rename"; readonly input: Plan; readonly names: Readonly<Record<string, string>> }
  /** Without the columns of these names, and without these columns. */
  | {
      readonly op: "drop";
      readonly input: Plan;
      readonly names: readonly string[];
      readonly columns?: readonly Expression[];
    }
  /** Other names for all columns, in order. */
  | { readonly op: "toNames"; readonly input: Plan; readonly names: readonly string[] }
  /** A name for the frame: its columns are also `name.column`. */
  | { readonly op: "alias"; readonly input: Plan; readonly name: string }
  | { readonly op: "filter"; readonly input: Plan; readonly condition: Expression }
  /** A filter in SQL text, as `df.filter("label = 'Apple'")`. */
  | { readonly op: "filterSql"; readonly input: Plan; readonly dialect: SqlDialect; readonly condition: string }
  /** The rows whose luck, drawn from 0 to 1, is in these bounds. */
  | {
      readonly op: "sample";
      readonly input: Plan;
      readonly lower?: number;
      readonly fraction: number;
      readonly seed: number;
    }
  | { readonly op: "limit"; readonly input: Plan; readonly n: number }
  | { readonly op: "offset"; readonly input: Plan; readonly n: number }
  | { readonly op: "sort"; readonly input: Plan; readonly orders: readonly SortOrder[] }
  | {
      readonly op: "aggregate";
      readonly input: Plan;
      readonly grouping: readonly Expression[];
      readonly aggregates: readonly Expression[];
    }
  | { readonly op: "distinct"; readonly input: Plan; readonly columns?: readonly string[] }
  | {
      readonly op: "join";
      readonly left: Plan;
      readonly right: Plan;
      /** Columns that both sides have. */
      readonly on: readonly string[];
      readonly condition?: Expression;
      readonly how: JoinType;
    }
  | {
      readonly op: "union";
      readonly left: Plan;
      readonly right: Plan;
      readonly byName: boolean;
      readonly allowMissing?: boolean;
    }
  | {
      readonly op: "intersect" | "except";
      readonly left: Plan;
      readonly right: Plan;
      /** True where a row counts as often as it comes. */
      readonly all: boolean;
    }
  /** Rows with at least `least` values that are neither null nor NaN in these columns; absent: in all of them. */
  | {
      readonly op: "dropMissing";
      readonly input: Plan;
      readonly columns?: readonly string[];
      readonly least: number | "all";
    }
  /** A value in place of null and NaN: in one column or all, those of its kind alone unless `anyKind`. */
  | {
      readonly op: "fillMissing";
      readonly input: Plan;
      readonly fills: readonly {
        readonly column?: string;
        readonly value: number | string | boolean;
        readonly anyKind?: boolean;
      }[];
    }
  | {
      readonly op: "replaceValues";
      readonly input: Plan;
      readonly columns?: readonly string[];
      readonly pairs: readonly (readonly [from: ReplaceValue, to: ReplaceValue])[];
    }
  /** Statistics of columns as text, a row each. */
  | {
      readonly op: "summary";
      readonly input: Plan;
      readonly columns?: readonly string[];
      readonly statistics: readonly string[];
    }
  | { readonly op: "repartition"; readonly input: Plan; readonly partitions: number; readonly shuffle: boolean }
  /**
   * The first `n` rows of each group in a seeded random order, where the `n`s of all groups add up to `total` as
   * evenly as the group sizes allow.
   */
  | {
      readonly op: "balancedSample";
      readonly input: Plan;
      readonly by: string;
      readonly total: number;
      readonly seed: number;
    }
  | {
      readonly op: "mapBatches";
      readonly input: Plan;
      readonly fn: FunctionSpec;
      readonly schema: StructType;
    }
  /** Whatever the session cached under `id`; computed from `input` where it is not there yet. */
  | { readonly op: "cached"; readonly id: string; readonly input: Plan };

/** What `replace` replaces, and by what. */
export type ReplaceValue = number | string | boolean | null;

/** The inputs of a plan, left before right. */
export function inputsOf(plan: Plan): readonly Plan[] {
  switch (plan.op) {
    case "read":
    case "local":
    case "range":
      return [];
    case "sql":
      return Object.values(plan.views);
    case "join":
    case "union":
    case "intersect":
    case "except":
      return [plan.left, plan.right];
    default:
      return [plan.input];
  }
}

/** The name a column gets in the output, as Spark gives it: its own, its alias, or its SQL text. */
export function outputName(expression: Expression): string {
  switch (expression.kind) {
    case "column":
    case "alias":
      return expression.name;
    case "cast":
      // Spark names a cast of a plain column as the column.
      return expression.child.kind === "column" ? expression.child.name : expressionText(expression);
    default:
      return expressionText(expression);
  }
}

/** An expression as Spark writes it in column names and plans: `(length > 3)`, `element_at(split(path, /, -1), -2)`. */
export function expressionText(expression: Expression): string {
  switch (expression.kind) {
    case "column":
      return expression.name;
    case "star":
      return expression.of === undefined ? "*" : `${expression.of}.*`;
    case "field":
      return `${expressionText(expression.child)}.${expression.field}`;
    case "text":
      return expression.parts.map((part) => (typeof part === "string" ? part : expressionText(part))).join("");
    case "literal":
      return literalText(expression.value, expression.type);
    case "alias":
      return `${expressionText(expression.child)} AS ${expression.name}`;
    case "cast": {
      const { child, to } = expression;
      // Spark writes no cast to a type that has parts.
      return typeof to === "string" ? `CAST(${expressionText(child)} AS ${castName(to)})` : expressionText(child);
    }
    case "case": {
      const branches = expression.branches.map((b) => `WHEN ${expressionText(b.when)} THEN ${expressionText(b.then)}`);
      const otherwise = expression.otherwise ? ` ELSE ${expressionText(expression.otherwise)}` : "";
      return `CASE ${branches.join(" ")}${otherwise} END`;
    }
    case "batch":
      return `${expression.fn.name}(${expression.args.map(expressionText).join(", ")})`;
    case "call":
      return functionNamed(expression.fn).text(...expression.args.map(expressionText));
  }
}

function literalText(value: LiteralValue, type?: DataType): string {
  if (value === null) return "NULL";
  if (type === "timestamp")
    return `TIMESTAMP '${String(value)
      .replace("T", " ")
      .replace(/\.?0*Z$/, "")}'`;
  return typeof value === "number" && (!Number.isInteger(value) || type === "double")
    ? javaDouble(value)
    : String(value);
}

function castName(type: Extract<DataType, string>): string {
  return type === "integer" ? "INT" : type === "long" ? "BIGINT" : type.toUpperCase();
}
