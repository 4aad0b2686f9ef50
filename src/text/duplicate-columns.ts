import type { DataType } from "../data/types";
import { IllegalArgumentError } from "../errors";

/** Files of text have no column twice, at any depth; case makes no difference, as in Spark. @throws IllegalArgumentError */
export function refuseDuplicates(type: DataType): void {
  if (typeof type === "string") return;
  switch (type.type) {
    case "array":
      refuseDuplicates(type.elementType);
      return;
    case "map":
      refuseDuplicates(type.keyType);
      refuseDuplicates(type.valueType);
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
        seen.add(name);
        refuseDuplicates(field.type);
      }
    }
  }
}
