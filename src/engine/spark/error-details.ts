import { Code } from "@connectrpc/connect";
import { CancelledError, PomonaError } from "../../errors";
import { analysisText, failureText } from "./error-text";
import {
  MessageTooLargeError,
  SparkAccessError,
  SparkAnalysisError,
  SparkConnectError,
  type SparkErrorInfo,
  SparkSessionLostError,
  SparkUnreachableError,
  SparkUnsupportedError,
} from "./errors";
import type { FetchErrorDetailsResponse, FetchErrorDetailsResponse_Error } from "./protos/spark/connect/base_pb";
import { isBroken, isNoServer, isRefused, isUntrusted } from "./retries";
import { type CallStatus, isOfClass, statusOf } from "./status";

/** Who failed, for the message. */
export interface ErrorContext {
  readonly address: string;
  readonly sessionId: string;
  readonly hasToken: boolean;
  /** All that the server kept of an error; undefined where it keeps nothing. */
  fetchDetails(errorId: string): Promise<FetchErrorDetailsResponse | undefined>;
}

/** Spark's classes of plans that can't be computed as written. */
const ANALYSIS = /\.(?:AnalysisException|ExtendedAnalysisException|ParseException)$/;

const CERTIFICATE =
  "Start this program, or Jupyter, with NODE_EXTRA_CA_CERTS=FILE, which has the certificate or its signer's in PEM form; and use an address that it names.";

const NO_SERVER =
  "Are its address and port right? use_ssl=true belongs into the address where it speaks TLS, and neither that nor a token where it doesn't.";

const MEMORY =
  "Its driver and executors need more (spark.driver.memory, spark.executor.memory), or the rows less: a row of n bytes takes about five times n while it is sent.";

/** True where the session is gone, whatever was asked of it. */
export function isSessionLost(status: CallStatus): boolean {
  return isStopping(status) || isOfClass(status, "INVALID_HANDLE.SESSION_CHANGED", SESSION_CLOSED, SESSION_NOT_FOUND);
}

const SESSION_CLOSED = "INVALID_HANDLE.SESSION_CLOSED";
const SESSION_NOT_FOUND = "INVALID_HANDLE.SESSION_NOT_FOUND";

/** A server's last words. */
function isStopping(status: CallStatus): boolean {
  return (
    status.isFromServer &&
    /on a stopped SparkContext|SparkContext was shut down|SparkContext has been shutdown/.test(status.text)
  );
}

/** What a call threw as an error with a name. */
export async function namedError(thrown: unknown, context: ErrorContext): Promise<unknown> {
  if (thrown instanceof PomonaError) return thrown;
  const status = statusOf(thrown);
  // Not a failed call, such as the reason of an aborted signal or what the function for a token threw.
  if (status.cause !== thrown && status.cause.cause === thrown) return thrown;
  const { address } = context;
  const cause = status.cause;
  if (isSessionLost(status))
    return new SparkSessionLostError(address, context.sessionId, lossOf(status), { ...infoOf(status), cause });
  if (isRefused(status)) return new SparkAccessError(address, status.text, context.hasToken, cause);
  if (status.code === Code.ResourceExhausted) return tooLarge(status) ?? (await ofSpark(status, context));
  if (!status.isFromServer) {
    if (isUntrusted(status))
      return new SparkUnreachableError(address, `its certificate is not trusted (${status.text})`, {
        remedy: CERTIFICATE,
        cause,
      });
    if (isNoServer(status) || status.httpStatus !== undefined || /content type/.test(status.text))
      return new SparkUnreachableError(address, `what answers is no Spark Connect server (${answerOf(status)})`, {
        remedy: NO_SERVER,
        cause,
      });
    if (status.code === Code.Unavailable || isBroken(status))
      return new SparkUnreachableError(address, status.text, { cause });
  }
  if (status.code === Code.Unimplemented)
    return new SparkUnsupportedError(`Spark at ${address} does not have this: ${status.text}`, { cause });
  return ofSpark(status, context);
}

function answerOf({ text }: CallStatus): string {
  return text.includes("wrong version number") ? "it speaks no TLS" : text;
}

function lossOf(status: CallStatus): string {
  if (isStopping(status)) return "the server is being stopped";
  if (isOfClass(status, SESSION_CLOSED)) return "it was closed, or idle for longer than the server keeps a session";
  return "the server was started anew, or has forgotten it";
}

function infoOf(status: CallStatus): SparkErrorInfo {
  const { errorClass, info } = status;
  return { errorClass, sqlState: info.sqlState, messageParameters: parsed(info.messageParameters) };
}

async function ofSpark(status: CallStatus, context: ErrorContext): Promise<Error> {
  const { errorId } = status.info;
  const told = errorId === undefined ? undefined : await context.fetchDetails(errorId);
  const chain = told === undefined ? [] : chainOf(told);
  const root = chain[0];
  const whole = root?.message ?? status.text;
  const info = infoOf(status);
  const throwable = root?.sparkThrowable;
  const options = {
    errorClass: throwable?.errorClass ?? info.errorClass,
    sqlState: throwable?.sqlState ?? info.sqlState,
    messageParameters: throwable?.messageParameters ?? info.messageParameters,
    details: [stackOf(chain) || whole, status.info.stackTrace ?? ""].filter((text) => text !== "").join("\n"),
    cause: status.cause,
  };
  const classes = root?.errorTypeHierarchy ?? parsedList(status.info.classes);
  if (classes.some((name) => ANALYSIS.test(name))) return new SparkAnalysisError(analysisText(whole), options);
  if (isOfClass(status, "OPERATION_CANCELED", "OPERATION_CANCELLED"))
    return new CancelledError("Spark interrupted the operation.");
  if (/java\.lang\.OutOfMemoryError|Java heap space/.test(whole))
    return new SparkConnectError(`Spark ran out of memory: ${failureText(whole, chain)}`, {
      ...options,
      remedy: MEMORY,
    });
  // Sail says of what it does not have that it failed inside.
  const ErrorClass = classes.some((name) => /UnsupportedOperationException$/.test(name))
    ? SparkUnsupportedError
    : SparkConnectError;
  return new ErrorClass(failureText(whole, chain), options);
}

/** The error and its causes, the outermost first. */
function chainOf(told: FetchErrorDetailsResponse): FetchErrorDetailsResponse_Error[] {
  const chain: FetchErrorDetailsResponse_Error[] = [];
  for (let at = told.rootErrorIdx; at !== undefined; at = chain.at(-1)!.causeIdx) {
    const error = told.errors[at];
    if (error === undefined || chain.includes(error)) break;
    chain.push(error);
  }
  return chain;
}

function stackOf(chain: readonly FetchErrorDetailsResponse_Error[]): string {
  return chain
    .map((error, i) => {
      const heading = `${i === 0 ? "" : "Caused by: "}${error.errorTypeHierarchy[0] ?? ""}: ${error.message}`;
      const frames = error.stackTrace.map(
        ({ declaringClass, methodName, fileName, lineNumber }) =>
          `\tat ${declaringClass}.${methodName}(${fileName ?? "Unknown"}:${lineNumber})`,
      );
      return [heading, ...frames].join("\n");
    })
    .join("\n");
}

/** @param bytes of the message, where they are known */
export function planTooLarge(bytes: number | undefined, limit: number, cause?: unknown): MessageTooLargeError {
  const size = bytes === undefined ? "" : ` of ${megabytes(bytes)}`;
  return new MessageTooLargeError(
    `The plan${size} is above the ${megabytes(limit)} that Spark takes in one message.`,
    { bytes, limit },
    {
      remedy:
        "Rows in the plan itself are most of it, as a rule: write them to a file and read that, or start the server with a larger spark.connect.grpc.maxInboundMessageSize.",
      cause,
    },
  );
}

function tooLarge(status: CallStatus): MessageTooLargeError | undefined {
  const sent = /exceeds maximum size (\d+)(?:: (\d+))?/i.exec(status.text);
  if (sent) return planTooLarge(sent[2] === undefined ? undefined : Number(sent[2]), Number(sent[1]), status.cause);
  const read = /message size (\d+) is larger than configured readMaxBytes (\d+)/.exec(status.text);
  if (!read) return undefined;
  const [bytes, limit] = [Number(read[1]), Number(read[2])];
  return new MessageTooLargeError(
    `A part of the result has ${megabytes(bytes)}; ${megabytes(limit)} is the most that one message may have.`,
    { bytes, limit },
    {
      remedy: "A row can't be divided: leave the large column out, or write the rows to files and read those.",
      cause: status.cause,
    },
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function parsed(json: string | undefined): Record<string, string> | undefined {
  const value = parsedJson(json);
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, string>)
    : undefined;
}

function parsedList(json: string | undefined): readonly string[] {
  const value = parsedJson(json);
  return Array.isArray(value) ? value.map(String) : [];
}

function parsedJson(json: string | undefined): unknown {
  try {
    return json === undefined ? undefined : JSON.parse(json);
  } catch {
    // Cut by the server, which keeps headers small.
    return undefined;
  }
}
