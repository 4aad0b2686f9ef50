import { arrayType, type DataType } from "../../data/types";
import { PomonaError } from "../../errors";
import { AnalysisError } from "../../frame/analysis-error";
import { commonTypeOf, isStruct } from "../../frame/coercion";
import { Argument, differentTypes, ELEMENT, functionNamed, type Value } from "../../frame/function-entry";
import "../../frame/functions";
import type { LiteralValue } from "../../frame/literal";
import { type Expression, expressionText } from "../../frame/plan";
import { duckdbType } from "./duckdb-types";
import { castValue } from "./sql-cast";
import { duckdbText, quotedText } from "./sql-text";

/** What a name in an expression becomes. @throws UnresolvedColumnError, AmbiguousColumnError */
export type ResolveName = (name: string) => Value;

/** An expression as DuckDB SQL with Spark's meaning, and its type. @throws AnalysisError */
export function expressionValue(expression: Expression, resolve: ResolveName): Value {
  const compile = (e: Expression) => expressionValue(e, resolve);
  switch (expression.kind) {
    case "column":
      return resolve(expression.name);
    case "literal":
      return literalValue(expression.value, expression.type);
    case "alias":
      return compile(expression.child);
    case "cast":
      return castColumn(expression, compile);
    case "case":
      return caseValue(expression, compile);
    case "call":
      return callValue(expression, compile);
    case "field":
      return fieldValue(compile(expression.child), expression.field);
    case "text":
      return {
        // The line breaks keep a comment at the end of the text from eating what follows.
        sql: `(\n${expression.parts.map((part) => (typeof part === "string" ? duckdbText(part) : compile(part).sql)).join("")}\n)`,
        type: "boolean",
        nullable: true,
      };
    case "batch":
      throw new AnalysisError(
        `[UNSUPPORTED_FEATURE] ${expressionText(expression)} stands where a function on workers cannot: in the condition of a join.`,
        {
          remedy: 'Make a column of it first: df.withColumn("x", f(col("a"))), then join on col("x").',
        },
      );
    case "star":
      throw new PomonaError(`${expressionText(expression)} reached the relational compiler.`, {
        remedy: "This is a mistake in Pomona; please report it with the plan.",
      });
  }
}

/** A condition as SQL. @throws AnalysisError where it is not true or false */
export function conditionSql(expression: Expression, resolve: ResolveName): string {
  const value = expressionValue(expression, resolve);
  if (value.type === "boolean" || value.type === "void" || value.type === "string")
    return castValue(value, "boolean").sql;
  throw new AnalysisError(
    `[DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN] The condition ${expressionText(expression)} is no boolean but ${JSON.stringify(value.type)}.`,
    { remedy: "Compare it with something." },
  );
}

/** A literal, typed as Spark types it: DuckDB's own 1.5 is a decimal and its 1 fits any integer type. */
export function literalValue(value: LiteralValue, type?: DataType): Value {
  const of = (sql: string, found: DataType): Value => ({ sql, type: found, nullable: value === null, constant: value });
  if (type !== undefined) {
    const text = value === null ? "NULL" : quotedText(String(value));
    return of(`CAST(${text} AS ${duckdbType(type)})`, type);
  }
  switch (typeof value) {
    case "boolean":
      return of(value ? "TRUE" : "FALSE", "boolean");
    case "string":
      return of(`CAST(${quotedText(value)} AS VARCHAR)`, "string");
    case "number": {
      if (!Number.isSafeInteger(value) || Object.is(value, -0))
        return of(`CAST('${Object.is(value, -0) ? "-0.0" : value}' AS DOUBLE)`, "double");
      const isInteger = value >= -2147483648 && value <= 2147483647;
      return of(`CAST(${value} AS ${isInteger ? "INTEGER" : "BIGINT"})`, isInteger ? "integer" : "long");
    }
    case "object":
      return of("NULL", "void");
  }
}

type Case = Extract<Expression, { kind: "case" }>;
type Call = Extract<Expression, { kind: "call" }>;
type Cast = Extract<Expression, { kind: "cast" }>;
type Compile = (e: Expression) => Value;

/** A struct's field, or that field of each struct in an array. */
function fieldValue({ sql, type, nullable }: Value, name: string): Value {
  const isEach = typeof type === "object" && type.type === "array";
  const struct = isEach ? type.elementType : type;
  const found = isStruct(struct) ? struct.fields.find((field) => field.name === name) : undefined;
  if (!found) throw new AnalysisError(`[FIELD_NOT_FOUND] No such struct field \`${name}\`.`);
  const field = quotedText(name);
  if (!isEach)
    return { sql: `struct_extract(${sql}, ${field})`, type: found.type, nullable: nullable || found.nullable };
  return {
    sql: `list_transform(${sql}, lambda ${ELEMENT}: ${ELEMENT}[${field}])`,
    type: arrayType(found.type),
    nullable,
  };
}

function castColumn(expression: Cast, compile: Compile): Value {
  const child = compile(expression.child);
  const { constant: _, ...value } = inPlace(expression, () => castValue(child, expression.to));
  return value;
}

function caseValue(expression: Case, compile: Compile): Value {
  return inPlace(expression, () => {
    const whens = expression.branches.map((b) => compile(b.when));
    const thens = expression.branches.map((b) => compile(b.then));
    const otherwise = expression.otherwise && compile(expression.otherwise);
    const results = otherwise ? [...thens, otherwise] : thens;
    const type = commonTypeOf(results.map((v) => v.type));
    if (type === undefined) throw differentTypes(results);
    const branches = whens.map((when, i) => {
      // Spark casts no text here, though it does where a function wants a boolean.
      if (when.type !== "boolean" && when.type !== "void") throw differentTypes([when], "UNEXPECTED_INPUT_TYPE");
      return `WHEN ${castValue(when, "boolean").sql} THEN ${castValue(thens[i] as Value, type).sql}`;
    });
    const last = otherwise ? ` ELSE ${castValue(otherwise, type).sql}` : "";
    return {
      sql: `CASE ${branches.join(" ")}${last} END`,
      type,
      nullable: !otherwise || results.some((v) => castValue(v, type).nullable),
    };
  });
}

function callValue(call: Call, compile: Compile): Value {
  const given = call.args.map((arg) => new Argument(compile(arg)));
  return inPlace(call, () => {
    const entry = functionNamed(call.fn);
    const { args, returns, nullable } = entry.signature(given);
    const cast = given.map((arg, i) => new Argument(castValue(arg, args[i] ?? arg.type)));
    return { sql: entry.duckdb(...cast), type: returns, nullable: nullable ?? cast.some((arg) => arg.nullable) };
  });
}

/** Says where a mistake is: in the innermost expression that has it. */
function inPlace(expression: Expression, attempt: () => Value): Value {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof AnalysisError && error.constructor === AnalysisError && !error.message.includes("\nIn ")) {
      const [message = ""] = error.message.split("\n");
      throw new AnalysisError(message, {
        remedy: `In ${expressionText(expression)}.${error.remedy ? ` ${error.remedy}` : ""}`,
        cause: error.cause,
      });
    }
    throw error;
  }
}
