import http, { type Agent as HttpAgent, type IncomingHttpHeaders } from "node:http";
import https, { type Agent as HttpsAgent } from "node:https";
import type {
  CopyObjectCommandInput,
  GetObjectCommandInput,
  PutObjectCommandInput,
  S3Client,
} from "@aws-sdk/client-s3";
import { crc32Of, verify } from "./checksums";
import { toldInPieces } from "./sending";
import { type Identity, type Scope, signed } from "./signing";

/* The requests that come by thousands, one or two for each small file. The SDK's own work on each takes four times as long as all of this. */

export type Sdk = typeof import("@aws-sdk/client-s3");

/** Connections, which are kept. */
export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

interface Inputs {
  GetObject: GetObjectCommandInput;
  /** Bytes, whose length is known. */
  PutObject: PutObjectCommandInput & { readonly Body: Uint8Array };
  CopyObject: CopyObjectCommandInput;
}

export type DirectRequest = { [O in keyof Inputs]: { readonly operation: O; readonly input: Inputs[O] } }[keyof Inputs];

export interface DirectAnswer {
  readonly etag: string | undefined;
  /** As the header says it, such as `bytes 0-9/100`. */
  readonly range: string | undefined;
  readonly bytes: Uint8Array;
}

export interface DirectOptions {
  readonly abortSignal: AbortSignal;
  alive(): void;
}

/** Sends a request, and takes all of its answer. Errors look like the SDK's. */
export type SendDirectly = (request: DirectRequest, options: DirectOptions) => Promise<DirectAnswer>;

/** What a request says in headers; what else it may say only the SDK sends. */
const HEADERS: Readonly<Record<string, string>> = {
  Range: "range",
  IfMatch: "if-match",
  IfNoneMatch: "if-none-match",
  CopySource: "x-amz-copy-source",
  ServerSideEncryption: "x-amz-server-side-encryption",
  SSEKMSKeyId: "x-amz-server-side-encryption-aws-kms-key-id",
  RequestPayer: "x-amz-request-payer",
};

/** A longer body goes up by the SDK, piece by piece. */
const LONGEST_BODY = 256 * 1024;

/** How long a connection may take to be made. */
const CONNECT_MS = 10_000;

/** Where a bucket is, as the SDK has found it. */
interface Route {
  readonly url: URL;
  /** Absent where nothing is signed. */
  readonly scope: Scope | undefined;
  readonly sendsChecksums: boolean;
  readonly wantsChecksums: boolean;
}

/** @param isAnonymous nothing is signed */
export function directSender(client: S3Client, sdk: Sdk, agents: Agents, isAnonymous: boolean): SendDirectly {
  const routes = routesOf(client, isAnonymous);

  const bySdk = async (request: DirectRequest, { abortSignal, alive }: DirectOptions): Promise<DirectAnswer> => {
    const { operation, input } = request;
    switch (operation) {
      case "GetObject": {
        const command = new sdk.GetObjectCommand(input);
        const { ETag, ContentRange, ContentLength, Body } = await client.send(command, { abortSignal });
        alive();
        const chunks: Uint8Array[] = [];
        for await (const chunk of Body as unknown as AsyncIterable<Uint8Array>) {
          alive();
          chunks.push(chunk);
        }
        return { etag: ETag, range: ContentRange, bytes: whole(chunks, ContentLength) };
      }
      case "PutObject": {
        const command = toldInPieces(new sdk.PutObjectCommand(input), alive);
        const { ETag } = await client.send(command, { abortSignal });
        return { etag: ETag, range: undefined, bytes: new Uint8Array() };
      }
      case "CopyObject": {
        const { CopyObjectResult } = await client.send(new sdk.CopyObjectCommand(input), { abortSignal });
        return { etag: CopyObjectResult?.ETag, range: undefined, bytes: new Uint8Array() };
      }
    }
  };

  return async (request, options) => {
    const { operation, input } = request;
    const { Bucket = "", Key = "", ...said } = input;
    const route = routes.get(Bucket);
    const body = operation === "PutObject" ? request.input.Body : undefined;
    if (!route || (body && body.length > LONGEST_BODY)) return bySdk(request, options);

    const headers: Record<string, string> = { host: route.url.host };
    for (const [name, value] of Object.entries(said)) {
      if (value === undefined || name === "Body") continue;
      const header = HEADERS[name];
      if (header === undefined) return bySdk(request, options);
      headers[header] = value as string;
    }
    if (body) {
      headers["content-type"] = "application/octet-stream";
      if (route.sendsChecksums) {
        headers["x-amz-sdk-checksum-algorithm"] = "CRC32";
        headers["x-amz-checksum-crc32"] = crc32Of(body);
      }
    }
    if (operation === "GetObject" && route.wantsChecksums) headers["x-amz-checksum-mode"] = "ENABLED";

    const method = operation === "GetObject" ? "GET" : "PUT";
    const path = `${route.url.pathname.replace(/\/$/, "")}/${Key.split("/").map(encoded).join("/")}`;
    if (route.scope) {
      const identity = (await client.config.credentials()) as Identity;
      const date = new Date(Date.now() + client.config.systemClockOffset);
      headers.authorization = signed({ method, path, headers, body, date }, identity, route.scope);
    }
    if (method === "PUT") headers["content-length"] = String(body?.length ?? 0);
    const answer = await exchange(route.url, agents, { method, path, headers }, body, options);
    const failure = failureIn(answer, operation);
    if (failure) {
      const { date } = answer.headers;
      if (failure.name === "RequestTimeTooSkewed" && date !== undefined)
        client.config.systemClockOffset = Date.parse(date) - Date.now();
      throw failure;
    }
    if (route.wantsChecksums && operation === "GetObject") await verify(answer.headers, answer.bytes);
    return { etag: answer.headers.etag, range: answer.headers["content-range"], bytes: answer.bytes };
  };
}

/**
 * Where buckets are and how requests to them are signed, as the SDK finds it with the first request that it sends there, of whatever
 * kind. None: not known yet, or the SDK must send them all, since it knows more ways to sign.
 */
function routesOf({ config, middlewareStack }: S3Client, isAnonymous: boolean): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  type Next = (args: Arguments) => Promise<unknown>;
  interface Arguments {
    readonly input: { readonly Bucket?: string };
  }
  interface Context {
    readonly endpointV2?: {
      readonly url: URL;
      readonly properties?: { readonly authSchemes?: readonly AuthScheme[] };
      readonly headers?: object;
    };
  }
  interface AuthScheme {
    readonly name: string;
    readonly signingName?: string;
    readonly signingRegion?: string;
  }
  const watch = (next: Next, context: Context) => async (args: Arguments) => {
    const { Bucket } = args.input;
    // Not there before a request passes.
    const { endpointV2 } = context;
    const [scheme] = endpointV2?.properties?.authSchemes ?? [];
    const isPlain = scheme?.name === "sigv4" && Object.keys(endpointV2?.headers ?? {}).length === 0;
    if (Bucket !== undefined && endpointV2 && isPlain && scheme.signingRegion !== undefined) {
      const { signingName: service = "s3", signingRegion: region } = scheme;
      const [sends, wants] = [await config.requestChecksumCalculation(), await config.responseChecksumValidation()];
      routes.set(Bucket, {
        url: endpointV2.url,
        scope: isAnonymous ? undefined : { service, region },
        sendsChecksums: sends === "WHEN_SUPPORTED",
        wantsChecksums: wants === "WHEN_SUPPORTED",
      });
    }
    return next(args);
  };
  middlewareStack.add(watch as never, { step: "build", name: "routes" });
  return routes;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Uint8Array;
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** One request and its whole answer. */
function exchange(
  { protocol, hostname, port }: URL,
  agents: Agents,
  sent: Sent,
  body: Uint8Array | undefined,
  { abortSignal, alive }: DirectOptions,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const isSecure = protocol === "https:";
    const host = hostname.replace(/^\[|\]$/g, "");
    const options = { ...sent, host, port, agent: isSecure ? agents.https : agents.http, setHost: false };
    const request = isSecure ? https.request(options) : http.request(options);
    const onAbort = () => request.destroy(abortSignal.reason as Error);
    const end = (settle: () => void) => {
      abortSignal.removeEventListener("abort", onAbort);
      settle();
    };
    const fail = (error: Error) => end(() => reject(error));
    abortSignal.addEventListener("abort", onAbort, { once: true });
    request.once("error", fail);
    request.once("socket", (socket) => {
      if (!socket.connecting) return;
      const late = () => request.destroy(Object.assign(new Error("no connection in time"), { code: "ETIMEDOUT" }));
      const timer = setTimeout(late, CONNECT_MS);
      socket.once("connect", () => clearTimeout(timer)).once("close", () => clearTimeout(timer));
    });
    request.once("response", (response) => {
      alive();
      const { statusCode: status = 0, headers } = response;
      const chunks: Uint8Array[] = [];
      response.on("data", (chunk: Uint8Array) => {
        alive();
        chunks.push(chunk);
      });
      response.once("error", fail);
      response.once("end", () => {
        end(() => {
          try {
            resolve({ status, headers, bytes: whole(chunks, headers["content-length"]) });
          } catch (error) {
            reject(error as Error);
          }
        });
      });
    });
    request.end(body);
    if (abortSignal.aborted) onAbort();
  });
}

/** All of a body. @throws where it is shorter than it was announced */
function whole(chunks: readonly Uint8Array[], announced: string | number | undefined): Uint8Array {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (announced !== undefined && length !== Number(announced)) {
    throw Object.assign(new Error(`${length} of ${announced} bytes came`), { code: "CutShort" });
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, length);
}

/** What an answer says of a failure, in the SDK's form; S3 may also say it after having begun with "200". */
function failureIn({ status, headers, bytes }: Answer, operation: DirectRequest["operation"]): Error | undefined {
  const isGood = status >= 200 && status < 300;
  if (isGood && operation === "GetObject") return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  const isLate = isGood && /<\/Error>\s*$/.test(text);
  if (isGood && !isLate && (operation !== "CopyObject" || text.includes("</CopyObjectResult>"))) return undefined;
  if (isGood && !isLate) return Object.assign(new Error("the answer to a copy was broken"), { code: "BrokenAnswer" });
  const [code, message, region] = ["Code", "Message", "Region"].map((tag) => textOf(tag, text));
  return Object.assign(new Error(message ?? ""), {
    name: code ?? "Unknown",
    ...(region === undefined ? {} : { Region: region }),
    $metadata: { httpStatusCode: isLate ? 503 : status },
    $response: { statusCode: status, headers: headers as Readonly<Record<string, string>> },
  });
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function textOf(tag: string, xml: string): string | undefined {
  const text = new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1];
  return text?.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (all, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name] ?? all;
    return String.fromCodePoint(Number.parseInt(hex ?? decimal, hex === undefined ? 10 : 16));
  });
}

/** A key's segment as S3 signs it. */
function encoded(segment: string): string {
  return encodeURIComponent(segment).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
