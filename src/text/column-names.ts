import type { DataType } from "../data/types";
import { IllegalArgumentError } from "../errors";

/**
 * Files of text have no column twice, at any depth; case makes no difference, as in Spark. Nor has a name the character NUL,
 * as the names of UTF-16 have that is read as UTF-8.
 * @throws IllegalArgumentError
 */
export function refuseNames(type: DataType): void {
  if (typeof type === "string") return;
  switch (type.type) {
    case "array":
      refuseNames(type.elementType);
      return;
    case "map":
      refuseNames(type.keyType);
      refuseNames(type.valueType);
      return;
    case "struct": {
      const seen = new Set<string>();
      for (const field of type.fields) {
        const name = field.name.toLowerCase();
        if (seen.has(name)) {
          throw new IllegalArgumentError(`The column \`${field.name}\` is there twice; case makes no difference.`, {
            remedy: 'Give a schema whose names differ, e.g. schema("a INT, b STRING").',
          });
        }
        if (name.includes("\0")) {
          throw new IllegalArgumentError(`The column name ${JSON.stringify(field.name)} has the character NUL.`, {
            remedy:
              'If the file is in UTF-16, say so: option("encoding", "UTF-16"); else give a schema: schema("a INT").',
          });
        }
        seen.add(name);
        refuseNames(field.type);
      }
    }
  }
}
