import type { DataType, StructType } from "../../data/types";
import { AnalysisError } from "../../frame/analysis-error";
import { childrenOf, columnsIn, hasBatch, mapChildren } from "../../frame/expressions";
import { type BatchExpression, type Expression, expressionText, outputName } from "../../frame/plan";
import { nameParts, sameName } from "../../frame/resolve";
import { type OutputName, type Relation, reference } from "../relation";
import { type Attribute, type Frame, find, type Identities, lookUp, type Resolved } from "./attribute";
import { hasFields, partOf } from "./field-access";

/** What analysis has to ask outside. */
export interface Context {
  readonly ids: Identities;
  /** The columns and types of a relation, without running it. */
  readonly schemaOf: (relation: Relation) => Promise<StructType>;
  /** The type of an expression over columns of these types, where that is known without asking. */
  readonly typeOf: TypeOf;
}

/** @param types of columns, by id */
export type TypeOf = (value: Expression, types: ReadonlyMap<string, DataType | undefined>) => DataType | undefined;

/** An expression over a frame, with ids for names. */
export interface Bound {
  readonly value: Expression;
  /** The same with names, as Spark shows it. */
  readonly shown: Expression;
  /** The column that it is, where it is nothing more. */
  readonly attribute?: Attribute;
  readonly type?: DataType;
  /** The columns that take the reasons of failed rows. */
  readonly errors: readonly OutputName[];
}

/**
 * Binds expressions to a frame's columns.
 * @param made the column that an expression is already, if it is one
 * @throws UnresolvedColumnError, AmbiguousColumnError, AnalysisError
 */
export async function bindAll(
  expressions: readonly Expression[],
  at: Resolved,
  context: Context,
  made: (expression: Expression, index: number) => Attribute | undefined = () => undefined,
): Promise<Bound[]> {
  const bound: Bound[] = [];
  for (const [i, expression] of expressions.entries()) {
    const known = made(expression, i);
    if (!known) bound.push(await bind(expression, at, context));
    else {
      const type = known.type === undefined ? {} : { type: known.type };
      bound.push({ value: reference(known.id), shown: reference(known.name), ...type, errors: [] });
    }
  }
  return bound;
}

/** The name of a bound expression's column. */
export function nameOf(expression: Expression, { shown }: Bound): string {
  // A field goes by its last part; the column itself as the user spells it.
  if (expression.kind === "column") return nameParts(expression.name).at(-1) ?? expression.name;
  return outputName(shown);
}

/** One expression of {@link bindAll}. */
export async function bind(expression: Expression, at: Resolved, context: Context): Promise<Bound> {
  switch (expression.kind) {
    case "column":
      return column(expression, at, context);
    case "star":
      throw new AnalysisError(`[INVALID_USAGE_OF_STAR_OR_REGEX] Invalid usage of '*' in an expression.`, {
        remedy: '"*" stands for columns of its own: select("*", ...). count("*") counts rows.',
      });
    case "alias": {
      if (expression.more) {
        throw new AnalysisError(
          `[UDTF_ALIAS_NUMBER_MISMATCH] ${expressionText(expression.child)} gives one column, and has ${1 + expression.more.length} names.`,
        );
      }
      const { attribute: _, ...child } = await bind(expression.child, at, context);
      return { ...child, shown: { kind: "alias", child: child.shown, name: expression.name } };
    }
    case "batch":
      return batch(expression, at, context);
    case "call": {
      const [container, key] = expression.args;
      if (expression.fn === "getitem" && container && key?.kind === "literal" && typeof key.value === "string") {
        const child = await bind(container, at, context);
        const type = await typeOf(child, at, context);
        if (typeof type === "string" || hasFields(type)) {
          const text = expressionText(child.shown);
          const part = partOf(child.value, type, key.value, text);
          return {
            ...part,
            shown: { kind: "field", child: child.shown, field: key.value, each: false },
            errors: child.errors,
          };
        }
      }
      const bound = await children(expression, at, context);
      if (expression.fn !== "rand") return bound;
      return { ...bound, value: { ...expression, args: [...expression.args, ...placeOf(at.output)] } };
    }
    default:
      return children(expression, at, context);
  }
}

/** The column that gives rows their place first when random numbers are drawn: `path`, where there is one. */
export function placeOf(frame: Frame): Expression[] {
  const path = frame.find((a) => sameName(a.name, "path"));
  return path ? [reference(path.id)] : [];
}

/** The type of an expression; asks outside where it can't be known otherwise. */
export async function typeOf(bound: Pick<Bound, "value" | "type">, at: Resolved, context: Context): Promise<DataType> {
  const type = bound.type ?? knownType(bound.value, at, context);
  if (type !== undefined) return type;
  const probe: Relation = { op: "project", input: at.relation, columns: [{ id: "#type", value: bound.value }] };
  return (await context.schemaOf(probe)).fields[0]?.type ?? "void";
}

function knownType(value: Expression, at: Resolved, context: Context): DataType | undefined {
  const types = new Map([...at.output, ...at.hidden].map((a) => [a.id, a.type]));
  if (hasBatch(value) || columnsIn(value).some((id) => types.get(id) === undefined)) return undefined;
  return context.typeOf(value, types);
}

async function column(
  expression: Extract<Expression, { kind: "column" }>,
  at: Resolved,
  context: Context,
): Promise<Bound> {
  const { attribute, written, fields } = find(expression, at);
  const plain: Bound = {
    value: reference(attribute.id),
    shown: reference(written),
    attribute,
    ...(attribute.type === undefined ? {} : { type: attribute.type }),
    errors: [],
  };
  if (fields.length === 0) return plain;
  let { value } = plain;
  let type = await typeOf(plain, at, context);
  let shown: Expression = plain.shown;
  for (const field of fields) {
    const isMap = typeof type === "object" && type.type === "map";
    ({ value, type } = partOf(value, type, field, expressionText(shown)));
    shown = isMap
      ? { kind: "call", fn: "getitem", args: [shown, { kind: "literal", value: field }] }
      : { kind: "field", child: shown, field, each: false };
  }
  return { value, type, shown, errors: [] };
}

async function children(expression: Expression, at: Resolved, context: Context): Promise<Bound> {
  const bound = await bindAll(childrenOf(expression), at, context);
  const put = (part: "value" | "shown") => {
    let next = 0;
    return mapChildren(expression, (child) => bound[next++]?.[part] ?? child);
  };
  const value = put("value");
  const type = knownType(value, at, context);
  return {
    value,
    shown: put("shown"),
    ...(type === undefined ? {} : { type }),
    errors: bound.flatMap((b) => b.errors),
  };
}

async function batch(expression: BatchExpression, at: Resolved, context: Context): Promise<Bound> {
  const { argIfThere, ...asked } = expression;
  const bound = await children(asked, at, context);
  const { onError } = expression;
  const extra = argIfThere === undefined ? [] : at.output.filter((a) => sameName(a.name, argIfThere));
  const args = (bound.value as BatchExpression).args;
  const value: BatchExpression = {
    ...(bound.value as BatchExpression),
    args: extra.length === 1 && extra[0] ? [...args, { kind: "column", name: extra[0].id }] : args,
  };
  const paths = at.output.filter((a) => sameName(a.name, "path"));
  const named = paths.length === 1 && paths[0] ? { ...value, rowName: paths[0].id } : value;
  if (onError.kind === "fail") return { ...bound, value: named, type: expression.returns };
  const id = context.ids.id(onError.errorColumn);
  return {
    ...bound,
    value: { ...named, onError: { kind: "null", errorColumn: id } },
    type: expression.returns,
    errors: [...bound.errors, { id, name: onError.errorColumn }],
  };
}

/** The input of a filter or a sort, with the columns that its expressions reach below passed through. */
export function reaching(expressions: readonly Expression[], at: Resolved): Resolved {
  let reached = at;
  for (const expression of expressions) {
    for (const ref of referencesIn(expression))
      reached = lookUp(ref, reached) ? reached : (passedUp(ref, reached) ?? reached);
  }
  return reached;
}

type ColumnReference = Extract<Expression, { kind: "column" }>;

function referencesIn(expression: Expression): ColumnReference[] {
  return expression.kind === "column" ? [expression] : childrenOf(expression).flatMap(referencesIn);
}

function passedUp(ref: ColumnReference, at: Resolved): Resolved | undefined {
  if (!at.below) return undefined;
  const { input, passing } = at.below;
  const inner = lookUp(ref, input) ? input : passedUp(ref, input);
  const found = inner && lookUp(ref, inner);
  return found && inner ? passing(inner, found.attribute) : undefined;
}
