import { randomUUID } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { VERSION } from "../../version";
import { SessionStoppedError } from "../errors";
import { type ArtifactContent, uploadArtifact } from "./artifacts";
import { openChannel } from "./channel";
import { parseConnectUrl } from "./connect-url";
import { isSessionLost, namedError } from "./error-details";
import { SparkSessionLostError, SparkVersionError } from "./errors";
import { interruptOperation, type OperationContext, runOperation, type SessionFields } from "./execution";
import {
  AnalyzePlanRequestSchema,
  type AnalyzePlanResponse,
  type ConfigRequest_OperationSchema,
  type ConfigResponse,
  type ExecutePlanResponse,
  type PlanSchema,
} from "./protos/spark/connect/base_pb";
import { retried } from "./retries";
import { fieldsOf, isInDoubt, isSame, MARK, newSession, type ServerSession } from "./session";
import { statusOf } from "./status";

/** A session on a Spark Connect server. Every method throws a `SparkConnectError` of a kind, or `AnalysisError`. */
export interface SparkClient {
  /** The session's id; another one after the session was lost. */
  readonly sessionId: string;
  /** `host:port`; no token. */
  readonly address: string;
  /** Spark's version, such as "4.0.2"; asked once. */
  version(signal?: AbortSignal): Promise<string>;
  /**
   * Runs a plan or command to its end, whatever happens to the stream; it is done once. Gives every response but resultComplete.
   * An aborted signal interrupts the operation on the server, and rejects with the signal's reason; so does leaving the loop early.
   */
  execute(plan: MessageInitShape<typeof PlanSchema>, options?: ExecuteOptions): AsyncIterable<ExecutePlanResponse>;
  analyze(
    analyze: MessageInitShape<typeof AnalyzePlanRequestSchema>["analyze"],
    signal?: AbortSignal,
  ): Promise<AnalyzePlanResponse["result"]>;
  /** Settings of the session; undefined where not set. */
  getConfig(names: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, string | undefined>>;
  setConfig(settings: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<void>;
  interrupt(operationId: string): Promise<void>;
  /** Uploads once per session and name; a name has the content's hash in it. */
  addArtifact(name: string, content: ArtifactContent, signal?: AbortSignal): Promise<void>;
  /** Releases the session and ends the connection; never throws. */
  close(): Promise<void>;
}

export interface ExecuteOptions {
  readonly signal?: AbortSignal | undefined;
  /** A UUID. @default a new one */
  readonly operationId?: string;
  readonly tags?: readonly string[];
}

export interface SparkClientOptions {
  /** Fetches the token: before the first call, and again whenever the one there is was refused. @default the connection string's */
  readonly token?: () => Promise<string>;
  /** Told in a line why something is tried again, before each wait. */
  readonly onRetry?: (why: string) => void;
  /** Awaited before the first use of each session, the first and any that takes a lost one's place: for its settings. */
  readonly onNewSession?: (session: Pick<SparkClient, "getConfig" | "setConfig">) => Promise<void>;
}

/** Waits for a server at the session's end. */
const CLOSE_MS = 5000;

/**
 * @param url Spark's connection string, `sc://host:15002/;token=…`
 * @throws IllegalArgumentError for a string that is none
 */
export function sparkClient(url: string, options: SparkClientOptions = {}): SparkClient {
  const address = parseConnectUrl(url);
  const channel = openChannel(address, options.token, (timeoutMs) =>
    channel.calls.config(
      { ...baseOf(current), operation: { opType: { case: "getOption", value: { keys: [] } } } },
      { timeoutMs },
    ),
  );
  const user = address.userId ?? process.env.SPARK_USER ?? process.env.USER ?? "";
  const clientType = [address.userAgent, `pomona/${VERSION}`, `os/${process.platform}`, `node/${process.versions.node}`]
    .filter((part) => part !== undefined)
    .join(" ");
  const interrupted = new Set<string>();
  const behind = new Set<Promise<void>>();
  const closing = new AbortController();
  let current = newSession(address.sessionId);
  let sparkVersion: string | undefined;

  const retryContext = {
    get wasHeard() {
      return sparkVersion !== undefined;
    },
    forgetToken: channel.forgetToken,
    onRetry: (why: string) => options.onRetry?.(`Spark at ${address.name}: ${why}`),
  };

  const untilClosed = (signal: AbortSignal | undefined) =>
    signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);

  const baseOf = (session: ServerSession) => fieldsOf(session, user, clientType);

  const lost = (session: ServerSession, why: string) => new SparkSessionLostError(address.name, session.id, why);

  function observe(session: ServerSession, response: { readonly serverSideSessionId: string }): void {
    if (!isSame(session, response.serverSideSessionId)) throw lost(session, "the server has made it anew");
    session.confirmed.at = Date.now();
  }

  /** The next use starts a new session. */
  function leave(session: ServerSession): void {
    if (current === session) current = newSession();
  }

  async function named(thrown: unknown, session: ServerSession): Promise<unknown> {
    const isLost = thrown instanceof SparkSessionLostError || isSessionLost(statusOf(thrown));
    if (isLost) leave(session);
    return namedError(thrown, {
      address: address.name,
      sessionId: session.id,
      hasToken: channel.hasToken,
      fetchDetails: (errorId) =>
        channel.calls
          .fetchErrorDetails({ ...baseOf(session), errorId }, { timeoutMs: CLOSE_MS })
          .catch(() => undefined),
    });
  }

  /** One call that does no harm twice. */
  async function call<T extends { readonly serverSideSessionId: string }>(
    session: ServerSession,
    signal: AbortSignal | undefined,
    send: (base: SessionFields, how: { readonly signal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const until = untilClosed(signal);
    try {
      const response = await retried(retryContext, until, () => send(baseOf(session), { signal: until }));
      observe(session, response);
      return response;
    } catch (thrown) {
      until.throwIfAborted();
      throw await named(thrown, session);
    }
  }

  function config(
    session: ServerSession,
    opType: MessageInitShape<typeof ConfigRequest_OperationSchema>["opType"],
    signal: AbortSignal | undefined,
  ): Promise<ConfigResponse> {
    return call(session, signal, (base, how) => channel.calls.config({ ...base, operation: { opType } }, how));
  }

  const configOf = (sessionOf: (signal: AbortSignal | undefined) => Promise<ServerSession>) => ({
    async getConfig(names: readonly string[], signal?: AbortSignal) {
      const value = { keys: [...names] };
      const { pairs } = await config(await sessionOf(signal), { case: "getOption", value }, signal);
      return new Map(pairs.map((pair) => [pair.key, pair.value]));
    },
    async setConfig(settings: Readonly<Record<string, string>>, signal?: AbortSignal) {
      const pairs = Object.entries(settings).map(([key, value]) => ({ key, value }));
      if (pairs.length > 0) await config(await sessionOf(signal), { case: "set", value: { pairs } }, signal);
    },
  });

  async function prepare(session: ServerSession): Promise<void> {
    const response = await call(session, undefined, (base, how) =>
      channel.calls.analyzePlan({ ...base, analyze: { case: "sparkVersion", value: {} } }, how),
    );
    const version = response.result.case === "sparkVersion" ? response.result.value.version : "";
    if (!isNewEnough(version)) throw new SparkVersionError(address.name, version || "unknown");
    sparkVersion = version;
    if (session.serverSideId === undefined)
      await config(session, { case: "set", value: { pairs: [{ key: MARK, value: session.id }] } }, undefined);
    session.confirmed = { at: Date.now(), connection: channel.connection.made };
    await options.onNewSession?.(configOf(() => Promise.resolve(session)));
  }

  /** The session, once the server has it and it is as its owner wants it. */
  async function ready(signal: AbortSignal | undefined): Promise<ServerSession> {
    signal?.throwIfAborted();
    closing.signal.throwIfAborted();
    const session = current;
    session.prepared ??= prepare(session).catch((thrown) => {
      session.prepared = undefined;
      throw thrown;
    });
    await orAborted(session.prepared, signal);
    await confirm(session, signal);
    return session;
  }

  async function confirm(session: ServerSession, signal: AbortSignal | undefined): Promise<void> {
    const connection = channel.connection.made;
    if (!isInDoubt(session, connection)) return;
    const { pairs } = await config(session, { case: "getOption", value: { keys: [MARK] } }, signal);
    if (pairs[0]?.value !== session.id) {
      leave(session);
      throw lost(session, "the server was started anew, or has forgotten it");
    }
    session.confirmed.connection = connection;
  }

  const contextOf = (session: ServerSession): OperationContext => ({
    get wasHeard() {
      return retryContext.wasHeard;
    },
    forgetToken: retryContext.forgetToken,
    onRetry: retryContext.onRetry,
    address: address.name,
    channel,
    base: () => baseOf(session),
    observe: (response) => observe(session, response),
    confirm: () => confirm(session, undefined),
    isInterrupted: (operationId) => interrupted.has(operationId),
    behind(work) {
      behind.add(work);
      void work.finally(() => behind.delete(work));
    },
  });

  return {
    get sessionId() {
      return current.id;
    },
    address: address.name,
    async version(signal) {
      if (sparkVersion === undefined) await ready(signal);
      return sparkVersion!;
    },
    async *execute(plan, { signal, operationId = randomUUID(), tags = [] } = {}) {
      const session = await ready(signal);
      const until = untilClosed(signal);
      try {
        yield* runOperation(contextOf(session), { id: operationId, plan, tags }, until);
      } catch (thrown) {
        until.throwIfAborted();
        throw await named(thrown, session);
      } finally {
        interrupted.delete(operationId);
      }
    },
    async analyze(analyze, signal) {
      const session = await ready(signal);
      const response = await call(session, signal, (base, how) =>
        channel.calls.analyzePlan(create(AnalyzePlanRequestSchema, { ...base, analyze }), how),
      );
      return response.result;
    },
    ...configOf(ready),
    async interrupt(operationId) {
      interrupted.add(operationId);
      const session = current;
      await interruptOperation(contextOf(session), operationId, AbortSignal.timeout(CLOSE_MS)).catch(async (thrown) => {
        throw await named(thrown, session);
      });
    },
    async addArtifact(name, content, signal) {
      const session = await ready(signal);
      let upload = session.uploads.get(name);
      if (upload === undefined) {
        upload = retried(retryContext, closing.signal, () =>
          uploadArtifact(channel, baseOf(session), name, content, closing.signal),
        ).catch(async (thrown) => {
          session.uploads.delete(name);
          throw await named(thrown, session);
        });
        session.uploads.set(name, upload);
      }
      await orAborted(upload, signal);
    },
    async close() {
      closing.abort(new SessionStoppedError());
      await Promise.allSettled(behind);
      // What was never there need not be released; Spark 3.5 has no such request.
      if (current.prepared !== undefined)
        await channel.calls.releaseSession(baseOf(current), { timeoutMs: CLOSE_MS }).catch(() => undefined);
      channel.connection.cut("the client was closed");
    },
  };
}

/** Going on with an operation came with 3.5. */
function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return major > 3 || (major === 3 && minor >= 5);
}

/** What others wait for too, unless this one's signal is aborted first. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
