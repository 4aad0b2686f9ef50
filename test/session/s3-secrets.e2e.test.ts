import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { Session } from "pomona";
import { col, udf } from "pomona/functions";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { Engine } from "../../src/engine/contract";
import { type S3FaultProxy, startFaultProxy } from "../support/s3-fault-proxy";
import { s3Errors } from "../support/s3-faults";
import { type S3Server, s3Settings, startS3 } from "../support/s3-server";

let server: S3Server;
let proxy: S3FaultProxy;
let folder: string;
beforeAll(async () => {
  server = await startS3({ buckets: ["fruits"] });
  proxy = await startFaultProxy(server.endpoint);
  folder = mkdtempSync(join(tmpdir(), "pomona-secrets-"));
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("are in nothing that jobs leave, whatever goes wrong: events, logs, history, errors, plans, files, objects, output", async () => {
  const seen: string[] = [];
  const keep = (...things: unknown[]) =>
    void seen.push(...things.map((one) => inspect(one, { depth: 20, showHidden: true })));
  const keepFiles = () => {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) seen.push(readFileSync(join(entry.parentPath, entry.name), "latin1"));
  };
  const spies = [
    ...(["log", "info", "warn", "error", "debug"] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(keep),
    ),
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      keep(String(text));
      return true;
    }),
  ];
  const settings = s3Settings({ ...server, endpoint: proxy.endpoint });
  const quick = {
    "fs.s3a.retry.interval": "2ms",
    "fs.s3a.retry.limit": "2",
    "fs.s3a.session.token": "",
    "pomona.spool.dir": folder,
  };
  const session = await Session.builder()
    .master("local[2]")
    .config({ ...settings, ...quick })
    .getOrCreate();
  try {
    const stop = (session.runtime as unknown as Engine).subscribe(keep);
    const good = udf((id: number) => id * 2, { returns: "double" });
    const bad = udf(
      (id: number) => {
        if (id === 7) throw new Error("no such fruit");
        return id;
      },
      { returns: "double" },
    );
    const rows = session.range(20).repartition(2);
    const fails = async (work: Promise<unknown>) => {
      const error = await work.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(Error);
      keep(error, String(error), (error as Error).stack);
      keepFiles();
    };

    proxy.fault({ operation: "UploadPart", times: 2, fault: s3Errors.slowDown });
    proxy.fault({ operation: ["GetObject", "ListObjectsV2"], times: 2, fault: { kind: "drop" } });
    await rows.select(col("id"), good("id").alias("twice")).write.parquet("s3a://fruits/good");
    const read = session.read.parquet("s3a://fruits/good");
    keep(await read.groupBy().count().collect(), read, session.history());
    await read.explain();
    await read.show();
    expect(session.log().join("\n")).toMatch(/is tried again in \d+ ms: (SlowDown, )?503/);
    expect(session.history().some(({ storageRetries }) => storageRetries > 0)).toBe(true);

    await fails(rows.select(bad("id").alias("x")).write.parquet("s3a://fruits/bad"));
    await fails(read.write.parquet("s3a://fruits/good"));
    await fails(session.read.parquet("s3a://AKIAHUSH:hush-hush@fruits/good").count());
    await fails(session.range(3).write.parquet("s3a://AKIAHUSH:hush-hush@fruits/good"));
    for (const fault of [
      s3Errors.accessDenied,
      s3Errors.signatureDoesNotMatch,
      s3Errors.expiredToken,
      s3Errors.internalError,
    ]) {
      proxy.reset();
      proxy.fault({ operation: ["UploadPart", "GetObject"], fault });
      await fails(rows.select(good("id").alias("x")).write.parquet("s3a://fruits/denied"));
      await fails(session.read.parquet("s3a://fruits/good").select(good("id").alias("x")).collect());
    }
    proxy.reset();
    keep(
      session,
      session.conf,
      session.conf.getAll(),
      session.log(),
      session.history(),
      session.sparkContext.getConf(),
      session.runtime,
    );
    expect(await server.keys("fruits")).not.toContainEqual(expect.stringMatching(/bad|denied|_temporary/));
    expect(await server.uploads("fruits")).toEqual([]);
    for (const key of await server.keys("fruits"))
      seen.push(await (await server.request({ key: `fruits/${key}` })).text());
    stop();
  } finally {
    await session.stop();
    for (const spy of spies) spy.mockRestore();
  }
  expect(seen.length).toBeGreaterThan(100);
  for (const secret of [server.accessKey, server.secretKey, "hush-hush", "AKIAHUSH", "AWS4-HMAC", "Signature="]) {
    expect(
      seen.filter((text) => text.includes(secret)).map((text) => text.slice(0, 600)),
      secret,
    ).toEqual([]);
  }
});
