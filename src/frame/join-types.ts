import { IllegalArgumentError, nearest } from "../errors";
import type { JoinType } from "./plan";

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

/** The kind of join that a name means. @throws IllegalArgumentError naming the nearest. */
export function joinType(name: string): JoinType {
  const found = (JOIN_TYPES as Record<string, JoinType>)[name.toLowerCase().replaceAll("_", "")];
  if (found !== undefined) return found;
  const near = nearest(name, Object.keys(JOIN_TYPES));
  throw new IllegalArgumentError(`Unknown kind of join: ${JSON.stringify(name)}.`, {
    remedy: near.length > 0 ? `Did you mean ${near.join(", ")}?` : `Known: ${Object.keys(JOIN_TYPES).join(", ")}.`,
  });
}
