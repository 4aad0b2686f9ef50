import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { DataType } from "../../data/types";
import { PomonaError } from "../../errors";
import { AnalysisError } from "../../frame/analysis-error";
import type { LiteralValue } from "../../frame/literal";
import { type Expression, expressionText } from "../../frame/plan";
import { quotedName } from "../../frame/resolve";
import type { SortKey } from "../relation";
import { protoType } from "./data-types";
import {
  Expression_SortOrder_SortDirection as Direction,
  Expression_SortOrderSchema,
  ExpressionSchema,
  Expression_SortOrder_NullOrdering as Nulls,
  type Expression as Proto,
  type Expression_SortOrder as ProtoSortOrder,
} from "./protos/spark/connect/expressions_pb";

/*
 * Expressions over columns' ids as Spark Connect's messages. The functions of the table have Spark's names, so most calls are what
 * they are; what Spark has in another form stands in FORMS.
 */

type Call = Extract<Expression, { kind: "call" }>;

/** An expression as a message. @throws AnalysisError for a function on workers where none can be */
export function protoExpression(expression: Expression): Proto {
  switch (expression.kind) {
    case "column":
      return column(expression.name);
    case "literal":
      return literal(expression.value, expression.type);
    case "alias":
      return protoExpression(expression.child);
    case "cast":
      return cast(protoExpression(expression.child), expression.to);
    case "case": {
      const branches = expression.branches.flatMap((b) => [b.when, b.then]);
      const all = expression.otherwise ? [...branches, expression.otherwise] : branches;
      return called("when", all.map(protoExpression));
    }
    case "field":
      return extracted(protoExpression(expression.child), literal(expression.field));
    case "call":
      return (FORMS[expression.fn] ?? plainCall)(expression);
    case "text": {
      const text = expression.parts.map((part) => (typeof part === "string" ? part : sqlName(part))).join("");
      return made({ case: "expressionString", value: { expression: text } });
    }
    case "batch":
      throw new AnalysisError(
        `[UNSUPPORTED_FEATURE] ${expressionText(expression)} stands where a function on workers cannot: in the condition of a join.`,
        { remedy: 'Make a column of it first: df.withColumn("x", f(col("a"))), then join on col("x").' },
      );
    case "star":
      throw new PomonaError(`${expressionText(expression)} reached the messages for Spark.`, {
        remedy: "This is a mistake in Pomona; please report it with the plan.",
      });
  }
}

/** A column by its id. */
export function column(id: string): Proto {
  return made({ case: "unresolvedAttribute", value: { unparsedIdentifier: quotedName(id) } });
}

/** An expression under a name, or several for what gives several columns. */
export function named(expr: Proto, ...name: readonly string[]): Proto {
  return made({ case: "alias", value: { expr, name: [...name] } });
}

/** All columns. */
export function star(): Proto {
  return made({ case: "unresolvedStar", value: {} });
}

export function called(functionName: string, args: readonly Proto[], isDistinct = false): Proto {
  return made({ case: "unresolvedFunction", value: { functionName, arguments: [...args], isDistinct } });
}

export function sortOrder({ child, direction, nulls }: SortKey): ProtoSortOrder {
  return create(Expression_SortOrderSchema, {
    child: protoExpression(child),
    direction: direction === "asc" ? Direction.ASCENDING : Direction.DESCENDING,
    nullOrdering: nulls === "first" ? Nulls.SORT_NULLS_FIRST : Nulls.SORT_NULLS_LAST,
  });
}

/** A value as Spark types it; one with a type of its own is read from its text. */
export function literal(value: LiteralValue, type?: DataType): Proto {
  if (value === null) return made({ case: "literal", value: of("null", protoType(type ?? "void")) });
  switch (type ?? typeOfValue(value)) {
    case "boolean":
      return made({ case: "literal", value: of("boolean", Boolean(value)) });
    case "string":
      return made({ case: "literal", value: of("string", String(value)) });
    case "integer":
      return made({ case: "literal", value: of("integer", Number(value)) });
    case "long":
      return made({ case: "literal", value: of("long", BigInt(value)) });
    case "double":
      return made({ case: "literal", value: of("double", Number(value)) });
    case "timestamp":
      return made({ case: "literal", value: of("timestamp", BigInt(Date.parse(String(value))) * 1000n) });
    default:
      return cast(literal(String(value)), type as DataType);
  }
}

function typeOfValue(value: Exclude<LiteralValue, null>): "boolean" | "string" | "integer" | "long" | "double" {
  if (typeof value === "boolean" || typeof value === "string") return typeof value as "boolean" | "string";
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return "double";
  return value >= -2147483648 && value <= 2147483647 ? "integer" : "long";
}

type ProtoLiteral = Extract<Proto["exprType"], { case: "literal" }>["value"];

function of(kind: string, value: unknown) {
  return { literalType: { case: kind, value } as ProtoLiteral["literalType"] };
}

function cast(expr: Proto, to: DataType): Proto {
  return made({ case: "cast", value: { expr, castToType: { case: "type", value: protoType(to) } } });
}

function extracted(child: Proto, extraction: Proto): Proto {
  return made({ case: "unresolvedExtractValue", value: { child, extraction } });
}

function made(exprType: NonNullable<MessageInitShape<typeof ExpressionSchema>["exprType"]>): Proto {
  return create(ExpressionSchema, { exprType });
}

function plainCall({ fn, args }: Call): Proto {
  return called(fn, args.map(protoExpression));
}

/** Spark's trim takes the characters before the text. */
function trim({ fn, args }: Call): Proto {
  return called(fn, [...args].reverse().map(protoExpression));
}

/** What is not its own name over its own arguments. */
const FORMS: Readonly<Record<string, (call: Call) => Proto>> = {
  "!=": ({ args }) => called("not", [called("==", args.map(protoExpression))]),
  "=": ({ args }) => called("==", args.map(protoExpression)),
  getitem: ({ args: [container, key] }) =>
    extracted(protoExpression(container as Expression), protoExpression(key as Expression)),
  struct: ({ args }) => called("named_struct", args.map(protoExpression)),
  count_distinct: ({ args }) => called("count", args.map(protoExpression), true),
  sum_distinct: ({ args }) => called("sum", args.map(protoExpression), true),
  // What rows are numbered by is the embedded engine's matter.
  rand: ({ args }) => called("rand", args.slice(0, 1).map(protoExpression)),
  trim,
  ltrim: trim,
  rtrim: trim,
};

function sqlName(part: Expression): string {
  if (part.kind === "column") return quotedName(part.name);
  if (part.kind === "field") return `${sqlName(part.child)}.${quotedName(part.field)}`;
  if (part.kind === "call" && part.fn === "getitem") {
    const [container, key] = part.args as readonly [Expression, Expression];
    const text = key.kind === "literal" ? String(key.value) : expressionText(key);
    return `${sqlName(container)}['${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}']`;
  }
  return expressionText(part);
}
