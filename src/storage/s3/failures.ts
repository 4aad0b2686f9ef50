import { PathNotFoundError, StorageAccessError, StorageError } from "../errors";
import type { Url } from "../location";

/** What a request was for, in the words of its error. */
export interface S3Purpose {
  readonly url: Url;
  readonly bucket: string;
  readonly verb: "list" | "read" | "write" | "copy" | "remove";
  /** The request's name, such as `GetObject`. */
  readonly operation: string;
}

/** What is to be done about a request that failed. */
export type Failure =
  /** Tried again soon, at most `most` times where that is told. */
  | { readonly kind: "passing"; readonly what: string; readonly most?: number }
  /** The bucket is elsewhere. */
  | { readonly kind: "region"; readonly region: string }
  /** With credentials that are asked for anew. */
  | { readonly kind: "expired" }
  /** Nothing helps. */
  | { readonly kind: "final" };

/** What the SDK, the server or the network says of a failure. */
interface Said {
  readonly code: string;
  readonly status: number | undefined;
  readonly message: string;
  readonly region: string | undefined;
}

/** Codes of servers for what another try may mend. */
const PASSING = new Set([
  "SlowDown",
  "SlowDownRead",
  "SlowDownWrite",
  "ServiceUnavailable",
  "InternalError",
  "RequestTimeout",
  "RequestTimeoutException",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
  "RequestLimitExceeded",
  "BandwidthLimitExceeded",
  "OperationAborted",
  "ConditionalRequestConflict",
  "BadDigest",
  "XAmzContentChecksumMismatch",
  "IncompleteBody",
]);

/** Codes of the network. */
const NETWORK: Readonly<Record<string, string>> = {
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was closed",
  ETIMEDOUT: "the connection timed out",
  ECONNREFUSED: "the connection was refused",
  EAI_AGAIN: "the name of the server could not be looked up",
  EHOSTUNREACH: "the server cannot be reached",
  ENETUNREACH: "the network cannot be reached",
  ERR_STREAM_PREMATURE_CLOSE: "the answer was cut short",
  TimeoutError: "nothing came for too long",
  CutShort: "the answer was cut short",
  BrokenAnswer: "the answer was broken",
  ChecksumMismatch: "what came is not what was stored (checksum)",
};

/** Codes of TLS, of Node's and OpenSSL's. */
const TLS = /CERT|SSL|TLS|SELF_SIGNED|EPROTO|UNABLE_TO_/;

const FEW = 3;

/** What is to be done about an error. */
export function failureOf(error: unknown): Failure {
  const said = saidBy(error);
  const { code, status, region } = said;
  if (["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"].includes(code))
    return { kind: "expired" };
  if (region !== undefined && (isElsewhere(said) || status === 301 || status === 307 || isBareRefusal(said)))
    return { kind: "region", region };
  if (isBareRefusal(said)) return { kind: "expired" };
  // Once more is enough: the SDK sets its clock by the server's answer.
  if (code === "RequestTimeTooSkewed") return { kind: "passing", what: code, most: 1 };
  if (code === "ECONNREFUSED") return { kind: "passing", what: NETWORK.ECONNREFUSED ?? code, most: FEW };
  if (code in NETWORK || code.startsWith("HPE_"))
    return { kind: "passing", what: NETWORK[code] ?? "the answer was broken" };
  if (PASSING.has(code) || status === 429 || (status !== undefined && status >= 500 && status !== 501)) {
    return { kind: "passing", what: status === undefined ? code : `${code === "" ? "" : `${code}, `}${status}` };
  }
  return { kind: "final" };
}

/** True for an error of a request whose condition did not hold. */
export function isConditionFailed(error: unknown): boolean {
  const { code, status } = saidBy(error);
  return code === "PreconditionFailed" || status === 412;
}

/** True where nothing is at the key. A server that may not tell says 403 instead. */
export function isNotThere(error: unknown): boolean {
  const { code, status } = saidBy(error);
  return (
    code !== "NoSuchBucket" && code !== "NoSuchUpload" && (["NoSuchKey", "NotFound"].includes(code) || status === 404)
  );
}

export function isNoSuchUpload(error: unknown): boolean {
  return saidBy(error).code === "NoSuchUpload";
}

/** A range that begins behind the object's end. */
export function isBeyondEnd(error: unknown): boolean {
  const { code, status } = saidBy(error);
  return code === "InvalidRange" || status === 416;
}

/** A copy by one request of more than S3 copies so. */
export function isTooLargeToCopy(error: unknown): boolean {
  const { code, message } = saidBy(error);
  return code === "EntityTooLarge" || (code === "InvalidRequest" && /larger than the maximum/.test(message));
}

/** What an error is shown as: with bucket, key, operation, what is missing and what to do, and without anything secret. */
export function storageError(
  error: unknown,
  purpose: S3Purpose,
  about: { tries: number; hasEndpoint: boolean },
): Error {
  if (error instanceof StorageError) return error;
  const said = saidBy(error);
  const { url, bucket, verb, operation } = purpose;
  const { code, status } = said;
  const told = [operation, status, code === "" ? undefined : code].filter((part) => part !== undefined).join(", ");
  // Neither the SDK's error nor the request in it: tokens stand in its headers.
  const cause = Object.assign(new Error(said.message), { name: code || "S3Error", code: code || undefined });
  const options = (remedy: string, retryable = false) => ({ remedy, cause, retryable });
  const cannot = `Cannot ${verb} ${url}`;

  if (code === "CredentialsProviderError") {
    return new StorageAccessError(
      `${cannot}: no credentials for S3 (${operation}). ${withoutEnd(said.message)}.`,
      url,
      {
        ...options(
          "Give some: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile (aws configure, aws sso login; AWS_PROFILE), a role of the machine, or fs.s3a.access.key and fs.s3a.secret.key in the session's settings.",
        ),
      },
    );
  }
  if (code === "NoSuchBucket") {
    return new PathNotFoundError(
      `${cannot}: there is no bucket ${bucket} (${told}).`,
      url,
      options(`Check its name${about.hasEndpoint ? " and the endpoint" : ""}, or make it: aws s3 mb s3://${bucket}`),
    );
  }
  if (isNotThere(error)) {
    return new PathNotFoundError(
      `${cannot}: there is no such object (${told}).`,
      url,
      options("Check bucket and key; case matters."),
    );
  }
  switch (code) {
    case "InvalidAccessKeyId":
      return new StorageAccessError(`${cannot}: the server does not know the access key (${told}).`, url, {
        ...options("Check the access key, and that it is one of this endpoint's."),
      });
    case "SignatureDoesNotMatch":
      return new StorageAccessError(`${cannot}: the secret key does not fit the access key (${told}).`, url, {
        ...options("Check the secret key: a blank at its end, or a character that a shell has taken, is enough."),
      });
    case "InvalidToken":
      return new StorageAccessError(`${cannot}: the session token is not valid (${told}).`, url, {
        ...options(
          "A token belongs to the two keys it came with: set all three of the same answer, or leave the token out.",
        ),
      });
    case "ExpiredToken":
    case "ExpiredTokenException":
    case "TokenRefreshRequired":
    case "RequestExpired":
      return new StorageAccessError(`${cannot}: the credentials have expired (${told}).`, url, {
        ...options(
          "Get new ones (aws sso login, or a new session token), and run it again: what was finished is kept.",
        ),
      });
    case "RequestTimeTooSkewed":
      return new StorageAccessError(
        `${cannot}: this machine's clock is more than 15 minutes off the server's (${told}).`,
        url,
        {
          ...options("Set the clock, such as by timedatectl set-ntp true."),
        },
      );
  }
  if (isElsewhere(said) || status === 301 || status === 307) {
    const region = said.region === undefined ? "another region" : `region ${said.region}`;
    return new StorageError(`${cannot}: the bucket ${bucket} is in ${region} (${told}).`, url, {
      ...options(
        `Set fs.s3a.bucket.${bucket}.endpoint.region, or AWS_REGION${about.hasEndpoint ? ", and the endpoint of that region" : ""}.`,
      ),
    });
  }
  if (/^KMS\.|^KMS/.test(code) || /\bkms\b/i.test(said.message)) {
    return new StorageAccessError(
      `${cannot}: its encryption key cannot be used (${told}). ${withoutEnd(said.message)}.`,
      url,
      {
        ...options(
          `The credentials need ${verb === "read" ? "kms:Decrypt" : "kms:GenerateDataKey and kms:Decrypt"} on the key, which must be enabled.`,
        ),
      },
    );
  }
  if (code === "InvalidObjectState") {
    return new StorageAccessError(`${cannot}: the object lies in an archive (${told}).`, url, {
      ...options("Restore it first: aws s3api restore-object."),
    });
  }
  if (code === "MethodNotAllowed" || status === 405) {
    return new StorageError(`${cannot}: the server refuses ${operation} there (${told}).`, url, {
      ...options("A version that is a delete marker, or an object lock, may be the reason."),
    });
  }
  if (isBareRefusal(said)) {
    return new StorageAccessError(`${cannot}: the server refuses the request and may not say why (${told}).`, url, {
      ...options(
        "Most often a session token has expired or belongs to other keys, else fs.s3a.endpoint.region is not the bucket's. Mend that, and run it again: what was finished is kept.",
      ),
    });
  }
  if (status === 403) return denied(purpose, said, told, cause);
  if (TLS.test(code)) {
    return new StorageError(`${cannot}: no secure connection (${code}: ${withoutEnd(said.message)}).`, url, {
      ...options(
        code === "EPROTO" || /WRONG_VERSION/.test(code + said.message)
          ? "Where the server speaks plain HTTP, write http:// in fs.s3a.endpoint, or set fs.s3a.connection.ssl.enabled to false."
          : "Where the certificate is of your own authority, name its file in NODE_EXTRA_CA_CERTS before Node starts.",
      ),
    });
  }
  if (code === "ENOTFOUND") {
    return new StorageError(`${cannot}: there is no such server (${withoutEnd(said.message)}).`, url, {
      ...options(
        "Check fs.s3a.endpoint (or AWS_ENDPOINT_URL); a server of your own may need fs.s3a.path.style.access true.",
      ),
    });
  }
  if (code === "ERR_INVALID_URL") {
    return new StorageError(`${cannot}: the endpoint is no URL (${told}).`, url, {
      ...options("Begin it with http:// or https://, in AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or the profile."),
    });
  }
  if (code === "InvalidBucketName") {
    return new StorageError(`${cannot}: ${bucket} is no name of a bucket (${told}).`, url, {
      ...options("It has 3 to 63 small letters, digits, hyphens and dots."),
    });
  }
  const isPassing = failureOf(error).kind === "passing";
  const times = about.tries > 1 ? `, tried ${about.tries} times` : "";
  const why = NETWORK[code] ?? withoutEnd(said.message || "the request failed");
  return new StorageError(`${cannot}: ${why} (${told}${times}).`, url, {
    ...options(
      code in NETWORK
        ? "Check the network and fs.s3a.endpoint, then run it again: what was finished is kept."
        : isPassing
          ? "Run it again; what was finished is kept."
          : "Check bucket, key and settings: the same request will fail again. What was finished is kept.",
      true,
    ),
  });
}

/** What a permission is called by which AccessDenied is mended. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  HeadObject: "s3:GetObject",
  GetObject: "s3:GetObject",
  ListObjectsV2: "s3:ListBucket",
  PutObject: "s3:PutObject",
  CreateMultipartUpload: "s3:PutObject",
  UploadPart: "s3:PutObject",
  CompleteMultipartUpload: "s3:PutObject",
  AbortMultipartUpload: "s3:AbortMultipartUpload",
  ListMultipartUploads: "s3:ListBucketMultipartUploads",
  ListParts: "s3:ListMultipartUploadParts",
  CopyObject: "s3:PutObject, and s3:GetObject on what is copied",
  UploadPartCopy: "s3:PutObject, and s3:GetObject on what is copied",
  DeleteObject: "s3:DeleteObject",
  DeleteObjects: "s3:DeleteObject",
};

/** Requests about the bucket, not about a key. */
const OF_BUCKET = new Set(["ListObjectsV2", "ListMultipartUploads"]);

function denied(
  { url, bucket, verb, operation }: S3Purpose,
  said: Said,
  told: string,
  cause: Error,
): StorageAccessError {
  const key = url.replace(/^[^/]*\/\/[^/]*\/?/, "");
  const on = OF_BUCKET.has(operation) || key === "" ? `arn:aws:s3:::${bucket}` : `arn:aws:s3:::${bucket}/${key}`;
  const isMissing = ["HeadObject", "GetObject"].includes(operation)
    ? ` Without s3:ListBucket on arn:aws:s3:::${bucket} a key that is not there looks the same.`
    : "";
  const pays = " A bucket whose requester pays wants fs.s3a.requester.pays.enabled true.";
  const words = said.message === "" || /^access denied\.?$/i.test(said.message) ? "" : ` ${withoutEnd(said.message)}.`;
  return new StorageAccessError(`Cannot ${verb} ${url}: access denied (${told}).${words}`, url, {
    remedy: `The credentials need ${PERMISSIONS[operation] ?? operation} on ${on}.${isMissing}${pays}`,
    cause,
  });
}

/** An answer to HEAD has no body, so that an expired or wrong token and a wrong region are no more than 400. */
function isBareRefusal({ code, status }: Said): boolean {
  return status === 400 && code === "";
}

function isElsewhere({ code }: Said): boolean {
  return [
    "PermanentRedirect",
    "TemporaryRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "Redirect",
  ].includes(code);
}

function saidBy(error: unknown): Said {
  const { name, code, Code, message, Region, $metadata, $response } = error as {
    readonly name?: string;
    readonly code?: unknown;
    readonly Code?: unknown;
    readonly message?: string;
    readonly Region?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
  };
  const status = $metadata?.httpStatusCode ?? $response?.statusCode;
  const text = message ?? "";
  const region = $response?.headers?.["x-amz-bucket-region"] ?? (typeof Region === "string" ? Region : regionIn(text));
  return { code: codeIn(name ?? "", code ?? Code, text, status), status, message: text, region };
}

/** The name of an error that says something; the SDK has names of its own for answers without a body. */
function codeIn(name: string, code: unknown, message: string, status: number | undefined): string {
  if (/^checksum mismatch/i.test(message)) return "ChecksumMismatch";
  if (/XML parse error|Deserialization error/.test(message)) return "BrokenAnswer";
  if (status === undefined && typeof code === "string" && code !== "") return code;
  if (["Error", "UnknownError", "Unknown", "S3ServiceException", String(status), "Forbidden"].includes(name)) return "";
  return name;
}

function regionIn(message: string): string | undefined {
  return /expecting '([a-z0-9-]+)'/.exec(message)?.[1];
}

const withoutEnd = (text: string) => text.trim().replace(/\.$/, "");
