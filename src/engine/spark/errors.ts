import { ConnectError } from "@connectrpc/connect";
import { PomonaError } from "../../errors";
import { AnalysisError } from "../../frame/analysis-error";

/** What Spark says of an error beside its text. */
export interface SparkErrorInfo {
  /** Spark's error class, such as `DIVIDE_BY_ZERO`. */
  readonly errorClass?: string | undefined;
  /** Its SQLSTATE, five characters. */
  readonly sqlState?: string | undefined;
  /** The parts that its text was made of, by name. */
  readonly messageParameters?: Readonly<Record<string, string>> | undefined;
  /** All of it as Spark told it: the whole text and the JVM's or Python's stacks. */
  readonly details?: string | undefined;
}

interface SparkErrorOptions extends SparkErrorInfo {
  readonly remedy?: string;
  readonly cause?: unknown;
  readonly retryable?: boolean;
}

/** Something that was asked of a Spark Connect server failed. */
export class SparkConnectError extends PomonaError implements SparkErrorInfo {
  declare readonly errorClass: string | undefined;
  declare readonly sqlState: string | undefined;
  declare readonly messageParameters: Readonly<Record<string, string>>;
  declare readonly details: string | undefined;

  constructor(message: string, options: SparkErrorOptions = {}) {
    super(message, { ...options, cause: causeOf(options.cause) });
    describe(this, options);
  }
}

/** Spark can't compute a plan as written: its `AnalysisException` and `ParseException`. */
export class SparkAnalysisError extends AnalysisError implements SparkErrorInfo {
  declare readonly errorClass: string | undefined;
  declare readonly sqlState: string | undefined;
  declare readonly messageParameters: Readonly<Record<string, string>>;
  declare readonly details: string | undefined;

  constructor(message: string, options: SparkErrorOptions = {}) {
    super(message, { ...options, cause: causeOf(options.cause) });
    describe(this, options);
  }
}

/** A failed call is none that helps: the error has the server's words, and a printed call shows gRPC's headers. What made it fail may be one. */
function causeOf(cause: unknown): unknown {
  return cause instanceof ConnectError ? causeOf(cause.cause) : cause;
}

/** Not enumerable: a printed error says what helps, and the whole of it is asked for. */
function describe(error: Error, info: SparkErrorInfo): void {
  const { errorClass, sqlState, messageParameters = {}, details } = info;
  for (const [name, value] of Object.entries({ errorClass, sqlState, messageParameters, details }))
    Object.defineProperty(error, name, { value });
}

/** Nobody answers there, or not in time, or what answers is no Spark Connect server. */
export class SparkUnreachableError extends SparkConnectError {
  constructor(address: string, why: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(`No Spark Connect server answers at ${address}: ${why}.`, {
      remedy:
        "Is it started, its address and port right, and open to this machine? A Spark of your own: pomona spark start.",
      ...options,
    });
  }
}

/** The server, or a proxy in front of it, wants another token, or does not let its owner do this. */
export class SparkAccessError extends SparkConnectError {
  constructor(address: string, why: string, hasToken: boolean, cause?: unknown) {
    super(`Spark at ${address} refuses access: ${why}.`, {
      remedy: hasToken
        ? "Is the token right, and not expired? Where tokens expire, give a function that fetches a new one: token: async () => …"
        : `Give it a token: sc://${address}/;use_ssl=true;token=…, or SPARK_CONNECT_AUTHENTICATE_TOKEN, or token: async () => …`,
      cause,
    });
  }
}

/** The session is gone from the server, with all that it had: settings, uploaded files, temporary views, cached data. The next use starts a new one. */
export class SparkSessionLostError extends SparkConnectError {
  /** The session that was lost. */
  readonly sessionId: string;

  constructor(address: string, sessionId: string, why: string, options: SparkErrorOptions = {}) {
    super(`The session on Spark at ${address} is gone: ${why}.`, {
      remedy:
        "Its settings, uploaded files, temporary views and cached data went with it. Run this again: the next use starts a new session.",
      ...options,
    });
    this.sessionId = sessionId;
  }
}

/** An operation whose results had begun to arrive is no longer known to the server: they are not whole. */
export class SparkOperationLostError extends SparkConnectError {
  constructor(address: string, operationId: string, responses: number, options: SparkErrorOptions = {}) {
    super(
      `Spark at ${address} knows nothing more of operation ${operationId}, of which ${responses} responses have come.`,
      {
        remedy:
          "What it wrote may be there or not: look before you run it again. A server keeps an operation for spark.connect.execute.manager.detachedTimeout (5 minutes) while no client is connected.",
        ...options,
      },
    );
  }
}

/** The server's Spark is older than what this package can work with. */
export class SparkVersionError extends SparkConnectError {
  constructor(address: string, version: string) {
    super(`Spark at ${address} is version ${version}; 3.5 or newer is needed.`, {
      remedy:
        "Before 3.5 a client can't go on with an operation whose connection broke, so a write might be done twice. Spark 3.5 and 4.0 are what EMR runs; a Spark of your own: pomona spark start.",
    });
  }
}

/** The server has no such request: it is another one than Spark's own, or an older one. */
export class SparkUnsupportedError extends SparkConnectError {}

/** A message is above what the server, or this client, takes. */
export class MessageTooLargeError extends SparkConnectError {
  /** Bytes of the message, where they are known. */
  readonly bytes: number | undefined;
  /** The most bytes that are taken, where they are known. */
  readonly limit: number | undefined;

  constructor(
    message: string,
    sizes: { readonly bytes?: number | undefined; readonly limit?: number | undefined },
    options: SparkErrorOptions,
  ) {
    super(message, options);
    this.bytes = sizes.bytes;
    this.limit = sizes.limit;
  }
}
