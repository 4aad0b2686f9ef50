import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "./free-ports";

export type S3ServerName = "versitygw" | "s3proxy";

/** Who speaks to a server: its address and keys. */
export interface S3Access {
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** A request that is signed without an SDK; `key` begins with the bucket. */
export interface SignedRequest {
  readonly method?: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** An S3 server on this machine, with a folder of its own. */
export interface S3Server extends S3Access {
  readonly name: S3ServerName;
  readonly region: string;
  /** Settings by which `storagesFrom` reaches it. */
  readonly settings: Readonly<Record<string, string>>;
  /** The same as variables of the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Makes an object look as if it had been written that long ago. @param key begins with the bucket */
  age(key: string, milliseconds: number): void;
  /** Asks it past everything that is tested. */
  request(request: SignedRequest): Promise<Response>;
  /** Makes a bucket. @param bucket at least three characters */
  createBucket(bucket: string): Promise<void>;
  /** Puts an object. @param key begins with the bucket */
  put(key: string, body: string | Uint8Array, headers?: Readonly<Record<string, string>>): Promise<void>;
  /** All keys of a bucket, markers too, sorted. */
  keys(bucket: string): Promise<string[]>;
  /** The uploads of a bucket that nobody completed, as their keys. */
  uploads(bucket: string): Promise<string[]>;
  stop(): Promise<void>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
}

interface Started {
  readonly endpoint: string;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

interface Script {
  readonly region: string;
  startS3Server(
    server: S3ServerName,
    options: { folder: string; port?: number | undefined; accessKey: string; secretKey: string },
  ): Promise<Started>;
  signedFetch(access: S3Access, request: SignedRequest): Promise<Response>;
}

/** By a variable, since the script is JavaScript without declarations. */
const SCRIPT = "../../scripts/s3-server.mjs";

/** Starts a server on a free port; `npm test` has built it before. @param options.buckets made at once */
export async function startS3(options: { server?: S3ServerName; buckets?: readonly string[] } = {}): Promise<S3Server> {
  const { server: name = "versitygw", buckets = [] } = options;
  const { startS3Server, signedFetch, region } = (await import(SCRIPT)) as Script;
  const folder = mkdtempSync(join(tmpdir(), `pomona-${name}-`));
  const keys = { accessKey: "POMONATESTACCESSKEY1", secretKey: "pomona-test-secret-key-0123456789abcdef0" };
  const [port] = await freePorts(1);
  const started = await startS3Server(name, { folder, port, ...keys });
  const access: S3Access = { endpoint: started.endpoint, ...keys };
  const request = (one: SignedRequest) => signedFetch(access, one);
  const done = async (one: SignedRequest) => {
    const answer = await request(one);
    const text = await answer.text();
    if (!answer.ok)
      throw new Error(`${name}: ${one.method ?? "GET"} ${one.key}: ${answer.status} ${text.slice(0, 400)}`);
    return text;
  };
  const end = (how: () => Promise<void>) => async () => {
    await how();
    rmSync(folder, { recursive: true, force: true });
  };
  const server: S3Server = {
    name,
    region,
    ...access,
    settings: s3Settings(access, region),
    env: s3Environment(access, region),
    request,
    age(key, milliseconds) {
      // Both keep objects as files, whose time is the object's.
      const then = (Date.now() - milliseconds) / 1000;
      utimesSync(join(folder, "root", key), then, then);
    },
    async createBucket(bucket) {
      await done({ method: "PUT", key: bucket });
    },
    async put(key, body, headers = {}) {
      await done({ method: "PUT", key, body, headers });
    },
    async keys(bucket) {
      const found: string[] = [];
      for (let token: string | undefined, first = true; first || token !== undefined; first = false) {
        const query = { "list-type": "2", ...(token === undefined ? {} : { "continuation-token": token }) };
        const text = await done({ key: bucket, query });
        found.push(...textsIn(text, "Key"));
        [token] = textsIn(text, "NextContinuationToken");
      }
      return found.sort();
    },
    async uploads(bucket) {
      return textsIn(await done({ key: bucket, query: { uploads: "" } }), "Key");
    },
    stop: end(started.stop),
    kill: end(started.kill),
  };
  for (const bucket of buckets) await server.createBucket(bucket);
  return server;
}

/** Hadoop's settings for a server. */
export function s3Settings({ endpoint, accessKey, secretKey }: S3Access, region = "us-east-1"): Record<string, string> {
  return {
    "fs.s3a.endpoint": endpoint,
    "fs.s3a.endpoint.region": region,
    "fs.s3a.path.style.access": "true",
    "fs.s3a.access.key": accessKey,
    "fs.s3a.secret.key": secretKey,
  };
}

/** What the SDKs, aws, pandas and DuckDB take from the environment. */
export function s3Environment(
  { endpoint, accessKey, secretKey }: S3Access,
  region = "us-east-1",
): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: accessKey,
    AWS_SECRET_ACCESS_KEY: secretKey,
    // Nobody asks the instance's address for a role, nor reads the developer's own profile.
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  };
}

function textsIn(xml: string, element: string): string[] {
  const found = xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, "g"));
  return [...found].map(([, text]) => unescaped(text as string));
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(#x?[0-9a-fA-F]+|\w+);/g, (whole, name: string) => {
    if (name.startsWith("#x")) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith("#")) return String.fromCodePoint(Number(name.slice(1)));
    return ENTITIES[name] ?? whole;
  });
}
