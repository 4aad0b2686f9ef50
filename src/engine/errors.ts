import { PomonaError } from "../errors";

/** The relational engine failed while it ran a query; `cause` is its own error. */
export class ExecutionError extends PomonaError {}

/** The output lies inside an input (or the other way round): the write would read or delete its own data. */
export class OutputInsideInputError extends PomonaError {}

/** The session, or its engine, was stopped. */
export class SessionStoppedError extends PomonaError {
  constructor() {
    super("The session is stopped.", { remedy: "Start a new one: await Session.builder().getOrCreate()." });
  }
}
