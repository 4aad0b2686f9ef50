import type { IncomingMessage } from "node:http";

/** A request to S3 as the fault proxy saw it. */
export interface S3Request {
  readonly operation: string;
  readonly method: string;
  /** Empty for the list of buckets. */
  readonly bucket: string;
  /** Decoded; empty for the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  /** The header `range`, such as `bytes=0-99`. */
  readonly range: string | undefined;
  readonly headers: IncomingMessage["headers"];
  /** Bytes of its body that came, as they are sent: with the checksums of chunks. */
  sent: number;
  /** The status that the client was answered with; 0 where it got no answer. */
  status: number;
  /** Bytes of the answer's body that the client was sent. */
  received: number;
  /** The kind of fault that it met. */
  fault?: string;
}

/** What S3 calls a request, by its form. The path has the bucket in it. */
export function s3Request({ method = "GET", url = "/", headers }: IncomingMessage): S3Request {
  const [path = "/", search = ""] = url.split("?", 2);
  const [, bucket = "", ...rest] = path.split("/");
  const key = decodeURIComponent(rest.join("/"));
  const query = new URLSearchParams(search);
  return {
    operation: operationOf(method, bucket, key, query, "x-amz-copy-source" in headers),
    method,
    bucket,
    key,
    query,
    range: headers.range,
    headers,
    sent: 0,
    status: 0,
    received: 0,
  };
}

function operationOf(method: string, bucket: string, key: string, query: URLSearchParams, isCopy: boolean): string {
  const form = bucket === "" ? "service" : key === "" ? "bucket" : "object";
  switch (`${method} ${form}`) {
    case "GET service":
      return "ListBuckets";
    case "GET bucket":
      if (query.has("location")) return "GetBucketLocation";
      if (query.has("uploads")) return "ListMultipartUploads";
      return query.has("list-type") ? "ListObjectsV2" : "ListObjects";
    case "HEAD bucket":
      return "HeadBucket";
    case "PUT bucket":
      return "CreateBucket";
    case "POST bucket":
      return "DeleteObjects";
    case "GET object":
      return query.has("uploadId") ? "ListParts" : "GetObject";
    case "HEAD object":
      return "HeadObject";
    case "PUT object":
      if (query.has("partNumber")) return isCopy ? "UploadPartCopy" : "UploadPart";
      return isCopy ? "CopyObject" : "PutObject";
    case "POST object":
      return query.has("uploads") ? "CreateMultipartUpload" : "CompleteMultipartUpload";
    case "DELETE object":
      return query.has("uploadId") ? "AbortMultipartUpload" : "DeleteObject";
    default:
      return `${method} ${form}`;
  }
}
