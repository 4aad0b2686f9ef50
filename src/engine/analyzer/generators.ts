import type { DataType } from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import { childrenOf } from "../../frame/expressions";
import { generatorIn } from "../../frame/functions/generators";
import { type Expression, expressionText } from "../../frame/plan";
import { hasAggregate } from "../duckdb/sql-aggregates";
import { generatedBy, type Relation } from "../relation";
import type { Attribute, Resolved } from "./attribute";
import { bind, type Context, typeOf } from "./expressions";
import { sqlType } from "./field-access";
import { lifting } from "./lifted";

/** What the generators among some columns make. */
export interface Generated {
  /** The input, a row for each element; its columns by name are the input's. */
  readonly input: Resolved;
  /** The columns of the elements, by the column that asks for them. */
  readonly made: ReadonlyMap<Expression, readonly Attribute[]>;
}

type Call = Extract<Expression, { kind: "call" }>;

/**
 * Makes rows of elements where columns ask for it: `explode` and its like, of several each with each.
 * @throws AnalysisError where one is inside another expression, or of what has no elements
 */
export async function generated(given: Resolved, columns: readonly Expression[], context: Context): Promise<Generated> {
  const nested = columns.find((column) => childrenOf(withoutAlias(column)).some(hasGenerator));
  if (nested) {
    throw new AnalysisError(
      `[UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS] The generator is not supported: nested in expressions "${expressionText(withoutAlias(nested))}".`,
      { remedy: "Make its column first, and compute with that in a further select." },
    );
  }
  const made = new Map<Expression, readonly Attribute[]>();
  let input = given;
  for (const column of columns) {
    if (!generatorIn(withoutAlias(column))) continue;
    if (columns.some(hasAggregate)) {
      throw new AnalysisError(
        `[UNSUPPORTED_FEATURE] ${expressionText(column)} stands beside an aggregate in one select.`,
        { remedy: "Aggregate first, then make rows of elements in a further select." },
      );
    }
    const { input: rows, output } = await rowsOfElements(input, column, context);
    made.set(column, output);
    input = rows;
  }
  return { input, made };
}

async function rowsOfElements(input: Resolved, column: Expression, context: Context) {
  const call = withoutAlias(column) as Call;
  const { position, outer } = generatorIn(call) ?? { position: false, outer: false };
  const [of] = call.args;
  if (!of) throw new AnalysisError(`[WRONG_NUM_ARGS] ${call.fn} needs a column.`);
  const bound = await bind(of, input, context);
  const type = await typeOf(bound, input, context);
  const elements = elementColumns(type);
  if (!elements) {
    throw new AnalysisError(
      `[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "${expressionText({ ...call, args: [bound.shown] })}" due to data type mismatch: the first parameter requires the ("ARRAY" or "MAP") type, however it has the type "${sqlType(type)}".`,
    );
  }
  const made = [...(position ? [{ name: "pos", type: "integer" as const }] : []), ...elements];
  const names = column.kind === "alias" ? [column.name, ...(column.more ?? [])] : made.map(({ name }) => name);
  if (names.length !== made.length) {
    throw new AnalysisError(
      `[UDTF_ALIAS_NUMBER_MISMATCH] ${call.fn} gives ${made.length} columns, ${made.map(({ name }) => name).join(", ")}, and has ${names.length} names: ${names.join(", ")}.`,
      { remedy: `Give as many: alias(${made.map(({ name }) => JSON.stringify(name)).join(", ")}).` },
    );
  }
  const output = made.map((each, i) => context.ids.attribute(names[i] ?? each.name, { type: each.type }));
  const ids = output.map((a) => a.id);
  const [place] = ids;
  const { lift, under } = lifting(context.ids);
  const value = lift(bound.value);
  const relation: Extract<Relation, { op: "generate" }> = {
    op: "generate",
    input: under(input.relation),
    value,
    outer,
    ...(position && place !== undefined ? { position: place } : {}),
    columns: position ? ids.slice(1) : ids,
  };
  return {
    input: { ...input, relation } satisfies Resolved,
    output: output.filter((a) => generatedBy(relation).includes(a.id)),
  };
}

function elementColumns(type: DataType): { readonly name: string; readonly type: DataType }[] | undefined {
  if (typeof type === "string" || type.type === "struct") return undefined;
  return type.type === "array"
    ? [{ name: "col", type: type.elementType }]
    : [
        { name: "key", type: type.keyType },
        { name: "value", type: type.valueType },
      ];
}

function hasGenerator(expression: Expression): boolean {
  return generatorIn(expression) !== undefined || childrenOf(expression).some(hasGenerator);
}

function withoutAlias(expression: Expression): Expression {
  return expression.kind === "alias" ? expression.child : expression;
}
