import { PomonaError } from "../errors";

/** Thrown for bytes that are not a whole image in a format that is read here. Trying again cannot help. */
export class CorruptImageError extends PomonaError {
  /** @param path the image's path or URL, where known */
  constructor(
    reason: string,
    readonly path?: string,
    cause?: unknown,
  ) {
    super(`Cannot decode ${path === undefined ? "an image" : JSON.stringify(path)}: ${reason}.`, {
      remedy: 'Remove or replace the file, or keep such rows as null with onError: "null" (--on-error null).',
      cause,
    });
  }
}

/** Thrown for an image with more pixels than the limit, from its header, before anything is decoded. */
export class ImageTooLargeError extends PomonaError {
  /** @param path the image's path or URL, where known */
  constructor(
    reason: string,
    readonly path?: string,
  ) {
    super(path === undefined ? reason : `${reason} Path: ${JSON.stringify(path)}.`, {
      remedy:
        'Make the image smaller first, raise `maxPixels`, or keep such rows as null with onError: "null" (--on-error null).',
    });
  }
}
