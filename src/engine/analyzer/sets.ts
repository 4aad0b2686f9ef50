import { type DataType, simpleString } from "../../data/types";
import { AnalysisError, UnresolvedColumnError } from "../../frame/analysis-error";
import { commonType } from "../../frame/coercion";
import type { Expression, Plan } from "../../frame/plan";
import { sameName } from "../../frame/resolve";
import { type Computed, type Relation, reference } from "../relation";
import type { Attribute, Frame, Resolved } from "./attribute";
import { type Context, typeOf } from "./expressions";
import { sqlType } from "./field-access";

type SetPlan = Extract<Plan, { op: "union" | "intersect" | "except" }>;

/** A column of one side: one that is there, or nulls. */
interface SideColumn {
  readonly attribute?: Attribute;
  readonly type: DataType;
}

/** The rows of two frames in one; columns are matched by position or by name, their types widened as Spark does. */
export async function resolveSet(plan: SetPlan, left: Resolved, right: Resolved, context: Context): Promise<Resolved> {
  const byName = plan.op === "union" && plan.byName;
  const order = byName
    ? orderByName(left.output, right.output, plan.allowMissing ?? false)
    : orderByPosition(plan.op, left.output, right.output);
  const output: Attribute[] = [];
  const sides: { left: Computed[]; right: Computed[] } = { left: [], right: [] };
  for (const [position, pair] of order.entries()) {
    const a = await sideColumn(pair.left, left, context);
    const b = await sideColumn(pair.right, right, context);
    const type = pair.left && pair.right ? commonType(a.type, b.type) : pair.left ? a.type : b.type;
    if (type === undefined) throw incompatible(plan.op, position, a.type, b.type);
    const name = (pair.left ?? pair.right)?.name ?? "";
    const made = context.ids.attribute(name, { type });
    // Spark lets the left side's columns be themselves.
    const isOwn = pair.left && output.every((other) => other.key !== pair.left?.key);
    output.push(isOwn && pair.left ? { ...pair.left, id: made.id, type } : made);
    sides.left.push({ id: made.id, value: widened(a, type) });
    sides.right.push({ id: context.ids.id(name), value: widened(b, type) });
  }
  const relation: Relation = {
    op: "set",
    kind: plan.op,
    all: plan.op === "union" || plan.all,
    left: { op: "project", input: left.relation, columns: sides.left },
    right: { op: "project", input: right.relation, columns: sides.right },
  };
  return { relation, output, hidden: [], frames: left.frames };
}

interface Pair {
  readonly left?: Attribute | undefined;
  readonly right?: Attribute | undefined;
}

function orderByPosition(op: SetPlan["op"], left: Frame, right: Frame): Pair[] {
  if (left.length !== right.length) throw otherNumber(op, left, right);
  return left.map((a, i) => ({ left: a, right: right[i] }));
}

function otherNumber(op: SetPlan["op"], left: Frame, right: Frame): AnalysisError {
  return new AnalysisError(
    `[NUM_COLUMNS_MISMATCH] ${op.toUpperCase()} can only be performed on inputs with the same number of columns, but the first input has ${left.length} columns and the second input has ${right.length} columns.`,
    { remedy: `Select the same columns on both sides first. They are ${names(left)} and ${names(right)}.` },
  );
}

function orderByName(left: Frame, right: Frame, allowMissing: boolean): Pair[] {
  for (const side of [left, right]) {
    const twice = side.find((a, i) => side.findIndex((b) => sameName(a.name, b.name)) !== i);
    if (twice) {
      throw new AnalysisError(
        `[COLUMN_ALREADY_EXISTS] The column \`${twice.name.toLowerCase()}\` already exists. Choose another name or rename the existing column.`,
        { remedy: "unionByName matches columns by name: give each another one, or use union, which goes by position." },
      );
    }
  }
  const pairs = left.map((a): Pair => {
    const other = right.find((b) => sameName(a.name, b.name));
    if (!other && !allowMissing) throw missing(a.name, right);
    return { left: a, right: other };
  });
  const added = right.filter((b) => !left.some((a) => sameName(a.name, b.name)));
  if (!allowMissing && added.length > 0) throw otherNumber("union", left, right);
  return [...pairs, ...added.map((b): Pair => ({ right: b }))];
}

function missing(name: string, side: Frame): UnresolvedColumnError {
  return new UnresolvedColumnError(
    name,
    side.map((a) => a.name),
    { among: true, remedy: "unionByName(other, { allowMissingColumns: true }) fills missing columns with nulls." },
  );
}

async function sideColumn(attribute: Attribute | undefined, side: Resolved, context: Context): Promise<SideColumn> {
  if (!attribute) return { type: "void" };
  const value = reference(attribute.id);
  const type = await typeOf(attribute.type === undefined ? { value } : { value, type: attribute.type }, side, context);
  return { attribute, type };
}

function widened({ attribute, type }: SideColumn, to: DataType): Expression {
  if (!attribute) return { kind: "literal", value: null, type: to };
  const column = reference(attribute.id);
  return simpleString(type) === simpleString(to) ? column : { kind: "cast", child: column, to };
}

const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

function incompatible(op: SetPlan["op"], position: number, left: DataType, right: DataType): AnalysisError {
  const ordinal = ORDINALS[position] ?? `${position + 1}th`;
  return new AnalysisError(
    `[INCOMPATIBLE_COLUMN_TYPE] ${op.toUpperCase()} can only be performed on tables with compatible column types. The ${ordinal} column of the second table is "${sqlType(right)}" type which is not compatible with "${sqlType(left)}" at the same column of the first table.`,
    { remedy: "Cast one of them." },
  );
}

function names(frame: Frame): string {
  return frame.map((a) => a.name).join(", ");
}
