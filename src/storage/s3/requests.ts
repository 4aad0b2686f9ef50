import { setMaxListeners } from "node:events";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { throwIfAborted } from "../../errors";
import type { RetryListener } from "../retries";
import type { StorageSettings } from "../storage";
import { credentialsFor } from "./credentials";
import { type Agents, directSender, type Sdk, type SendDirectly } from "./direct";
import { failureOf, type S3Purpose, storageError } from "./failures";
import { type S3Settings, s3Settings } from "./settings";

/** What one try of a request works with. */
export interface Attempt {
  readonly client: S3Client;
  /** For what comes by thousands. */
  readonly sendDirectly: SendDirectly;
  readonly sdk: Sdk;
  readonly settings: S3Settings;
  /** To be handed to the SDK: ends the try where it is silent for too long, or the caller's signal is aborted. */
  readonly abortSignal: AbortSignal;
  /** To be called whenever something has come. */
  alive(): void;
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** How many times as long as others it may be silent: the server has to work before it answers. @default 1 */
  readonly patience?: number;
}

/** Sends requests to S3: with a bucket's settings and credentials, tried again where that helps, never silent for ever. */
export interface S3Requests {
  /** @throws StorageError; what `pass` says true of is thrown as it is */
  send<T>(
    purpose: S3Purpose,
    work: (attempt: Attempt) => Promise<T>,
    options?: RequestOptions & { readonly pass?: (error: unknown) => boolean },
  ): Promise<T>;
  settingsOf(bucket: string): S3Settings;
}

/** How the buckets are reached that are reached in the same way. */
interface Access {
  readonly client: S3Client;
  readonly sendDirectly: SendDirectly;
}

/** Loaded with the first request: it takes a while, and most programs need none of it. */
let loadedSdk: Promise<Sdk> | undefined;

function loadSdk(): Promise<Sdk> {
  // It asks to leave Node 20 at every start; the pinned version runs there.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  loadedSdk ??= import("@aws-sdk/client-s3");
  return loadedSdk;
}

/** How often a request follows its bucket to another region. */
const MOST_MOVES = 3;

/** No wait is longer. */
const LONGEST_DELAY = 20_000;

export function s3Requests(storage: StorageSettings, onRetry: RetryListener = () => {}): S3Requests {
  const buckets = new Map<string, S3Settings>();
  const accesses = new Map<string, Access>();
  const accessOf = new Map<string, Access>();
  /** Where S3 has told that buckets are. */
  const regions = new Map<string, string>();

  const settingsOf = (bucket: string): S3Settings => {
    const known = buckets.get(bucket);
    if (known) return known;
    const made = s3Settings(storage, bucket);
    buckets.set(bucket, made);
    return made;
  };
  const keyOf = (bucket: string) => `${regions.get(bucket) ?? ""} ${clientKey(settingsOf(bucket), storage, bucket)}`;
  const accessTo = (bucket: string, sdk: Sdk): Access => {
    const known = accessOf.get(bucket);
    if (known) return known;
    const key = keyOf(bucket);
    const access = accesses.get(key) ?? makeAccess(settingsOf(bucket), regions.get(bucket), sdk);
    accesses.set(key, access);
    accessOf.set(bucket, access);
    return access;
  };

  return {
    settingsOf,
    async send(purpose, work, { signal, patience = 1, pass } = {}) {
      const { bucket } = purpose;
      const settings = settingsOf(bucket);
      const sdk = await loadSdk();
      const silence = settings.silence * patience;
      let renewed = false;
      let moves = 0;
      for (let retry = 0; ; ) {
        throwIfAborted(signal);
        const access = accessTo(bucket, sdk);
        const watch = watched(silence, signal);
        try {
          return await work({ ...access, sdk, settings, abortSignal: watch.signal, alive: watch.alive });
        } catch (thrown) {
          throwIfAborted(signal);
          const error = watch.isSilent() ? silent(silence) : thrown;
          if (pass?.(error)) throw error;
          const fail = () =>
            storageError(error, purpose, { tries: retry + 1, hasEndpoint: settings.endpoint !== undefined });
          const failure = failureOf(error);
          switch (failure.kind) {
            case "final":
              throw fail();
            case "region":
              if (regions.get(bucket) === failure.region || ++moves > MOST_MOVES) throw fail();
              regions.set(bucket, failure.region);
              accessOf.delete(bucket);
              break;
            case "expired":
              // Keys that were written down stay what they are; others are asked for anew.
              if (renewed || settings.credentials.kind === "keys") throw fail();
              renewed = true;
              accesses.delete(keyOf(bucket));
              accessOf.clear();
              break;
            case "passing": {
              if (retry >= Math.min(settings.retries, failure.most ?? settings.retries)) throw fail();
              const delay = delayBefore(retry++, settings.retryInterval);
              const { url, operation } = purpose;
              onRetry({ url, operation, why: failure.what, retry, delay });
              await sleep(delay, undefined, signal ? { signal } : {}).catch(() => throwIfAborted(signal));
            }
          }
        } finally {
          watch.end();
        }
      }
    },
  };
}

/** Equal for buckets that one client serves. */
function clientKey(settings: S3Settings, storage: StorageSettings, bucket: string): string {
  const { endpoint, region, pathStyle, connections, silence, credentials } = settings;
  const own = Object.keys(storage).some((key) => key.startsWith(`fs.s3a.bucket.${bucket}.`)) ? bucket : "";
  return JSON.stringify([own, endpoint, region, pathStyle, connections, silence, credentials.kind]);
}

function makeAccess(settings: S3Settings, knownRegion: string | undefined, sdk: Sdk): Access {
  const kept = { keepAlive: true, maxSockets: settings.connections, scheduling: "lifo" } as const;
  const agents = { http: new HttpAgent(kept), https: new HttpsAgent(kept) };
  const client = new sdk.S3Client(clientConfig(settings, knownRegion, agents, sdk));
  return { client, sendDirectly: directSender(client, sdk, agents, settings.credentials.kind === "anonymous") };
}

function clientConfig(settings: S3Settings, knownRegion: string | undefined, agents: Agents, sdk: Sdk): S3ClientConfig {
  const { endpoint, pathStyle } = settings;
  const region = knownRegion ?? settings.region;
  return {
    // Requests are tried again here, where it can be told.
    maxAttempts: 1,
    forcePathStyle: pathStyle || endpointInEnvironment(endpoint),
    ...(endpoint === undefined ? {} : { endpoint }),
    region: region ?? onceTold(() => foundRegion(sdk)),
    ...credentialsFor(settings.credentials, region),
    requestHandler: {
      httpAgent: agents.http,
      httpsAgent: agents.https,
      connectionTimeout: Math.min(settings.silence, 10_000),
      // Hundreds of requests may wait for a connection: that is how reading ahead works, and no reason for a warning.
      socketAcquisitionWarningTimeout: 2 ** 31 - 1,
    },
  };
}

/** A server named by its address is asked by path: its buckets have no names of their own. */
function endpointInEnvironment(endpoint: string | undefined): boolean {
  const address = endpoint ?? process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL;
  if (address === undefined) return false;
  try {
    const { hostname } = new URL(address);
    return hostname === "localhost" || /^[\d.]+$|^\[/.test(hostname);
  } catch {
    return false;
  }
}

/** What the SDK finds, else the region whose endpoint knows all buckets: where a bucket is elsewhere S3 tells, and that is followed. */
async function foundRegion(sdk: Sdk): Promise<string> {
  return new sdk.S3Client({}).config.region().catch(() => "us-east-1");
}

/** The SDK asks with each request, and finding out is as much work as ten requests. */
function onceTold<T>(ask: () => Promise<T>): () => Promise<T> {
  let told: Promise<T> | undefined;
  return () => (told ??= ask());
}

/** Full jitter: a crowd that was turned away together comes back one by one. */
function delayBefore(retry: number, interval: number): number {
  const longest = Math.min(LONGEST_DELAY, interval * 2 ** retry);
  return Math.round(longest / 2 + (Math.random() * longest) / 2);
}

function watched(milliseconds: number, outer: AbortSignal | undefined) {
  const controller = new AbortController();
  let isSilent = false;
  const timer = setTimeout(() => {
    isSilent = true;
    controller.abort();
  }, milliseconds);
  const onAbort = () => controller.abort(outer?.reason);
  // A hundred requests wait for one signal: Node takes that for a leak, and says so on the user's screen.
  if (outer) setMaxListeners(0, outer);
  outer?.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    isSilent: () => isSilent,
    alive: () => void timer.refresh(),
    end() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", onAbort);
    },
  };
}

function silent(milliseconds: number): Error {
  return Object.assign(new Error(`nothing came for ${(milliseconds / 1000).toFixed(1)} s`), { code: "TimeoutError" });
}
