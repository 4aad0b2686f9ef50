import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { CancelledError, PomonaError } from "../../errors";
import type { Channel } from "./channel";
import { SparkOperationLostError } from "./errors";
import {
  type ExecutePlanResponse,
  InterruptRequest_InterruptType,
  type PlanSchema,
  type ReleaseExecuteRequestSchema,
} from "./protos/spark/connect/base_pb";
import { isReset, type RetryContext, retries } from "./retries";
import { isOfClass, statusOf } from "./status";

/** What an operation needs of its session. */
export interface OperationContext extends RetryContext {
  readonly address: string;
  readonly channel: Channel;
  /** What every request of the session has. */
  base(): SessionFields;
  /** @throws MessageTooLargeError for a plan that the server can't take */
  checkSize(plan: MessageInitShape<typeof PlanSchema>): Promise<void>;
  /** Looks whether the session is still the same, on a server that does not say so by itself. @throws SparkSessionLostError */
  confirm(): Promise<void>;
  /** True where this client interrupted it. */
  isInterrupted(operationId: string): boolean;
  /** Something that goes on behind, which the session's end waits for. */
  behind(work: Promise<void>): void;
  /** Looks whether a response is of the same session on the server. @throws SparkSessionLostError */
  observe(response: { readonly serverSideSessionId: string }): void;
}

/** The fields of every request. */
export interface SessionFields {
  readonly sessionId: string;
  readonly userContext: { readonly userId: string; readonly userName: string };
  readonly clientType: string;
  readonly clientObservedServerSideSessionId?: string;
}

export interface Operation {
  readonly id: string;
  readonly plan: MessageInitShape<typeof PlanSchema>;
  readonly tags: readonly string[];
}

/** How long an interrupt may take before it is given up on. */
const INTERRUPT_MS = 5000;

/** A stream that lived for so long was one. */
const LASTED_MS = 5000;

/** How often a plan is sent that the server says it never got. */
const MOST_SENT = 15;

const RELEASE_MS = 10_000;

/**
 * Runs one operation to its end. The server has it under the client's id, so a connection that breaks is only made anew and attached to it
 * again, behind the last response that came; the plan is sent again only where the server never got it.
 * It is told what came, so that it need not keep it, without waiting for that.
 */
export async function* runOperation(
  context: OperationContext,
  operation: Operation,
  signal: AbortSignal | undefined,
): AsyncGenerator<ExecutePlanResponse> {
  signal?.throwIfAborted();
  const { calls } = context.channel;
  const own = new AbortController();
  const tries = retries(context, signal);
  const release = releases(context, operation.id);
  let sent = 0;
  let received = 0;
  let lastResponseId: string | undefined;
  let isDone = false;
  let interrupting: Promise<void> | undefined;

  const send = () => {
    sent++;
    return calls.executePlan(
      {
        ...context.base(),
        operationId: operation.id,
        plan: operation.plan,
        tags: [...operation.tags],
        requestOptions: [{ requestOption: { case: "reattachOptions", value: { reattachable: true } } }],
      },
      { signal: own.signal },
    );
  };
  const reattach = () =>
    calls.reattachExecute(
      { ...context.base(), operationId: operation.id, ...(lastResponseId === undefined ? {} : { lastResponseId }) },
      { signal: own.signal },
    );
  const onAbort = () => {
    interrupting ??= interrupt(context, operation.id, () => isDone).finally(() => own.abort());
  };
  signal?.addEventListener("abort", onAbort, { once: true });

  try {
    let stream = send();
    while (!isDone) {
      let arrived = 0;
      const since = Date.now();
      try {
        for await (const response of stream) {
          context.observe(response);
          tries.heard();
          arrived++;
          received++;
          lastResponseId = response.responseId;
          if (response.responseType.case === "resultComplete") {
            isDone = true;
            break;
          }
          release.until(response.responseId);
          yield response;
        }
        if (!isDone) {
          // The server ends streams that are old; one that ends at once again and again must not make us busy.
          if (arrived === 0 && Date.now() - since < 1000) await sleep(200, undefined, { signal: own.signal });
          stream = reattach();
        }
      } catch (thrown) {
        if (signal?.aborted) throw signal.reason;
        if (thrown instanceof PomonaError) throw thrown;
        stream = await mended(thrown, since);
      }
    }
    signal?.throwIfAborted();
  } finally {
    isDone = true;
    signal?.removeEventListener("abort", onAbort);
    await interrupting;
    own.abort();
    // Also ends what still runs, where the reader has gone or an error came.
    release.all();
  }

  /** The stream to go on with. @throws what can't be mended */
  async function mended(thrown: unknown, since: number): Promise<AsyncIterable<ExecutePlanResponse>> {
    const status = statusOf(thrown);
    if (received === 0 && isReset(status)) await context.checkSize(operation.plan);
    if (isOfClass(status, "INVALID_HANDLE.OPERATION_NOT_FOUND")) {
      await context.confirm();
      const { errorClass } = status;
      if (received > 0)
        throw new SparkOperationLostError(context.address, operation.id, received, { errorClass, cause: thrown });
      if (context.isInterrupted(operation.id)) throw new CancelledError("Spark interrupted the operation.");
      if (sent > MOST_SENT) throw thrown;
      return send();
    }
    // It came there after all, by the connection that was thought to be broken.
    if (sent > 1 && isOfClass(status, "INVALID_HANDLE.OPERATION_ALREADY_EXISTS")) return reattach();
    // A stream that lasted before it broke is no sign of a server that is gone.
    if (Date.now() - since > LASTED_MS && !/timed out|no answer|nothing came/.test(status.text)) tries.heard();
    await tries.after(thrown);
    return reattach();
  }
}

/** Interrupts until the server has heard of the operation: the request for it may be on its way still. Bounded. */
async function interrupt(context: OperationContext, operationId: string, isDone: () => boolean): Promise<void> {
  const until = AbortSignal.timeout(INTERRUPT_MS);
  try {
    while (!isDone()) {
      const interrupted = await interruptOperation(context, operationId, until);
      if (interrupted.length > 0) return;
      await sleep(200, undefined, { signal: until });
    }
  } catch {
    // Nobody answers: the operation is released, or the server lets go of it when no client comes back.
  }
}

/** @returns the operations that were interrupted */
export async function interruptOperation(
  context: OperationContext,
  operationId: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { interruptedIds } = await context.channel.calls.interrupt(
    {
      ...context.base(),
      interruptType: InterruptRequest_InterruptType.OPERATION_ID,
      interrupt: { case: "operationId", value: operationId },
    },
    { signal },
  );
  return interruptedIds;
}

/** Tells the server what it need not keep: one request at a time, the latest counts. */
function releases(context: OperationContext, operationId: string) {
  let running: Promise<void> | undefined;
  let latest: string | undefined;
  const send = (release: MessageInitShape<typeof ReleaseExecuteRequestSchema>["release"]) =>
    context.channel.calls
      .releaseExecute({ ...context.base(), operationId, release }, { timeoutMs: RELEASE_MS })
      // A server lets go by itself of what is not released.
      .then(nothing, nothing);
  const next = (): void => {
    if (running !== undefined || latest === undefined) return;
    const responseId = latest;
    latest = undefined;
    running = send({ case: "releaseUntil", value: { responseId } }).finally(() => {
      running = undefined;
      next();
    });
  };
  return {
    until(responseId: string): void {
      latest = responseId;
      next();
    },
    all(): void {
      latest = undefined;
      context.behind((running ?? Promise.resolve()).then(() => send({ case: "releaseAll", value: {} })));
    },
  };
}

function nothing(): void {}
