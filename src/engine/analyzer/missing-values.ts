import type { DataType } from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import { isFloating, isNumeric } from "../../frame/coercion";
import type { Expression, Plan, ReplaceValue } from "../../frame/plan";
import { quotedName } from "../../frame/resolve";
import { type Computed, reference } from "../relation";
import { type Attribute, find, type Resolved } from "./attribute";
import { type Context, typeOf } from "./expressions";
import { projected } from "./projections";

/** The condition of `dropna`: enough values that are neither null nor NaN. */
export async function isPresentEnough(
  plan: Extract<Plan, { op: "dropMissing" }>,
  input: Resolved,
  context: Context,
): Promise<Expression> {
  const names = plan.columns ?? input.output.map((a) => quotedName(a.name));
  const present: Expression[] = [];
  for (const name of names) {
    const { attribute } = find({ kind: "column", name }, input);
    present.push(isPresent(attribute, await attributeType(attribute, input, context)));
  }
  const least = plan.least === "all" ? present.length : plan.least;
  if (least === present.length) return present.reduce((all, each) => call("and", all, each), literal(true));
  const counted = present.map(
    (when): Expression => ({
      kind: "case",
      // biome-ignore lint/suspicious/noThenProperty: plain data under the plan's name for it, never awaited
      branches: [{ when, then: literal(1) }],
      otherwise: literal(0),
    }),
  );
  return call(
    ">=",
    counted.reduce((sum, each) => call("+", sum, each), literal(0)),
    literal(least),
  );
}

/** `fillna`: a value where there is none, in the columns of its kind; in a column that is named, as that column's type. */
export async function resolveFill(
  plan: Extract<Plan, { op: "fillMissing" }>,
  input: Resolved,
  context: Context,
): Promise<Resolved> {
  const named = plan.fills.map(({ column }) =>
    column === undefined ? undefined : find({ kind: "column", name: column }, input).attribute.key,
  );
  return changed(input, context, (attribute, type) => {
    const i = plan.fills.findIndex(
      ({ value, anyKind }, at) =>
        (named[at] === undefined || named[at] === attribute.key) && (anyKind || isKind(value, type)),
    );
    const fill = plan.fills[i];
    if (!fill) return undefined;
    const column = reference(attribute.id);
    const given = isFloating(type) ? call("nanvl", column, { kind: "literal", value: null, type }) : column;
    return call("coalesce", given, { kind: "cast", child: fillLiteral(fill), to: type });
  });
}

/** `replace`: some values by others, in the columns of their kind. */
export async function resolveReplace(
  plan: Extract<Plan, { op: "replaceValues" }>,
  input: Resolved,
  context: Context,
): Promise<Resolved> {
  const named = plan.columns?.map((name) => find({ kind: "column", name }, input).attribute.key);
  return changed(input, context, (attribute, type) => {
    if (named && !named.includes(attribute.key)) return undefined;
    const pairs = plan.pairs.filter(([from]) => isKind(from, type));
    if (pairs.length === 0) return undefined;
    const column = reference(attribute.id);
    return {
      kind: "case",
      branches: pairs.map(([from, to]) => ({
        when: call(
          "=",
          column,
          isNumeric(type) ? { kind: "literal", value: Number(from), type: "double" } : literal(from),
        ),
        // biome-ignore lint/suspicious/noThenProperty: plain data under the plan's name for it, never awaited
        then: { kind: "cast", child: literal(to), to: type },
      })),
      otherwise: column,
    };
  });
}

/** The input with other values in some columns. */
async function changed(
  input: Resolved,
  context: Context,
  change: (attribute: Attribute, type: DataType) => Expression | undefined,
): Promise<Resolved> {
  const output: Attribute[] = [];
  const computed: Computed[] = [];
  for (const attribute of input.output) {
    const type = await attributeType(attribute, input, context);
    const value = change(attribute, type);
    if (value === undefined) output.push(attribute);
    else {
      const made = context.ids.attribute(attribute.name, { type });
      output.push(made);
      computed.push({ id: made.id, value });
    }
  }
  return projected(input, output, computed);
}

function attributeType(attribute: Attribute, at: Resolved, context: Context): Promise<DataType> {
  const value = reference(attribute.id);
  return typeOf(attribute.type === undefined ? { value } : { value, type: attribute.type }, at, context);
}

/** A number for all columns is a double in PySpark, one for a named column of an object what it is. */
function fillLiteral({ value, anyKind }: { readonly value: ReplaceValue; readonly anyKind?: boolean }): Expression {
  if (typeof value !== "number" || anyKind) return literal(value);
  return { kind: "literal", value: Number.isFinite(value) ? value : String(value), type: "double" };
}

function isKind(value: ReplaceValue, type: DataType): boolean {
  switch (typeof value) {
    case "number":
      return isNumeric(type);
    case "string":
      return type === "string";
    case "boolean":
      return type === "boolean";
    default:
      throw new AnalysisError("Null cannot be replaced.", { remedy: "Use fillna." });
  }
}

function isPresent(attribute: Attribute, type: DataType): Expression {
  const column = reference(attribute.id);
  const isNotNull = call("isnotnull", column);
  return isFloating(type) ? call("and", isNotNull, call("not", call("isnan", column))) : isNotNull;
}

function call(fn: string, ...args: readonly Expression[]): Expression {
  return { kind: "call", fn, args };
}

function literal(value: ReplaceValue): Expression {
  return typeof value === "number" && !Number.isFinite(value)
    ? { kind: "literal", value: String(value), type: "double" }
    : { kind: "literal", value };
}
