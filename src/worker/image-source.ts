import type { Vector } from "apache-arrow";
import { defineBuiltin } from "../data/batch-function";
import { vectorFromValues } from "../data/vectors";
import { IMAGE_TYPE } from "../image/image-type";
import { sparkImage } from "../image/spark-image";

/** Column function `image.source`: files' contents and paths to images; what is none gets a size of -1, as in Spark. */
export const imageSource = defineBuiltin<Record<string, never>>({
  shape: "column",
  name: "image.source",
  returns: () => IMAGE_TYPE,
  async create() {
    return {
      async apply([contents, paths]: readonly Vector[]) {
        const images = [];
        for (let row = 0; row < contents!.length; row++) {
          const path = String(paths!.get(row));
          images.push({ origin: originOf(path), ...(await imageOf(contents!.get(row) as Uint8Array, path)) });
        }
        return vectorFromValues(images, IMAGE_TYPE);
      },
    };
  },
});

const INVALID = { height: -1, width: -1, nChannels: -1, mode: -1, data: new Uint8Array() };

function imageOf(content: Uint8Array, path: string) {
  return sparkImage(content, path).catch((error: unknown) => {
    // Only what the bytes say makes an image invalid; all else is a fault.
    if (error instanceof Error && /^(CorruptImageError|ImageTooLargeError)$/.test(error.name)) return INVALID;
    throw error;
  });
}

/** A path as Spark writes it here: a URL with two more slashes, and what a URL cannot hold escaped. */
function originOf(path: string): string {
  const url = path.replace(/[\s"<>\\^`{|}%[\]#?]/g, (char) => encodeURIComponent(char));
  return url.replace(/^file:(?=\/(?!\/))/, "file://");
}
