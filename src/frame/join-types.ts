import { IllegalArgumentError, nearest } from "../errors";
import { Column } from "./column";
import type { Expression, JoinType } from "./plan";

/** Spark's names for the kinds of join; underscores may be left out. */
const JOIN_TYPES = {
  inner: "inner",
  left: "left",
  leftouter: "left",
  right: "right",
  rightouter: "right",
  outer: "full",
  full: "full",
  fullouter: "full",
  semi: "semi",
  leftsemi: "semi",
  anti: "anti",
  leftanti: "anti",
  cross: "cross",
} as const satisfies Record<string, JoinType>;

export type JoinTypeName = keyof typeof JOIN_TYPES;

/** What Spark calls them, in its order. */
const SPARK_NAMES = [
  ..."inner outer full fullouter full_outer leftouter left left_outer rightouter right right_outer".split(" "),
  ..."leftsemi left_semi semi leftanti left_anti anti cross".split(" "),
];

/** The kind of join that a name means. @throws IllegalArgumentError naming the nearest. */
export function joinType(name: string): JoinType {
  const found = (JOIN_TYPES as Record<string, JoinType>)[name.toLowerCase().replaceAll("_", "")];
  if (found !== undefined) return found;
  const near = nearest(name, Object.keys(JOIN_TYPES));
  const known = SPARK_NAMES.map((known) => `'${known}'`).join(", ");
  throw new IllegalArgumentError(
    `[UNSUPPORTED_JOIN_TYPE] Unsupported join type '${name}'. Supported join types include: ${known}.`,
    near.length > 0 ? { remedy: `Did you mean ${near.join(", ")}?` } : {},
  );
}

/** What a join is on: names, conditions that all have to hold, or nothing. @throws IllegalArgumentError for anything else */
export function joinKeys(on: unknown): { readonly on: readonly string[]; readonly condition?: Expression } {
  if (on === undefined || on === null) return { on: [] };
  const list: readonly unknown[] = Array.isArray(on) ? on : [on];
  if (list.length > 0 && list.every((each) => typeof each === "string")) return { on: list };
  const columns = list.filter((each) => each instanceof Column);
  const [first, ...more] = columns;
  if (!first || columns.length < list.length) {
    throw new IllegalArgumentError("A join is on names, or on conditions, or on nothing.", {
      remedy: 'join(other, "label"), join(other, a.col("x").eq(other.col("y"))), or crossJoin(other).',
    });
  }
  return { on: [], condition: more.reduce<Column>((all, each) => all.and(each), first).expression };
}
