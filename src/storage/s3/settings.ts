import { IllegalArgumentError } from "../../errors";
import { Secret } from "../../secret";
import type { StorageSettings } from "../storage";

/**
 * How a bucket is reached. All of it is optional in a session's settings: with nothing set the SDK's own chain finds
 * credentials and region, and the endpoint is Amazon's.
 */
export interface S3Settings {
  /** Another server than Amazon's, as a URL. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** `endpoint/bucket/key` in place of `bucket.endpoint/key`. */
  readonly pathStyle: boolean;
  /** Connections at once. */
  readonly connections: number;
  readonly requesterPays: boolean;
  readonly credentials: S3Credentials;
  readonly encryption: S3Encryption | undefined;
  /** How long a request may be silent before it is tried again, in milliseconds. */
  readonly silence: number;
  /** How often a request that failed for a passing reason is tried again. */
  readonly retries: number;
  /** Milliseconds before the first of them; twice as long before each further one. */
  readonly retryInterval: number;
  /** Bytes of an upload's part. */
  readonly partBytes: number;
}

/** Who asks. `chain` is the SDK's order: environment, profile, SSO, web identity, container, instance. */
export type S3Credentials =
  | { readonly kind: "chain" }
  | { readonly kind: "anonymous" }
  | {
      readonly kind: "keys";
      readonly accessKey: Secret;
      readonly secretKey: Secret;
      readonly sessionToken: Secret | undefined;
    }
  | { readonly kind: "environment" | "container" | "webIdentity" }
  | { readonly kind: "profile"; readonly name: string | undefined }
  | { readonly kind: "assumedRole"; readonly arn: string; readonly sessionName: string; readonly from: S3Credentials };

/** How the server encrypts what is written. */
export type S3Encryption =
  | { readonly algorithm: "AES256" }
  | { readonly algorithm: "aws:kms"; readonly key: string | undefined };

const MIB = 1024 * 1024;

/** S3 takes no smaller parts but the last. */
const LEAST_PART = 5 * MIB;

/**
 * The settings that are heeded, as Hadoop's S3A names them after `fs.s3a.` or `fs.s3a.bucket.<name>.`.
 * @see https://hadoop.apache.org/docs/stable/hadoop-aws/tools/hadoop-aws/index.html
 */
const HEEDED = [
  "access.key",
  "secret.key",
  "session.token",
  "endpoint",
  "endpoint.region",
  "path.style.access",
  "connection.ssl.enabled",
  "connection.maximum",
  "connection.timeout",
  "aws.credentials.provider",
  "assumed.role.arn",
  "assumed.role.session.name",
  "assumed.role.credentials.provider",
  "auth.profile.name",
  "requester.pays.enabled",
  "encryption.algorithm",
  "encryption.key",
  "server-side-encryption-algorithm",
  "server-side-encryption.key",
  "retry.limit",
  "retry.interval",
  "multipart.size",
] as const;

type Heeded = (typeof HEEDED)[number];

/** Older names for the same. */
const OTHER_NAMES: Readonly<Partial<Record<Heeded, readonly string[]>>> = {
  "access.key": ["fs.s3.awsAccessKeyId", "fs.s3n.awsAccessKeyId", "fs.s3.access.key"],
  "secret.key": ["fs.s3.awsSecretAccessKey", "fs.s3n.awsSecretAccessKey", "fs.s3.secret.key"],
  "requester.pays.enabled": ["fs.s3.useRequesterPaysHeader"],
};

/** True for a setting of S3 that is heeded here. @param key from `fs.` on */
export function isS3Setting(key: string): boolean {
  if (Object.values(OTHER_NAMES).some((names) => names.includes(key))) return true;
  return HEEDED.some(
    (name) => key === `fs.s3a.${name}` || (/^fs\.s3a\.bucket\.[^/]+$/.test(key) && key.endsWith(`.${name}`)),
  );
}

/**
 * How one bucket is reached.
 * @param settings a session's, from `fs.` on
 * @throws IllegalArgumentError for a value that is none, naming the setting
 */
export function s3Settings(settings: StorageSettings, bucket: string): S3Settings {
  const read = reader(settings, bucket);
  const ssl = read.flag("connection.ssl.enabled", true);
  const given = read.text("endpoint");
  const endpoint = given === undefined ? undefined : endpointUrl(given, ssl, read.nameOf("endpoint"));
  const isAmazons = endpoint !== undefined && /(?:^|\.)amazonaws\.com(?:\.cn)?$/.test(new URL(endpoint).hostname);
  return {
    // Amazon's own address says no more than its region, which its own rules turn into the right address.
    endpoint: isAmazons ? undefined : endpoint,
    region: read.text("endpoint.region") ?? (isAmazons ? regionOfHost(new URL(endpoint).hostname) : undefined),
    pathStyle: read.flag("path.style.access", false),
    connections: read.count("connection.maximum", 96),
    requesterPays: read.flag("requester.pays.enabled", false),
    credentials: credentialsOf(read),
    encryption: encryptionOf(read),
    silence: read.duration("connection.timeout", 30_000),
    retries: read.count("retry.limit", 7),
    retryInterval: read.duration("retry.interval", 200),
    partBytes: Math.max(LEAST_PART, read.bytes("multipart.size", 8 * MIB)),
  };
}

/** True where a bucket's server can read another's objects with the credentials of both: they are the same. */
export function isOneServer(one: S3Settings, other: S3Settings): boolean {
  return one.endpoint === other.endpoint && isOneOwner(one.credentials, other.credentials);
}

function isOneOwner(one: S3Credentials, other: S3Credentials): boolean {
  switch (one.kind) {
    case "keys":
      return other.kind === "keys" && one.accessKey.reveal() === other.accessKey.reveal();
    case "profile":
      return other.kind === "profile" && one.name === other.name;
    case "assumedRole":
      return other.kind === "assumedRole" && one.arn === other.arn;
    default:
      return one.kind === other.kind;
  }
}

type Reader = ReturnType<typeof reader>;

function reader(settings: StorageSettings, bucket: string) {
  const nameOf = (name: Heeded) => {
    const own = `fs.s3a.bucket.${bucket}.${name}`;
    if (settings[own] !== undefined) return own;
    const names = [`fs.s3a.${name}`, ...(OTHER_NAMES[name] ?? [])];
    return names.find((each) => settings[each] !== undefined) ?? `fs.s3a.${name}`;
  };
  const text = (name: Heeded) => settings[nameOf(name)]?.trim() || undefined;
  const refuse = (name: Heeded, is: string): never => {
    throw new IllegalArgumentError(`${nameOf(name)} must be ${is}, not ${JSON.stringify(text(name))}.`);
  };
  return {
    nameOf,
    text,
    secret(name: Heeded): Secret | undefined {
      const value = text(name);
      return value === undefined ? undefined : new Secret(value);
    },
    flag(name: Heeded, usual: boolean): boolean {
      const value = text(name)?.toLowerCase();
      if (value === undefined) return usual;
      return value === "true" || value === "false" ? value === "true" : refuse(name, "true or false");
    },
    count(name: Heeded, usual: number): number {
      const value = text(name) ?? String(usual);
      return /^\d{1,9}$/.test(value) ? Number(value) : refuse(name, "a whole number");
    },
    /** Milliseconds where there is no unit, as in Hadoop. */
    duration(name: Heeded, usual: number): number {
      const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/i.exec(text(name) ?? String(usual));
      if (!match) return refuse(name, 'a time such as "500ms", "30s" or "5m"');
      const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2]?.toLowerCase() ?? "ms"] ?? 1;
      return Math.round(Number(match[1]) * unit);
    },
    bytes(name: Heeded, usual: number): number {
      const match = /^(\d+)\s*([kmg]?)b?$/i.exec(text(name) ?? String(usual));
      if (!match) return refuse(name, 'a size such as "64M"');
      return Number(match[1]) * ({ k: 1024, m: MIB, g: 1024 * MIB }[match[2]?.toLowerCase() ?? ""] ?? 1);
    },
  };
}

function endpointUrl(text: string, ssl: boolean, name: string): string {
  try {
    const url = new URL(/^https?:\/\//i.test(text) ? text : `${ssl ? "https" : "http"}://${text}`);
    if (url.username === "" && url.password === "") return url.href.replace(/\/$/, "");
  } catch {
    // Said below, without the text: it may hold a key.
  }
  throw new IllegalArgumentError(
    `${name} is not an address such as "s3.eu-west-1.example.org" or "http://localhost:9000".`,
  );
}

/** `s3.eu-west-1.amazonaws.com` and `s3-eu-west-1.amazonaws.com` name a region; `s3.amazonaws.com` does not. */
function regionOfHost(host: string): string | undefined {
  return /s3[.-](?:dualstack\.|fips\.)?([a-z]{2}(?:-[a-z]+)+-\d)\./.exec(host)?.[1];
}

/** Classes of Hadoop and Amazon that people's settings name, by their last part. */
const PROVIDERS: Readonly<Record<string, (read: Reader) => S3Credentials>> = {
  SimpleAWSCredentialsProvider: keysOf,
  TemporaryAWSCredentialsProvider: keysOf,
  AnonymousAWSCredentialsProvider: () => ({ kind: "anonymous" }),
  AnonymousCredentialsProvider: () => ({ kind: "anonymous" }),
  EnvironmentVariableCredentialsProvider: () => ({ kind: "environment" }),
  IAMInstanceCredentialsProvider: () => ({ kind: "container" }),
  InstanceProfileCredentialsProvider: () => ({ kind: "container" }),
  ContainerCredentialsProvider: () => ({ kind: "container" }),
  EC2ContainerCredentialsProviderWrapper: () => ({ kind: "container" }),
  WebIdentityTokenCredentialsProvider: () => ({ kind: "webIdentity" }),
  WebIdentityTokenFileCredentialsProvider: () => ({ kind: "webIdentity" }),
  ProfileCredentialsProvider: (read) => ({ kind: "profile", name: read.text("auth.profile.name") }),
  ProfileAWSCredentialsProvider: (read) => ({ kind: "profile", name: read.text("auth.profile.name") }),
  AssumedRoleCredentialProvider: assumedRole,
  DefaultCredentialsProvider: () => ({ kind: "chain" }),
  DefaultAWSCredentialsProviderChain: () => ({ kind: "chain" }),
};

function credentialsOf(read: Reader): S3Credentials {
  const named = providersOf(read, "aws.credentials.provider");
  const hasKeys = read.text("access.key") !== undefined || read.text("secret.key") !== undefined;
  if (named.length === 0) return hasKeys ? keysOf(read) : { kind: "chain" };
  const made = named.map((name) => providerOf(read, name, "aws.credentials.provider"));
  // A list is tried in order; whoever lists keys before others means the others where no keys are set.
  const wanted = made.filter((make) => make !== keysOf || hasKeys);
  const [first, ...others] = (wanted.length > 0 ? wanted : made).map((make) => make(read));
  return first!.kind === "keys" || first!.kind === "anonymous" || others.length === 0 ? first! : { kind: "chain" };
}

function providersOf(read: Reader, setting: Heeded): string[] {
  return (read.text(setting) ?? "").split(",").flatMap((name) => name.trim() || []);
}

function providerOf(read: Reader, name: string, setting: Heeded): (read: Reader) => S3Credentials {
  const make = PROVIDERS[name.slice(name.lastIndexOf(".") + 1)];
  if (make) return make;
  throw new IllegalArgumentError(`${read.nameOf(setting)} names a provider that is not known here: ${name}.`, {
    remedy: `Known by their last part: ${Object.keys(PROVIDERS).join(", ")}. Leave it out for the usual order: environment, profile, SSO, web identity, container, instance.`,
  });
}

function keysOf(read: Reader): S3Credentials {
  const accessKey = read.secret("access.key");
  const secretKey = read.secret("secret.key");
  if (accessKey && secretKey) return { kind: "keys", accessKey, secretKey, sessionToken: read.secret("session.token") };
  const [missing, given] = accessKey
    ? (["secret.key", "access.key"] as const)
    : (["access.key", "secret.key"] as const);
  throw new IllegalArgumentError(
    `${read.nameOf(missing)} is not set, and ${read.nameOf(given)} alone is no credential.`,
    {
      remedy: "Set both, or neither: then environment, profile, SSO, web identity, container and instance are asked.",
    },
  );
}

function assumedRole(read: Reader): S3Credentials {
  const arn = read.text("assumed.role.arn");
  if (arn === undefined) {
    throw new IllegalArgumentError(`${read.nameOf("assumed.role.arn")} is not set.`, {
      remedy: "AssumedRoleCredentialProvider needs the role's ARN.",
    });
  }
  const [base] = providersOf(read, "assumed.role.credentials.provider");
  const hasKeys = read.text("access.key") !== undefined;
  const from = base ? providerOf(read, base, "assumed.role.credentials.provider") : hasKeys ? keysOf : undefined;
  const sessionName = read.text("assumed.role.session.name") ?? "pomona";
  return { kind: "assumedRole", arn, sessionName, from: from?.(read) ?? { kind: "chain" } };
}

function encryptionOf(read: Reader): S3Encryption | undefined {
  const name =
    read.text("encryption.algorithm") === undefined ? "server-side-encryption-algorithm" : "encryption.algorithm";
  const algorithm = read.text(name)?.toUpperCase();
  switch (algorithm) {
    case undefined:
      return undefined;
    case "AES256":
    case "SSE-S3":
      return { algorithm: "AES256" };
    case "SSE-KMS":
    case "AWS:KMS":
      return { algorithm: "aws:kms", key: read.text("encryption.key") ?? read.text("server-side-encryption.key") };
    default:
      throw new IllegalArgumentError(
        `${read.nameOf(name)} must be AES256 or SSE-KMS, not ${JSON.stringify(algorithm)}.`,
        {
          remedy:
            "Keys that the client has (SSE-C, CSE) are not supported: data would be unreadable for others without a word.",
        },
      );
  }
}
