import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ArtifactContent } from "./artifacts";
import type {
  AnalyzePlanRequestSchema,
  AnalyzePlanResponse,
  ExecutePlanResponse,
  PlanSchema,
} from "./protos/spark/connect/base_pb";

/** A session on a Spark Connect server. Every method throws a `SparkConnectError` of a kind, or `AnalysisError`. */
export interface SparkClient {
  /** The session's id; another one after the session was lost. */
  readonly sessionId: string;
  /** `host:port`; no token. */
  readonly address: string;
  /** Waits until the server has the session, which after a loss is a new one with nothing in it. @returns its id */
  ready(signal?: AbortSignal): Promise<string>;
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
  /** Told in a line why something is tried again, before each wait; and once, as `isLong`, where that takes a while. */
  readonly onRetry?: (why: string, isLong?: true) => void;
  /** Awaited before the first use of each session, the first and any that takes a lost one's place: for its settings. */
  readonly onNewSession?: (session: Pick<SparkClient, "getConfig" | "setConfig">) => Promise<void>;
}
