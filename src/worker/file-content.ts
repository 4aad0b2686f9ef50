import type { Vector } from "apache-arrow";
import { defineBuiltin, type FileReading } from "../data/batch-function";
import { vectorFromValues } from "../data/vectors";
import { throwIfAborted } from "../errors";

/** Column function `binaryFile.content`: a file's bytes by its path, and the time and length that a listing has, read by the worker that needs them. */
export const fileContent = defineBuiltin<Record<string, never>>({
  shape: "column",
  name: "binaryFile.content",
  returns: () => "binary",
  async create(_params, context) {
    return {
      async apply([paths, times, lengths]: readonly Vector[], rowError) {
        // Of the task that runs now: the function outlives the one it was made for.
        const { signal } = context;
        const contents = await Promise.all(
          Array.from(paths!, async (path, row) => {
            try {
              return await context.readFile(path as string, { signal, ...listedIn(row, times, lengths) });
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

function listedIn(row: number, times: Vector | undefined, lengths: Vector | undefined): Pick<FileReading, "listed"> {
  if (!times || !lengths) return {};
  return { listed: { size: Number(lengths.get(row)), modifiedAt: Number(times.get(row)) } };
}
