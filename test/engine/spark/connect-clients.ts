import { tableFromIPC } from "apache-arrow";
import { afterAll, expect } from "vitest";
import { type SparkClient, type SparkClientOptions, sparkClient } from "../../../src/engine/spark/client";
import { cutProxy } from "../../support/cut-proxy";

/** Rows that take 10 ms each on any machine, in 60 partitions of ten. */
export const SLOW = "select id, reflect('java.lang.Thread', 'sleep', 10L) as slept from range(0, 600, 1, 60)";
/** Ends by an interrupt. */
export const ENDLESS = "select sum(length(sha2(repeat(cast(id as string), 20000), 512))) from range(100000000)";

const clients: SparkClient[] = [];
/** What the file's end does. */
export const stops: (() => Promise<void> | void)[] = [];
/** A client that the file's end closes. */
export function client(url: string, options?: SparkClientOptions): SparkClient {
  const made = sparkClient(url, options);
  clients.push(made);
  return made;
}
afterAll(async () => {
  await Promise.all(clients.map((each) => each.close()));
  for (const stop of stops) await stop();
});

/** A query as a plan. */
export const sql = (query: string) => ({
  opType: {
    case: "root" as const,
    value: { common: { planId: 0n }, relType: { case: "sql" as const, value: { query } } },
  },
});

/** What a query gives; its values are Arrow's. */
export async function rows(made: SparkClient, query: string, options = {}): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for await (const { responseType } of made.execute(sql(query), options)) {
    if (responseType.case !== "arrowBatch") continue;
    const table = tableFromIPC(responseType.value.data);
    expect(BigInt(table.numRows)).toBe(responseType.value.rowCount);
    for (const row of table) found.push(row!.toJSON());
  }
  return found;
}

/** What some work fails with. */
export const failure = async (work: Promise<unknown>): Promise<Error> => {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(Error);
  return thrown as Error;
};

export const portOf = (master: string) => /:(\d+)/.exec(master)![1]!;

/** A network to the server, as a connection string. */
export async function networkTo(master: string) {
  const proxy = await cutProxy(`http://127.0.0.1:${portOf(master)}`);
  stops.push(() => proxy.stop());
  return { ...proxy, drop: proxy.drop, master: `sc://127.0.0.1:${new URL(proxy.baseUrl).port}` };
}

/** Jobs that the server began for an operation, by its own count. */
export async function jobsOf(ui: string, operationId: string): Promise<{ status: string }[]> {
  const [app] = (await (await fetch(`${ui}/api/v1/applications`)).json()) as { id: string }[];
  const jobs = (await (await fetch(`${ui}/api/v1/applications/${app!.id}/jobs`)).json()) as {
    status: string;
    jobGroup?: string;
    jobTags?: string[];
  }[];
  return jobs.filter((job) => [job.jobGroup, ...(job.jobTags ?? [])].some((tag) => tag?.includes(operationId)));
}
