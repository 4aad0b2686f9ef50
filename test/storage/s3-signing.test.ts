import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import type { SourceData } from "@smithy/types";
import { describe, expect, it } from "vitest";
import { signed } from "../../src/storage/s3/signing";

/** The hash that the SDK's signer is given. */
class Sha256 {
  private readonly hash;
  constructor(secret?: SourceData) {
    this.hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret as string | Uint8Array);
  }
  update(data: SourceData): void {
    this.hash.update(data as string | Uint8Array);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.hash.digest());
  }
  reset(): void {}
}

const REQUESTS: readonly {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
  readonly token?: string;
  readonly region?: string;
}[] = [
  { name: "a read", method: "GET", path: "/bucket/Test/1.jpg" },
  {
    name: "a range of one version",
    method: "GET",
    path: "/b/k",
    headers: { range: "bytes=0-9", "if-match": '"ab  c"' },
  },
  { name: "an empty write", method: "PUT", path: "/k", body: new Uint8Array() },
  {
    name: "a write with a checksum, by somebody with a token",
    method: "PUT",
    path: "/a%20b/%C3%A9%21%27%28%29%2A",
    headers: { "content-type": "application/octet-stream", "x-amz-checksum-crc32": "AAAAAA==" },
    body: Buffer.from("an apple"),
    token: "a/token+of=many//characters",
  },
  {
    name: "a copy in another region",
    method: "PUT",
    path: "/bucket//double//slash/..",
    headers: { "x-amz-copy-source": "other/k%2Bk", "x-amz-request-payer": "requester" },
    region: "eu-central-1",
  },
];

describe("a signature by headers", () => {
  it.each(REQUESTS)("of $name is the one that the SDK's signer makes", async (request) => {
    const { method, path, body, token, region = "us-east-1" } = request;
    const date = new Date("2026-11-26T15:00:00.123Z");
    const identity = { accessKeyId: "KEY", secretAccessKey: "se/cr+et", ...(token ? { sessionToken: token } : {}) };
    const signer = new SignatureV4({
      credentials: identity,
      region,
      service: "s3",
      sha256: Sha256,
      uriEscapePath: false,
    });
    const headers: Record<string, string> = { host: "s3.example.org:7070", ...request.headers };
    const theirs = await signer.sign(
      {
        method,
        protocol: "http:",
        hostname: "s3.example.org",
        port: 7070,
        path,
        query: {},
        headers: { ...headers },
        body,
      },
      { signingDate: date },
    );
    const authorization = signed({ method, path, headers, body, date }, identity, { service: "s3", region });
    expect({ ...headers, authorization }).toEqual({
      ...theirs.headers,
      "x-amz-content-sha256": createHash("sha256")
        .update(body ?? "")
        .digest("hex"),
    });
  });
});
