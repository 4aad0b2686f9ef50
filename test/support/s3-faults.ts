/** What the proxy does to a request instead of passing it on, or to its answer. */
export type S3Fault =
  /** The connection ends before an answer; `after`: the server has done what was asked, only its answer is lost. */
  | { readonly kind: "drop"; readonly after?: boolean }
  /** An answer of our own. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly body: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** The server has done what was asked. */
      readonly after?: boolean;
    }
  /** The answer's body ends by a reset after that many bytes. */
  | { readonly kind: "reset"; readonly bytes: number }
  /** The answer's body ends after that many bytes, and with it the connection, whatever content-length said. */
  | { readonly kind: "cut"; readonly bytes: number }
  /** Silence: before the answer, or after that many bytes of its body. */
  | { readonly kind: "stall"; readonly bytes?: number }
  /** The first byte of the answer comes late. */
  | { readonly kind: "slow"; readonly milliseconds: number }
  /** One byte of the answer's body is another, which its checksum tells. */
  | { readonly kind: "changed" }
  /** The answer's checksum is another. */
  | { readonly kind: "checksum" }
  /** The connection is reset once that many bytes of the request's body came. */
  | { readonly kind: "resetUpload"; readonly bytes: number }
  /** 403 where the server says 404, as S3 does for who may not list the bucket. */
  | { readonly kind: "hideMissing" };

/** An error as S3 says it. @param fields further elements, such as `{ Region: "eu-west-3" }` */
export function s3Error(
  status: number,
  code: string,
  message: string,
  fields: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
): S3Fault {
  const elements = Object.entries({
    Code: code,
    Message: message,
    ...fields,
    RequestId: "TESTREQUEST",
    HostId: "TESTHOST",
  });
  const inner = elements.map(([name, value]) => `<${name}>${value}</${name}>`).join("");
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${inner}</Error>`;
  return { kind: "answer", status, body, headers: { "content-type": "application/xml", ...headers } };
}

/** What S3 answers, with its own words. @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export const s3Errors = {
  slowDown: s3Error(503, "SlowDown", "Please reduce your request rate."),
  internalError: s3Error(500, "InternalError", "We encountered an internal error. Please try again."),
  serviceUnavailable: s3Error(503, "ServiceUnavailable", "Service is unable to handle request."),
  /** A load balancer's, which is no XML. */
  badGateway: {
    kind: "answer",
    status: 502,
    body: "<html><body><h1>502 Bad Gateway</h1></body></html>",
    headers: { "content-type": "text/html" },
  },
  requestTimeout: s3Error(
    400,
    "RequestTimeout",
    "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.",
  ),
  accessDenied: s3Error(403, "AccessDenied", "Access Denied"),
  invalidAccessKeyId: s3Error(
    403,
    "InvalidAccessKeyId",
    "The AWS Access Key Id you provided does not exist in our records.",
  ),
  signatureDoesNotMatch: s3Error(
    403,
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
  ),
  expiredToken: s3Error(400, "ExpiredToken", "The provided token has expired."),
  invalidToken: s3Error(400, "InvalidToken", "The provided token is malformed or otherwise invalid."),
  requestTimeTooSkewed: s3Error(
    403,
    "RequestTimeTooSkewed",
    "The difference between the request time and the current time is too large.",
    { RequestTime: "20261126T120000Z", ServerTime: "2026-11-26T14:00:00Z", MaxAllowedSkewMilliseconds: "900000" },
  ),
  noSuchBucket: s3Error(404, "NoSuchBucket", "The specified bucket does not exist"),
  kmsDenied: s3Error(
    403,
    "AccessDenied",
    "User: arn:aws:iam::123456789012:user/ana is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-3:123456789012:key/1234 because no identity-based policy allows the kms:Decrypt action",
  ),
  kmsDisabled: s3Error(400, "KMS.DisabledException", "arn:aws:kms:eu-west-3:123456789012:key/1234 is disabled."),
  invalidObjectState: s3Error(403, "InvalidObjectState", "The operation is not valid for the object's storage class", {
    StorageClass: "GLACIER",
  }),
  conflict: s3Error(409, "ConditionalRequestConflict", "A conflicting conditional operation is currently in progress."),
} as const satisfies Record<string, S3Fault>;

/** The bucket is in another region, which S3 tells. */
export const permanentRedirect = (region: string): S3Fault =>
  s3Error(
    301,
    "PermanentRedirect",
    "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
    { Endpoint: `bucket.s3-${region}.amazonaws.com`, Bucket: "bucket" },
    { "x-amz-bucket-region": region },
  );

/** The request was signed for another region than the bucket's. */
export const wrongRegion = (region: string, signedFor = "us-east-1"): S3Fault =>
  s3Error(
    400,
    "AuthorizationHeaderMalformed",
    `The authorization header is malformed; the region '${signedFor}' is wrong; expecting '${region}'`,
    { Region: region },
    { "x-amz-bucket-region": region },
  );
