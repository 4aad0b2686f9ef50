import { UnresolvedColumnError } from "../../frame/analysis-error";
import type { Expression, JoinType, Plan } from "../../frame/plan";
import { sameName } from "../../frame/resolve";
import { type Relation, reference } from "../relation";
import { type Attribute, type Frame, lookUp, outputOnly, type Resolved } from "./attribute";
import { bind, type Context } from "./expressions";

/** Stand for the two sides of a join among plan ids, which count from 1. */
const LEFT = -1;
const RIGHT = -2;

/** A join on columns that both sides have, on a condition, or on nothing. */
export async function resolveJoin(
  plan: Extract<Plan, { op: "join" }>,
  left: Resolved,
  right: Resolved,
  context: Context,
): Promise<Resolved> {
  const frames = new Map(left.frames);
  for (const [id, more] of right.frames) frames.set(id, [...(frames.get(id) ?? []), ...more]);
  const sides = { left: outputOnly(left), right: outputOnly(right) };
  const both = { output: [...left.output, ...right.output], hidden: [], frames };
  // A condition makes a cross join an inner one.
  const hasCondition = plan.on.length > 0 || plan.condition !== undefined;
  const how: JoinType = hasCondition && plan.how === "cross" ? "inner" : plan.how;
  const isOneSided = how === "semi" || how === "anti";
  const join = (condition: Expression | undefined): Relation => ({
    op: "join",
    ...sides,
    how: condition === undefined && how === "inner" ? "cross" : how,
    ...(condition === undefined ? {} : { condition }),
  });

  if (plan.on.length === 0) {
    const sided = new Map(frames).set(LEFT, [left.output]).set(RIGHT, [right.output]);
    const at: Resolved = { ...both, relation: join(undefined), frames: sided };
    const condition = plan.condition && (await bind(selfEqualities(plan.condition, left, right), at, context)).value;
    return { ...both, relation: join(condition), output: isOneSided ? left.output : both.output };
  }

  const keys = plan.on.map((name) => ({ left: keyOf(name, left, "left"), right: keyOf(name, right, "right") }));
  const condition = keys.map(equality).reduce((all, each) => ({ kind: "call", fn: "and", args: [all, each] }));
  const leftKeys = keys.map((k) => k.left);
  const rightKeys = keys.map((k) => k.right);
  const others = (frame: Frame, used: Frame) => frame.filter((a) => !used.includes(a));
  const rest = [...others(left.output, leftKeys), ...(isOneSided ? [] : others(right.output, rightKeys))];
  const joined = join(condition);
  switch (how) {
    case "semi":
    case "anti":
      return { ...both, relation: joined, output: [...leftKeys, ...rest] };
    case "right":
      return { ...both, relation: joined, output: [...rightKeys, ...rest], hidden: leftKeys };
    case "full": {
      const merged = keys.map((k) => context.ids.attribute(k.left.name, { type: k.left.type }));
      const columns = keys.map((k, i) => ({ id: merged[i]?.id ?? "", value: coalesced(k.left, k.right) }));
      const relation: Relation = { op: "extend", input: joined, columns };
      return { ...both, relation, output: [...merged, ...rest], hidden: [...leftKeys, ...rightKeys] };
    }
    default:
      return { ...both, relation: joined, output: [...leftKeys, ...rest], hidden: rightKeys };
  }
}

interface Key {
  readonly left: Attribute;
  readonly right: Attribute;
}

function equality({ left, right }: Key): Expression {
  return { kind: "call", fn: "=", args: [reference(left.id), reference(right.id)] };
}

function coalesced(left: Attribute, right: Attribute): Expression {
  return { kind: "call", fn: "coalesce", args: [reference(left.id), reference(right.id)] };
}

/** As Spark: the first column of the name. */
function keyOf(name: string, { output }: Resolved, side: "left" | "right"): Attribute {
  const found = output.find((a) => sameName(a.name, name));
  if (found) return found;
  throw new UnresolvedColumnError(
    name,
    output.map((a) => a.name),
    { joinSide: side },
  );
}

/**
 * `df.col("a").eq(df.col("a"))` in a join of a frame with itself means the left side's and the right side's column: the one
 * case in which Spark tells them apart.
 */
function selfEqualities(condition: Expression, left: Resolved, right: Resolved): Expression {
  if (condition.kind !== "call") return condition;
  if (condition.fn === "and") {
    return { ...condition, args: condition.args.map((arg) => selfEqualities(arg, left, right)) };
  }
  const [a, b] = condition.args;
  const isSame = a?.kind === "column" && b?.kind === "column" && a.planId !== undefined && a.planId === b.planId;
  if ((condition.fn !== "=" && condition.fn !== "<=>") || !isSame || !sameName(a.name, b.name)) return condition;
  if (!lookUp(a, left) || !lookUp(b, right)) return condition;
  return {
    ...condition,
    args: [
      { ...a, planId: LEFT },
      { ...b, planId: RIGHT },
    ],
  };
}
