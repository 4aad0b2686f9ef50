import type { StructType } from "../data/types";
import { IllegalArgumentError } from "../errors";

/** The position of the column of corrupt records; -1 where the schema has none. @throws IllegalArgumentError */
export function corruptField(schema: StructType, name: string): number {
  const at = schema.fields.findIndex((field) => field.name === name);
  if (at >= 0 && schema.fields[at]?.type !== "string") {
    throw new IllegalArgumentError(`The column for corrupt records, \`${name}\`, must be a string.`, {
      remedy: "Give it the type string, or name another column by the option columnNameOfCorruptRecord.",
    });
  }
  return at;
}
