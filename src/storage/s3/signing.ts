import { createHash, createHmac } from "node:crypto";

/* AWS Signature Version 4 by headers, as S3 wants it (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html). */

/** Who signs. */
export interface Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What a signature is good for. */
export interface Scope {
  readonly service: string;
  readonly region: string;
}

export interface Unsigned {
  readonly method: string;
  /** Encoded, as it is sent; there is no query. */
  readonly path: string;
  /** By names in small letters, `host` among them. What signing needs is added. */
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | undefined;
  readonly date: Date;
}

const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, data: string) => createHmac("sha256", key).update(data);

const NOTHING = sha256("");

/** @returns the header `authorization` */
export function signed({ method, path, headers, body, date }: Unsigned, identity: Identity, scope: Scope): string {
  const time = date.toISOString().replace(/[-:]|\.\d+/g, "");
  const day = time.slice(0, 8);
  const hash = body ? sha256(body) : NOTHING;
  headers["x-amz-content-sha256"] = hash;
  headers["x-amz-date"] = time;
  if (identity.sessionToken !== undefined) headers["x-amz-security-token"] = identity.sessionToken;

  const names = Object.keys(headers).sort();
  const listed = names.join(";");
  const values = names.map((name) => `${name}:${headers[name]?.trim().replace(/ +/g, " ")}\n`).join("");
  const canonical = `${method}\n${path}\n\n${values}\n${listed}\n${hash}`;
  const credential = `${day}/${scope.region}/${scope.service}/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${time}\n${credential}\n${sha256(canonical)}`;
  const signature = hmac(keyOf(identity, scope, day), text).digest("hex");
  return `AWS4-HMAC-SHA256 Credential=${identity.accessKeyId}/${credential}, SignedHeaders=${listed}, Signature=${signature}`;
}

/** The day's keys, by the identities that the SDK gives and forgets. */
const keys = new WeakMap<Identity, Map<string, Buffer>>();

function keyOf(identity: Identity, { region, service }: Scope, day: string): Buffer {
  const known = keys.get(identity) ?? new Map<string, Buffer>();
  keys.set(identity, known);
  const name = `${day} ${region} ${service}`;
  let key = known.get(name);
  if (!key) {
    const steps = [day, region, service, "aws4_request"];
    key = steps.reduce((made, step) => hmac(made, step).digest(), Buffer.from(`AWS4${identity.secretAccessKey}`));
    known.set(name, key);
  }
  return key;
}
