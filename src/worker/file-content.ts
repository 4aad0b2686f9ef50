import type { Vector } from "apache-arrow";
import { defineBuiltin } from "../data/batch-function";
import { vectorFromValues } from "../data/vectors";
import { throwIfAborted } from "../errors";

/** Column function `binaryFile.content`: a file's bytes by its path, read by the worker that needs them. */
export const fileContent = defineBuiltin<Record<string, never>>({
  shape: "column",
  name: "binaryFile.content",
  returns: () => "binary",
  async create(_params, context) {
    return {
      async apply([paths]: readonly Vector[], rowError) {
        // Of the task that runs now: the function outlives the one it was made for.
        const { signal } = context;
        const contents = await Promise.all(
          Array.from(paths!, async (path, row) => {
            try {
              return await context.readFile(path as string, signal);
            } catch (error) {
              throwIfAborted(signal);
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
