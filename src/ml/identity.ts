import { randomBytes } from "node:crypto";
import { IllegalArgumentError } from "../errors";

/** A new identifier in Spark's form: `PCA_3fa0c1d2e4b5`. */
export function newUid(prefix: string): string {
  return `${prefix}_${randomBytes(6).toString("hex")}`;
}

/** The name of a column, which callers without a type check may have left out. @throws IllegalArgumentError */
export function checkedColumn(owner: string, option: "inputCol" | "outputCol", name: unknown): string {
  if (typeof name === "string" && name !== "") return name;
  throw new IllegalArgumentError(`${owner} needs ${option}.`, {
    remedy: `Name the column: new ${owner}({ inputCol: "features", outputCol: "..." }).`,
  });
}

/** An option that is one of several words. @throws IllegalArgumentError */
export function checkedChoice<T extends string>(owner: string, option: string, value: T, known: readonly T[]): T {
  if (known.includes(value)) return value;
  throw new IllegalArgumentError(`${owner} parameter ${option} given invalid value ${String(value)}.`, {
    remedy: `Give ${known.map((word) => JSON.stringify(word)).join(" or ")}.`,
  });
}
