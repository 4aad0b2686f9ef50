import { randomUUID } from "node:crypto";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { VERSION } from "../../version";
import { SessionStoppedError } from "../errors";
import { uploadArtifact } from "./artifacts";
import { openChannel } from "./channel";
import type { SparkClient, SparkClientOptions } from "./client-contract";
import { parseConnectUrl } from "./connect-url";
import { isSessionLost, namedError, planTooLarge } from "./error-details";
import { SparkSessionLostError, SparkVersionError } from "./errors";
import { interruptOperation, type OperationContext, runOperation, type SessionFields } from "./execution";
import {
  AnalyzePlanRequestSchema,
  type ConfigRequest_OperationSchema,
  type ConfigResponse,
  PlanSchema,
} from "./protos/spark/connect/base_pb";
import { isReset, retried } from "./retries";
import { fieldsOf, isInDoubt, isSame, MARK, newSession, type ServerSession } from "./session";
import { limitIn } from "./sizes";
import { statusOf } from "./status";

export type { ExecuteOptions, SparkClient, SparkClientOptions } from "./client-contract";

/** Waits for a server at the session's end. */
const CLOSE_MS = 5000;

const INBOUND_LIMIT = "spark.connect.grpc.maxInboundMessageSize";
const INBOUND_DEFAULT = 128 << 20;
/** Every server takes that. */
const SMALL_BYTES = 1 << 20;
/** What a request has beside its plan, at most. */
const AROUND_BYTES = 4096;

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
    onRetry: (why: string, isLong?: true) => options.onRetry?.(`Spark at ${address.name}: ${why}`, isLong),
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

  /** @throws MessageTooLargeError for a plan that the server can't take */
  async function checkSize(session: ServerSession, plan: Uint8Array): Promise<void> {
    if (plan.byteLength < SMALL_BYTES) return;
    const limit = limitIn((await getConfig(session, [INBOUND_LIMIT])).get(INBOUND_LIMIT)) ?? INBOUND_DEFAULT;
    if (plan.byteLength + AROUND_BYTES > limit) throw planTooLarge(plan.byteLength, limit);
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

  const getConfig = async (session: ServerSession, names: readonly string[], signal?: AbortSignal) => {
    const { pairs } = await config(session, { case: "getOption", value: { keys: [...names] } }, signal);
    return new Map(pairs.map((pair) => [pair.key, pair.value]));
  };
  const setConfig = async (
    session: ServerSession,
    settings: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ) => {
    const pairs = Object.entries(settings).map(([key, value]) => ({ key, value }));
    if (pairs.length > 0) await config(session, { case: "set", value: { pairs } }, signal);
  };

  async function prepare(session: ServerSession): Promise<void> {
    const response = await call(session, undefined, (base, how) =>
      channel.calls.analyzePlan({ ...base, analyze: { case: "sparkVersion", value: {} } }, how),
    );
    const version = response.result.case === "sparkVersion" ? response.result.value.version : "";
    if (!isNewEnough(version)) throw new SparkVersionError(address.name, version || "unknown");
    sparkVersion = version;
    if (session.serverSideId === undefined) await setConfig(session, { [MARK]: session.id });
    session.confirmed = { at: Date.now(), connection: channel.connection.number };
    await options.onNewSession?.({
      getConfig: (names, signal) => getConfig(session, names, signal),
      setConfig: (settings, signal) => setConfig(session, settings, signal),
    });
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

  /** Some work that is right only if the session stays the same until it is done. */
  async function within<T>(signal: AbortSignal | undefined, work: (session: ServerSession) => Promise<T>): Promise<T> {
    const session = await ready(signal);
    const done = await work(session);
    await confirm(session, signal);
    return done;
  }

  /** @throws SparkSessionLostError where a server that does not say so by itself has made the session anew */
  async function confirm(session: ServerSession, signal: AbortSignal | undefined): Promise<void> {
    const connection = channel.connection.number;
    if (!isInDoubt(session, connection)) return;
    if ((await getConfig(session, [MARK], signal)).get(MARK) !== session.id) {
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
    checkSize: (plan) => checkSize(session, toBinary(PlanSchema, create(PlanSchema, plan))),
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
    ready: async (signal) => (await ready(signal)).id,
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
      const response = await within(signal, (session) =>
        call(session, signal, (base, how) => {
          const request = create(AnalyzePlanRequestSchema, { ...base, analyze });
          return channel.calls.analyzePlan(request, how).catch(async (thrown) => {
            if (isReset(statusOf(thrown))) await checkSize(session, toBinary(AnalyzePlanRequestSchema, request));
            throw thrown;
          });
        }),
      );
      return response.result;
    },
    getConfig: (names, signal) => within(signal, (session) => getConfig(session, names, signal)),
    setConfig: (settings, signal) => within(signal, (session) => setConfig(session, settings, signal)),
    async interrupt(operationId) {
      interrupted.add(operationId);
      const session = current;
      await interruptOperation(contextOf(session), operationId, AbortSignal.timeout(CLOSE_MS)).catch(async (thrown) => {
        throw await named(thrown, session);
      });
    },
    addArtifact: (name, content, signal) =>
      within(signal, (session) => {
        const upload =
          session.uploads.get(name) ??
          retried(retryContext, closing.signal, () =>
            uploadArtifact(channel, baseOf(session), name, content, closing.signal),
          ).catch(async (thrown) => {
            session.uploads.delete(name);
            throw await named(thrown, session);
          });
        session.uploads.set(name, upload);
        return orAborted(upload, signal);
      }),
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
