import { PomonaError } from "../errors";
import type { RemoteError } from "./task";
import { UserFunctionError, UserFunctionResultError } from "./user-function";

/** A row's value could not be computed. `path` is the row's, where the step says which column has it. */
export class RowFailedError extends PomonaError {
  readonly path: string | undefined;

  constructor(step: string, where: string, path: string | undefined, cause: Error) {
    // What a user's function did wrong says so itself.
    const isTold =
      cause instanceof UserFunctionResultError || (cause instanceof UserFunctionError && cause.functionName === step);
    super(isTold ? cause.message : `${step} failed${where}: ${cause.message}`, {
      cause,
      retryable: cause instanceof PomonaError ? cause.retryable : true,
    });
    this.path = path;
  }
}

/** An error as data, with the remote stack and, where it belongs to one, the input path. */
export function remoteError(error: unknown): RemoteError {
  const e = error instanceof Error ? error : new Error(String(error));
  const cause = e.cause instanceof Error ? e.cause : undefined;
  // What called the row's function is of no use; where that itself failed is.
  const own = e instanceof RowFailedError ? cause : e;
  const causes = own instanceof UserFunctionError ? causeOf(own.cause) : own === e && cause ? causeOf(e) : "";
  return {
    name: e instanceof RowFailedError && cause ? cause.name : e.name,
    message: e.message,
    stack: `${own?.stack ?? e.stack ?? e.message}${causes}`,
    retryable: e instanceof PomonaError ? e.retryable : true,
    ...(e instanceof RowFailedError && e.path !== undefined ? { path: e.path } : {}),
  };
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? `\nCaused by: ${cause.stack ?? cause.message}` : "";
}
