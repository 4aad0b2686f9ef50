import { AnalysisError } from "../../frame/analysis-error";
import { unaliased } from "../../frame/column";
import { childrenOf } from "../../frame/expressions";
import { type Expression, expressionText } from "../../frame/plan";
import { nameParts, sameName } from "../../frame/resolve";
import { hasAggregate, isAggregate } from "../duckdb/sql-aggregates";
import { type Computed, columnsOf, type Relation, reference } from "../relation";
import { type Attribute, type Frame, find, lookUp, type Resolved } from "./attribute";
import { type Bound, bind, type Context, nameOf, typeOf } from "./expressions";
import { sqlType } from "./field-access";
import { generated } from "./generators";
import { liftedAggregate } from "./lifted";

/** A column of a projection, bound. */
interface Made {
  readonly expression: Expression;
  readonly bound: Bound;
}

/** `select`: columns and stars, aggregates over all rows where there is one among them. */
export async function resolveProject(
  given: Resolved,
  columns: readonly Expression[],
  context: Context,
): Promise<Resolved> {
  const { input, made: elements } = await generated(given, columns, context);
  if (columns.some(hasAggregate)) return resolveAggregate(input, [], columns, context);
  const output: Attribute[] = [];
  const computed: Computed[] = [];
  for (const column of columns) {
    const ofElements = elements.get(column);
    if (ofElements) {
      output.push(...ofElements);
      continue;
    }
    if (column.kind === "star" && isFrame(column, input)) {
      output.push(...starOf(column, input));
      continue;
    }
    for (const { expression, bound } of await expanded(column, input, context)) {
      const { made, attributes } = attributesOf(expression, bound, context);
      output.push(...attributes);
      computed.push(...made);
    }
  }
  return projected(input, output, computed);
}

/** The input's columns in another choice, with computed ones among them. */
export function projected(input: Resolved, output: Frame, computed: readonly Computed[]): Resolved {
  const made = new Set(computed.map((c) => c.id));
  const make = (from: Resolved, passed: Frame): Resolved => {
    const kept = [...new Set([...output, ...passed].map((a) => a.id))].filter((id) => !made.has(id));
    const columns = [...kept.map((id) => ({ id, value: reference(id) })), ...computed];
    return {
      relation: sameColumns(from.relation, columns) ? from.relation : { op: "project", input: from.relation, columns },
      output,
      hidden: passed,
      frames: from.frames,
      below: { input: from, passing: (inner, column) => make(inner, [...passed, column]) },
    };
  };
  return make(input, []);
}

/** The columns that take the reasons of failed rows: each stands behind the column that it explains. */
export function errorAttributes({ errors }: Bound, { ids }: Context): Attribute[] {
  return errors.map(({ id, name }) => ids.attribute(name, { id, type: "string" }));
}

/** `groupBy(...).agg(...)`: the keys, then the aggregates. */
export async function resolveAggregate(
  input: Resolved,
  grouping: readonly Expression[],
  aggregates: readonly Expression[],
  context: Context,
): Promise<Resolved> {
  const keys: Made[] = [];
  for (const expression of grouping) keys.push(...(await expanded(expression, input, context)));
  const results: Made[] = [];
  for (const expression of aggregates) results.push(...(await expanded(expression, input, context)));
  const groups = keys.map(({ bound }) => expressionText(unaliased(bound.value)));
  for (const { bound } of results) refuseLooseColumns(bound.value, groups, input);

  const output: Attribute[] = [];
  const computed = [keys, results].map((part) => {
    const list: Computed[] = [];
    for (const { expression, bound } of part) {
      const known = bound.attribute && output.some((a) => a.id === bound.attribute?.id);
      if (bound.attribute && expression.kind === "column") {
        output.push({ ...bound.attribute, name: nameOf(expression, bound) });
        if (!known) list.push({ id: bound.attribute.id, value: bound.value });
      } else {
        const attribute = context.ids.attribute(nameOf(expression, bound), { type: bound.type });
        output.push(attribute);
        list.push({ id: attribute.id, value: bound.value });
      }
    }
    return list;
  });
  const [groupColumns = [], aggregateColumns = []] = computed;
  const relation = liftedAggregate(
    { op: "aggregate", input: input.relation, grouping: groupColumns, aggregates: aggregateColumns },
    context.ids,
  );
  return { relation, output, hidden: [], frames: input.frames };
}

/** A column, or the columns that a star over a struct stands for. */
async function expanded(expression: Expression, input: Resolved, context: Context): Promise<Made[]> {
  if (expression.kind !== "star") return [{ expression, bound: await bind(expression, input, context) }];
  if (isFrame(expression, input)) {
    return starOf(expression, input).map((attribute) => ({
      expression: reference(attribute.name),
      bound: { value: reference(attribute.id), shown: reference(attribute.name), attribute, errors: [] },
    }));
  }
  const name = expression.of ?? "";
  if (!lookUp({ kind: "column", name }, input)) {
    throw new AnalysisError(
      `[CANNOT_RESOLVE_STAR_EXPAND] Cannot resolve \`${name}\`.* given input columns ${input.output.map((a) => `\`${a.name}\``).join(", ")}. Please check that the specified table or struct exists and is accessible in the input columns.`,
    );
  }
  const struct = await bind({ kind: "column", name }, input, context);
  const type = await typeOf(struct, input, context);
  if (typeof type === "string" || type.type !== "struct") {
    throw new AnalysisError(
      `Can only star expand struct data types. Attribute: \`${expression.of}\` is ${sqlType(type)}.`,
    );
  }
  return type.fields.map((field) => ({
    expression: { kind: "alias", child: reference(field.name), name: field.name },
    bound: {
      value: { kind: "field", child: struct.value, field: field.name, each: false },
      shown: { kind: "alias", child: reference(field.name), name: field.name },
      type: field.type,
      errors: [],
    },
  }));
}

type Star = Extract<Expression, { kind: "star" }>;

/** True where a star stands for a frame's columns, not for a struct's fields. */
function isFrame({ of, planId }: Star, input: Resolved): boolean {
  if (of === undefined || planId !== undefined) return true;
  const [alias = "", ...more] = nameParts(of);
  return more.length === 0 && input.output.some((a) => a.qualifier !== undefined && sameName(a.qualifier, alias));
}

function starOf({ of, planId }: Star, input: Resolved): Frame {
  if (planId !== undefined) {
    // Each by its name, so that a column that is here no more is told.
    const [frame = []] = input.frames.get(planId) ?? [];
    return frame.map(
      (a) => find({ kind: "column", name: `\`${a.name.replaceAll("`", "``")}\``, planId }, input).attribute,
    );
  }
  if (of === undefined) return input.output;
  const [alias = ""] = nameParts(of);
  return input.output.filter((a) => a.qualifier !== undefined && sameName(a.qualifier, alias));
}

function attributesOf(expression: Expression, bound: Bound, context: Context) {
  const name = nameOf(expression, bound);
  const errors = errorAttributes(bound, context);
  const { attribute, value, type } = bound;
  if (attribute) return { made: [], attributes: [{ ...attribute, name }] };
  // An alias of a column has the column's values and an identity of its own.
  const own =
    value.kind === "column"
      ? context.ids.attribute(name, { type, id: value.name })
      : context.ids.attribute(name, { type });
  const made = value.kind === "column" ? [] : [{ id: own.id, value }];
  return {
    made: [...made, ...errors.map(({ id }) => ({ id, value: reference(id) }))],
    attributes: [own, ...errors],
  };
}

function sameColumns(relation: Relation, columns: readonly Computed[]): boolean {
  const ids = columnsOf(relation);
  return (
    ids.length === columns.length &&
    columns.every(({ id, value }, i) => id === ids[i] && value.kind === "column" && value.name === id)
  );
}

/** @throws AnalysisError for a column that is neither inside an aggregate nor grouped by. */
function refuseLooseColumns(expression: Expression, groups: readonly string[], input: Resolved): void {
  if (isAggregate(expression) || groups.includes(expressionText(unaliased(expression)))) return;
  if (expression.kind === "column") {
    const name = input.output.find((a) => a.id === expression.name)?.name ?? expression.name;
    throw new AnalysisError(
      `[MISSING_AGGREGATION] The non-aggregating expression "${name}" is based on columns which are not participating in the GROUP BY clause.`,
      { remedy: `Group by it, or say which of its values to take, e.g. first("${name}").` },
    );
  }
  for (const child of childrenOf(expression)) refuseLooseColumns(child, groups, input);
}
