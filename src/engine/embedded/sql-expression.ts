import type { DataType } from "../../data/types";
import { PomonaError } from "../../errors";
import { AnalysisError } from "../../frame/analysis-error";
import { type Expression, expressionText, type LiteralValue } from "../../frame/plan";
import { duckdbType } from "./duckdb-types";
import { quotedIdentifier, quotedText } from "./sql-text";

/** What a name in an expression becomes: SQL for the column. @throws UnresolvedColumnError, AmbiguousColumnError */
export type ResolveName = (name: string) => string;

/** The column that gives each row its place, for `rand`; see `withRowNumber`. */
export const ROW_NUMBER = "#row";

/** An expression as DuckDB SQL with Spark's meaning. @throws AnalysisError */
export function expressionSql(expression: Expression, resolve: ResolveName): string {
  switch (expression.kind) {
    case "column":
      return resolve(expression.name);
    case "literal":
      return literalSql(expression.value, expression.type);
    case "alias":
      return expressionSql(expression.child, resolve);
    case "cast":
      return castSql(expressionSql(expression.child, resolve), expression.to);
    case "case": {
      const branches = expression.branches.map(
        (b) => `WHEN ${expressionSql(b.when, resolve)} THEN ${expressionSql(b.then, resolve)}`,
      );
      const otherwise = expression.otherwise ? ` ELSE ${expressionSql(expression.otherwise, resolve)}` : "";
      return `CASE ${branches.join(" ")}${otherwise} END`;
    }
    case "call":
      return callSql(expression, (e) => expressionSql(e, resolve));
    case "batch":
      throw new PomonaError(`The batch function ${expression.fn.name} reached the relational compiler.`, {
        remedy: "This is a mistake in Pomona; please report it with the plan.",
      });
  }
}

/** A number in [0, 1) that a seed and a row's place decide, whatever the thread; MD5, so that it is the same everywhere. */
export function uniformSql(seed: number | string, place: string): string {
  return `(CAST(md5_number_upper('${seed}:' || ${place}) >> 11 AS DOUBLE) / 9007199254740992)`;
}

/** A literal, typed as Spark types it: DuckDB's own 1.5 is a decimal and its 1 fits any integer type. */
export function literalSql(value: LiteralValue, type?: DataType): string {
  if (type !== undefined) {
    const text = value === null ? "NULL" : quotedText(String(value));
    return `CAST(${text} AS ${duckdbType(type)})`;
  }
  switch (typeof value) {
    case "boolean":
      return value ? "TRUE" : "FALSE";
    case "string":
      return `CAST(${quotedText(value)} AS VARCHAR)`;
    case "number":
      if (!Number.isInteger(value) || !Number.isSafeInteger(value)) return `CAST('${value}' AS DOUBLE)`;
      return `CAST(${value} AS ${value >= -2147483648 && value <= 2147483647 ? "INTEGER" : "BIGINT"})`;
    case "object":
      return "NULL";
  }
}

const WHOLE_TYPES: ReadonlySet<DataType> = new Set<DataType>(["byte", "short", "integer", "long"]);

function castSql(child: string, to: DataType): string {
  if (to === "string") return `spark_text(${child})`;
  if (to === "binary") return `spark_bytes(${child})`;
  return `CAST(${WHOLE_TYPES.has(to) ? `spark_whole(${child})` : child} AS ${duckdbType(to)})`;
}

type Call = Extract<Expression, { kind: "call" }>;

function callSql(call: Call, compile: (e: Expression) => string): string {
  const args = call.args.map(compile);
  const [a = "", b = "", c = ""] = args;
  const list = args.join(", ");
  switch (call.fn) {
    case "=":
    case "<":
    case "<=":
    case ">":
    case ">=":
    case "+":
    case "-":
    case "*":
      return `(${a} ${call.fn} ${b})`;
    case "!=":
      return `(${a} <> ${b})`;
    case "<=>":
      return `(${a} IS NOT DISTINCT FROM ${b})`;
    case "/":
      return `spark_divide(${a}, ${b})`;
    case "%":
      return `spark_mod(${a}, ${b})`;
    case "negative":
      return `(- ${a})`;
    case "and":
    case "or":
      return `(${a} ${call.fn.toUpperCase()} ${b})`;
    case "not":
      return `(NOT ${a})`;
    case "isnull":
      return `(${a} IS NULL)`;
    case "isnotnull":
      return `(${a} IS NOT NULL)`;
    case "isnan":
      return `spark_isnan(${a})`;
    case "in":
      return args.length > 1 ? `(${a} IN (${args.slice(1).join(", ")}))` : "FALSE";
    case "like":
      return `(${a} LIKE ${b} ESCAPE '\\')`;
    case "rlike":
      return `regexp_matches(${a}, ${b})`;
    case "startswith":
      return `starts_with(${a}, ${b})`;
    case "endswith":
      return `ends_with(${a}, ${b})`;
    case "contains":
      return `contains(${a}, ${b})`;
    case "coalesce":
    case "least":
    case "greatest":
    case "lower":
    case "upper":
    case "trim":
    case "abs":
    case "exp":
    case "pow":
    case "regexp_extract":
      return `${call.fn}(${list})`;
    case "split":
      return splitSql(call, a, b, c);
    case "element_at":
    case "getitem":
      return elementSql(call, a, b);
    case "size":
    case "length":
    case "substring":
    case "array_contains":
    case "round":
    case "floor":
    case "ceil":
    case "sqrt":
    case "ln":
    case "sum":
      return `spark_${call.fn}(${list})`;
    case "array":
      return `[${list}]`;
    case "regexp_replace":
      return `regexp_replace(${a}, ${b}, ${quotedText(replacement(call))}, 'g')`;
    case "concat":
      return `CASE WHEN ${args.map((arg) => `${arg} IS NULL`).join(" OR ")} THEN NULL ELSE concat(${list}) END`;
    case "concat_ws":
      return `concat_ws(${[a, ...args.slice(1).map((arg) => `spark_joined(${arg}, ${a})`)].join(", ")})`;
    case "rand":
      return uniformSql(Number(literalValue(call, 0)), quotedIdentifier(ROW_NUMBER));
    case "md5":
      return `md5(${a})`;
    case "sha2":
      return sha2Sql(call, a);
    case "count":
      return countSql(call, args);
    case "count_distinct":
      return args.length === 1
        ? `count(DISTINCT ${a})`
        : `count(DISTINCT CASE WHEN ${allPresent(args)} THEN (${list}) END)`;
    case "avg":
    case "min":
    case "max":
    case "stddev_samp":
    case "var_samp":
    case "first":
      return `${call.fn}(${a})`;
    case "collect_list":
      return `coalesce(list(${a}) FILTER (${a} IS NOT NULL), [])`;
    case "collect_set":
      return `coalesce(list_sort(list(DISTINCT ${a}) FILTER (${a} IS NOT NULL)), [])`;
  }
}

function splitSql(call: Call, text: string, pattern: string, limit: string): string {
  const n = call.args.length > 2 ? Number(literalValue(call, 2)) : -1;
  return n > 0 ? `spark_split_limit(${text}, ${pattern}, ${limit})` : `string_split_regex(${text}, ${pattern})`;
}

/** A text key is a struct's field or a map's value; it goes in as a plain constant, which is what a struct takes. */
function elementSql(call: Call, container: string, key: string): string {
  const literal = call.args[1];
  if (literal?.kind === "literal" && typeof literal.value === "string" && literal.type === undefined) {
    return `${container}[${quotedText(literal.value)}]`;
  }
  return `spark_${call.fn}(${container}, ${key})`;
}

function sha2Sql(call: Call, text: string): string {
  const bits = Number(literalValue(call, 1));
  if (bits === 0 || bits === 256) return `spark_sha256(${text})`;
  throw new AnalysisError(`The embedded engine has no SHA-2 of ${bits} bits, in ${expressionText(call)}.`, {
    remedy: "Use 256 bits, or md5.",
  });
}

/** `count(1)` counts rows, which DuckDB does faster as `count(*)`. */
function countSql(call: Call, args: readonly string[]): string {
  const [first] = call.args;
  if (first?.kind === "literal" && first.value !== null) return "count(*)";
  return args.length === 1 ? `count(${args[0]})` : `count(CASE WHEN ${allPresent(args)} THEN 1 END)`;
}

function allPresent(args: readonly string[]): string {
  return args.map((arg) => `${arg} IS NOT NULL`).join(" AND ");
}

/** Java's replacement text in RE2's form: `$1` is `\1`, and a backslash makes the next character plain. */
function replacement(call: Call): string {
  const java = String(literalValue(call, 2));
  return java.replace(
    /\\([\s\S])|\$\{[^}]*\}|\$(\d)|\\$/g,
    (found, plain: string | undefined, group: string | undefined) => {
      if (plain !== undefined) return plain === "\\" ? "\\\\" : plain;
      if (group !== undefined) return `\\${group}`;
      throw new AnalysisError(`${JSON.stringify(found)} in the replacement ${JSON.stringify(java)} is not supported.`, {
        remedy: "Number the groups, $1 to $9, and write \\\\ for a backslash.",
      });
    },
  );
}

function literalValue(call: Call, index: number): LiteralValue {
  const arg = call.args[index];
  if (arg?.kind === "literal") return arg.value;
  throw new AnalysisError(`Argument ${index + 1} of ${call.fn} has to be a constant, in ${expressionText(call)}.`);
}
