import { randomUUID } from "node:crypto";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { SparkConnectService } from "../../engine/spark/protos/spark/connect/base_pb";

/** The version that a Spark Connect server on this machine answers with; undefined where it doesn't answer in time. */
export async function versionAnswered(port: number, timeoutMs: number): Promise<string | undefined> {
  const client = createClient(SparkConnectService, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
  const who = { sessionId: randomUUID(), userContext: { userId: "pomona" } };
  try {
    const asked = { ...who, analyze: { case: "sparkVersion", value: {} } } as const;
    const { result } = await client.analyzePlan(asked, { timeoutMs });
    // Spark 3.5 can't, and forgets it by itself.
    await client.releaseSession(who, { timeoutMs }).catch(() => {});
    return result.case === "sparkVersion" ? result.value.version : undefined;
  } catch {
    return undefined;
  }
}

/** What a page on this machine answers as JSON or text; undefined where it doesn't in time. */
export async function pageAnswered(url: string, timeoutMs: number): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    return answer.ok ? await answer.text() : undefined;
  } catch {
    return undefined;
  }
}
