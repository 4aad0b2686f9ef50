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

/** The error of mode FAILFAST. @param text the record as the file has it */
export function malformedRecord(problem: string, text: string, file: { readonly url: string }): MalformedRecordError {
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return new MalformedRecordError(`a record is malformed: ${problem}: ${JSON.stringify(shown)}`, {
    path: file.url,
    remedy: 'Correct the file, or read it with the option "mode" PERMISSIVE or DROPMALFORMED.',
  });
}
