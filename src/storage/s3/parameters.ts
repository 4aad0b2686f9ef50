import type { S3Settings } from "./settings";

/* The parts of requests that many of them have. */

/** What must be there for a write to happen: nothing, or one version. */
export type Condition = { readonly ifNoneMatch: "*" } | { readonly ifMatch: string };

/** Who pays. */
export function payer({ requesterPays }: S3Settings): { RequestPayer?: "requester" } {
  return requesterPays ? { RequestPayer: "requester" } : {};
}

export function conditions(condition: Condition | undefined): { IfNoneMatch?: string; IfMatch?: string } {
  if (condition === undefined) return {};
  return "ifNoneMatch" in condition ? { IfNoneMatch: "*" } : { IfMatch: condition.ifMatch };
}

export function encryption({ encryption }: S3Settings): {
  ServerSideEncryption?: "AES256" | "aws:kms";
  SSEKMSKeyId?: string;
} {
  if (encryption === undefined) return {};
  const { algorithm } = encryption;
  const key = algorithm === "aws:kms" ? encryption.key : undefined;
  return { ServerSideEncryption: algorithm, ...(key === undefined ? {} : { SSEKMSKeyId: key }) };
}

/** To copy or to put together gigabytes takes the server a minute or two: so many times the usual silence. */
export const AT_WORK = 4;
