import type { Vector } from "apache-arrow";
import { defineBuiltin } from "../data/batch-function";
import { vectorFromValues } from "../data/vectors";

/** Column function `binaryFile.content`: a file's bytes by its path, read by the worker that needs them. */
export const fileContent = defineBuiltin<Record<string, never>>({
  shape: "column",
  name: "binaryFile.content",
  returns: () => "binary",
  async create(_params, context) {
    return {
      async apply([paths]: readonly Vector[], rowError) {
        const contents = await Promise.all(
          Array.from(paths!, async (path, row) => {
            try {
              return await context.readFile(path as string);
            } catch (error) {
              rowError(row, error as Error);
              return null;
            }
          }),
        );
        return vectorFromValues(contents, "binary");
      },
    };
  },
});
