import type { Column } from "./column";

/** Names that JavaScript asks of any object: nobody's column is meant. */
const PROTOCOLS = new Set(["then", "toJSON", "asymmetricMatch", "nodeType", "tagName", "$$typeof"]);

/**
 * Lets `df["label"]` be `df.col("label")`, for names that are no member; what has one stays that, as PySpark's `df.count`.
 * Asked last, behind the class: a proxy around each frame would stand in the way of everything else.
 * @param members the class's prototype
 */
export function takeBrackets(members: { col(name: string): Column }): void {
  const behind = new Proxy(Object.prototype, {
    get(target, name, receiver: object) {
      const isColumn = typeof name === "string" && !(name in target) && !PROTOCOLS.has(name);
      // A frame has a plan of its own; the class's prototype has none.
      if (!isColumn || !Object.hasOwn(receiver, "plan_")) return Reflect.get(target, name, receiver);
      return members.col.call(receiver, name);
    },
  });
  Object.setPrototypeOf(members, behind);
}
