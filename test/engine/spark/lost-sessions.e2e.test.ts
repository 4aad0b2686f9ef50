import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { type DataFrame, Session } from "pomona";
import { udf } from "pomona/functions";
import { KMeans, Vectors } from "pomona/ml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SparkServer, startSpark, stopSpark } from "../../support/spark";

/** Longer than a machine that does much else takes from one request to the next. */
const IDLE = 25;
const CONF = {
  "spark.connect.session.manager.defaultSessionTimeout": `${IDLE}s`,
  "spark.connect.session.manager.maintenanceInterval": "1s",
  // A query that takes long asks for more all the while, so that its session is not idle.
  "spark.connect.execute.reattachable.senderMaxStreamDuration": "5s",
};

const failureOf = async (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => new Error("It did not fail."),
    (error: Error) => error,
  );

describe("a session that the server of a cluster lost", () => {
  let server: SparkServer;
  let session: Session;
  beforeAll(async () => {
    server = await startSpark("cluster", { conf: CONF });
  }, 600_000);
  afterAll(async () => {
    await session?.stop();
    if (server) await stopSpark(server);
  });

  it("is told, and the next use works with all that it had: when it was idle too long, and when the server was started anew", async () => {
    session = await Session.builder()
      .master(server.url)
      .config("pomona.progress", "off")
      .config("spark.sql.shuffle.partitions", "3")
      .getOrCreate();
    const lut = new Map([[5, "five"]]);
    const named = udf((id: number) => lut.get(id) ?? String(id), { returns: "string", broadcast: { lut } });
    const cached = session.range(0, 8).repartition(2).select(named("id").alias("name")).cache();
    const points = session.createDataFrame(
      [0, 1, 10, 11].map((x) => ({ features: Vectors.dense([x, x]) })),
      "features vector",
    );
    const model = await new KMeans({ k: 2, seed: 1 }).fit(points);
    const clusters = model.transform(points);
    /** What needs a file, a broadcast value, a kept frame, a setting. */
    const all = async () => [
      (await rowsOf(cached)).map(({ name }) => name).sort(),
      (await rowsOf(clusters)).map(({ prediction }) => prediction),
      await rowsOf(session.sql("set spark.sql.shuffle.partitions").select("value")),
      await rowsOf(session.sql("select current_timezone() as zone")),
    ];
    const before = await all();
    expect(before[0]).toEqual(["0", "1", "2", "3", "4", "6", "7", "five"]);
    expect(new Set(before[1])).toEqual(new Set([0, 1]));
    expect(before.slice(2)).toEqual([[{ value: "3" }], [{ zone: "UTC" }]]);
    const [first] = [session.applicationId];

    await sleep((IDLE + 3) * 1000);
    const idle = await failureOf(all());
    expect(idle).toMatchObject({ name: "SparkSessionLostError", message: expect.stringMatching(/idle for longer/) });
    expect(inspect(idle)).not.toMatch(/grpc-|ConnectError/);
    expect(await all()).toEqual(before);
    expect(session.applicationId).toBe(first);

    await stopSpark(server);
    server = await startSpark("cluster", { conf: CONF, args: ["--port", String(server.port)] });
    const anew = await failureOf(all());
    expect(anew).toMatchObject({ name: "SparkSessionLostError", message: expect.stringMatching(/started anew/) });
    expect(await all()).toEqual(before);
    expect(session.applicationId).not.toBe(first);
    expect(session.uiWebUrl).toBe(server.pages.ui);
  });
});

async function rowsOf(frame: DataFrame): Promise<Record<string, unknown>[]> {
  return (await frame.collect()) as unknown as Record<string, unknown>[];
}
