import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";

/** What an error of a call is: which side it is from, and what it has beside its code. */
export interface CallStatus {
  readonly code: Code;
  readonly text: string;
  /** True where the server answered; false where the connection broke, or something in between answered. */
  readonly isFromServer: boolean;
  /** The HTTP status of something that is no gRPC server, such as a proxy. */
  readonly httpStatus: number | undefined;
  /** Spark's error class, such as `INVALID_HANDLE.SESSION_CLOSED`. */
  readonly errorClass: string | undefined;
  /** The metadata of google.rpc.ErrorInfo: what Spark tells of an exception. */
  readonly info: Readonly<Record<string, string>>;
  /** How long the server wants to be left alone, in ms (google.rpc.RetryInfo). */
  readonly retryDelayMs: number | undefined;
  readonly cause: ConnectError;
}

export function statusOf(thrown: unknown): CallStatus {
  const error = ConnectError.from(thrown, Code.Internal);
  const detail = (type: string) =>
    error.details.find((each) => "value" in each && "type" in each && each.type === type);
  const bytesOf = (type: string) => (detail(type) as { readonly value: Uint8Array } | undefined)?.value;
  const [errorInfo, retryInfo] = [bytesOf("google.rpc.ErrorInfo"), bytesOf("google.rpc.RetryInfo")];
  const info = errorInfo === undefined ? {} : metadataOf(errorInfo);
  const http = /^HTTP (\d{3})$/.exec(error.rawMessage);
  return {
    code: error.code,
    text: error.rawMessage,
    isFromServer: error.metadata.has("grpc-status"),
    httpStatus: http === null ? undefined : Number(http[1]),
    errorClass: info.errorClass ?? /\[([A-Z][A-Z0-9_]*(?:\.[A-Z0-9_]+)*)\]/.exec(error.rawMessage)?.[1],
    info,
    retryDelayMs: retryInfo === undefined ? undefined : delayOf(retryInfo),
    cause: error,
  };
}

/** True for an error class, and for those of Spark's that begin with it. */
export function isOfClass(status: CallStatus, ...classes: readonly string[]): boolean {
  return classes.some((name) => status.errorClass === name || status.text.includes(name));
}

/** ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; } */
function metadataOf(bytes: Uint8Array): Record<string, string> {
  const metadata: Record<string, string> = {};
  fields(bytes, (field, reader) => {
    if (field !== 3) return false;
    let [key, value] = ["", ""];
    fields(reader.bytes(), (part, entry) => {
      if (part === 1) key = entry.string();
      else if (part === 2) value = entry.string();
      else return false;
      return true;
    });
    metadata[key] = value;
    return true;
  });
  return metadata;
}

/** RetryInfo { Duration retry_delay = 1; } Duration { int64 seconds = 1; int32 nanos = 2; } */
function delayOf(bytes: Uint8Array): number {
  let delay = 0;
  fields(bytes, (field, reader) => {
    if (field !== 1) return false;
    fields(reader.bytes(), (part, duration) => {
      if (part === 1) delay += Number(duration.int64()) * 1000;
      else if (part === 2) delay += duration.int32() / 1e6;
      else return false;
      return true;
    });
    return true;
  });
  return delay;
}

function fields(bytes: Uint8Array, read: (field: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (!read(field, reader)) reader.skip(type);
  }
}
