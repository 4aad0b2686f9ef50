import { PomonaError } from "../errors";

/** The relational engine failed while it ran a query; `cause` is its own error. */
export class ExecutionError extends PomonaError {}

/** The output lies inside an input (or the other way round): the write would read or delete its own data. */
export class OutputInsideInputError extends PomonaError {}

/** Files of one data set have different columns, or would have: after an append of something else. */
export class SchemaMismatchError extends PomonaError {}

/** The session, or its engine, was stopped. */
export class SessionStoppedError extends PomonaError {
  constructor() {
    super("The session is stopped.", { remedy: "Start a new one: await Session.builder().getOrCreate()." });
  }
}
