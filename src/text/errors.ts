import { PomonaError } from "../errors";

/** A record of a text file is not what its format or its schema says, where that ends the reading; `path` is the file. */
export class MalformedRecordError extends PomonaError {
  readonly path: string | undefined;

  constructor(reason: string, options: { remedy?: string; path?: string; cause?: unknown } = {}) {
    const where = options.path === undefined ? "" : `${options.path}: `;
    super(`${where}${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`, options);
    this.path = options.path;
  }
}
