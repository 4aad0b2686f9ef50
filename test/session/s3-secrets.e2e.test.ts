import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect, promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { Session } from "pomona";
import { col, udf } from "pomona/functions";
import { JUPYTER_DISPLAY } from "pomona/kernel";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { Engine } from "../../src/engine/contract";
import { cellsOf, errorsOf } from "../cli/notebooks";
import { venvProgram } from "../support/jupyter";
import { writeNotebook } from "../support/notebook-file";
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
      if (entry.isFile()) seen.push(textOf(join(entry.parentPath, entry.name)));
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
    "pomona.history.dir": join(folder, "history"),
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
    const report = await session.report(join(folder, "run.html"));
    keep(report, report[JUPYTER_DISPLAY](), report.toHtml());
    keepFiles();
    expect(seen.some((text) => text.includes('"taskRetried"') && text.includes('"type":"run"'))).toBe(true);
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

/** A file's bytes as text, unpacked where it is packed. */
function textOf(path: string): string {
  const bytes = readFileSync(path);
  return (path.endsWith(".jsonl.gz") ? gunzipSync(bytes) : bytes).toString("latin1");
}

/* What a notebook shows, executed by nbconvert: every way to look at settings and errors, with keys that the notebook itself was given. */
it("are in no output of a notebook, nor in any file that its kernel, nbconvert and workers leave", async () => {
  const wrong = { accessKey: "AKIAWRONGHUSH", secretKey: "hush-wrong", token: "hush-token" };
  const home = join(folder, "home");
  for (const name of ["tmp", "cache"]) mkdirSync(join(home, name), { recursive: true });
  const ownKeys = {
    "spark.hadoop.fs.s3a.bucket.wrong.access.key": wrong.accessKey,
    "spark.hadoop.fs.s3a.bucket.wrong.secret.key": wrong.secretKey,
    "spark.hadoop.fs.s3a.bucket.wrong.session.token": wrong.token,
  };
  const conf = Object.fromEntries([
    ...Object.entries(server.settings).map(([name, value]) => [`spark.hadoop.${name}`, value]),
    ...Object.entries(ownKeys),
    ["spark.executor.extraJavaOptions", `-Dfs.s3a.secret.key=${wrong.secretKey}`],
  ]);
  const json = JSON.stringify({ master: "local[1]", conf });
  const isSetBy = (name: string, value: string) => `.config(${JSON.stringify(name)}, ${JSON.stringify(value)})`;
  const chain = Object.entries(ownKeys).map(([name, value]) => isSetBy(name, value));
  const shows = [
    "session",
    "spark",
    "session.conf",
    "session.conf.getAll()",
    "console.table(session.conf.getAll())",
    "console.log(session, session.conf, JSON.stringify(session.conf), JSON.stringify(session.conf.getAll()))",
    "sc.getConf()",
    "sc.getConf().getAll()",
    "console.log(sc.getConf().toDebugString())",
    "session.conf.get('spark.hadoop.fs.s3a.secret.key')",
    "session.runtime",
    'import { inspect } from "node:util"; console.log(inspect([session, session.runtime, spark.conf], { depth: 30, showHidden: true, getters: true }));',
    'import { display } from "pomona/notebook"; await display(session); await display(session.conf); await display(session.conf.getAll());',
    "import { Session, SparkConf } from 'pomona';",
    // What is being built, while it is.
    `const builder = Session.builder()${chain.join("")}; builder`,
    "console.log(builder, JSON.stringify(builder), inspect(builder, { depth: 30, showHidden: true, getters: true }));",
    `const given = new SparkConf(); ${Object.entries(ownKeys)
      .map(([name, value]) => `given.set(${JSON.stringify(name)}, ${JSON.stringify(value)});`)
      .join("")} given`,
    "console.log(given, given.getAll(), JSON.stringify(given), inspect(given, { depth: 30, showHidden: true, getters: true }));",
    "%%sql\nSELECT 1 AS one",
    'import { udf, col } from "pomona/functions"; await session.range(4).write.mode("overwrite").parquet("s3://fruits/nb"); const nb = session.read.parquet("s3://fruits/nb"); nb',
    "await nb.explain(); await nb.show(); console.log(inspect(nb, { depth: 30, showHidden: true, getters: true }), JSON.stringify(nb)); await nb.count()",
    // Errors: as a cell's own, as its value, printed; of the driver's requests and of a worker.
    'await session.read.parquet("s3://wrong/x").count()',
    'await session.range(3).write.parquet("s3a://wrong/y")',
    'const seen = await session.read.parquet("s3://wrong/x").count().catch((e: unknown) => e); seen',
    "console.error(seen); console.log(inspect(seen, { depth: 30, showHidden: true, getters: true }), JSON.stringify(seen)); await display(seen);",
    "throw new Error('outer', { cause: seen });",
    'await nb.select(udf((id: number) => { throw new Error("no such fruit"); }, { returns: "int" })("id").alias("x")).collect()',
    'await nb.select(udf(() => JSON.stringify([process.env, process.argv, process.execArgv]), { returns: "string" })("id").alias("x")).show(1, false)',
    'await session.read.format("binaryFile").load("s3://fruits/nb").select(udf((c: Uint8Array) => { if (c.length > 0) throw new Error("content"); return 1; }, { returns: "int" })(col("content")).alias("n")).collect()',
    // In its lines the traceback repeats the cell.
    `const lines = Session.builder()\n${chain.map((call) => `  ${call}`).join("\n")};\nthrow new Error("below keys");`,
    "console.log(session.log().join(), session.history())",
    "%%info",
    "%%logs",
    // What %%configure refuses.
    `%%configure -f\n${json.slice(0, -1)}`,
    `%%configure -f\n${JSON.stringify({ ...ownKeys })}`,
    `%%configure -f\n${JSON.stringify({ conf: { "spark.hadoop.fs.s3a.secret.key": [wrong.secretKey] } })}`,
    `%%configure -f\n${JSON.stringify({ name: ownKeys })}`,
    `%%configure -f\n${JSON.stringify({ conf: { ...conf, "spark.hadoop.fs.s3a.connection.maximum": "many" } })}`,
    "%%info",
    "%%cleanup",
  ];
  const cells = [`%%configure -f\n${json}`, ...shows];
  const notebook = writeNotebook(join(home, "secrets.ipynb"), cells);
  const env = { ...process.env, HOME: home, TMPDIR: join(home, "tmp"), POMONA_CACHE_DIR: join(home, "cache") };
  const to = ["nbconvert", "--to", "notebook", "--execute", "--allow-errors", "--output", "executed.ipynb", notebook];
  const { stdout, stderr } = await promisify(execFile)(venvProgram("jupyter"), to, { env, maxBuffer: 1 << 28 });
  const executed = cellsOf(join(home, "executed.ipynb"));
  // Each cell that is to fail does, for that reason alone.
  const failures = executed.flatMap((cell) => errorsOf(cell).map((error) => error.split("\n")[0]));
  expect(failures).toEqual([
    expect.stringMatching(/^StorageAccessError: Cannot list s3:.*wrong.x: the session token is not valid/),
    // An answer to HEAD has no words.
    expect.stringMatching(/^StorageAccessError: Cannot read s3a:.*wrong.y: the server refuses .*HeadObject, 400/),
    "Error: outer",
    expect.stringMatching(/^TaskFailedError: .* Error: no such fruit$/),
    expect.stringMatching(/^TaskFailedError: .* Error: content$/),
    "Error: below keys",
    expect.stringMatching(/^ConfigureError: The settings are no JSON/),
    expect.stringMatching(/^ConfigureError: There is no key "spark.hadoop/),
    expect.stringMatching(/^ConfigureError: .*secret.key must be text, a number or true or false, not an array/),
    'ConfigureError: "name" must be text, not an object.',
  ]);
  const texts = executed.map((cell, i) => [`cell ${i}: ${cells[i]}`, JSON.stringify(cell.outputs)]);
  texts.push(
    ["stdout", stdout],
    ["stderr", stderr],
    ["metadata", JSON.stringify(JSON.parse(readFileSync(join(home, "executed.ipynb"), "utf8")).metadata)],
  );
  for (const entry of readdirSync(home, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !path.endsWith(".ipynb")) texts.push([path, textOf(path)]);
  }
  expect(texts.length).toBeGreaterThan(cells.length + 3);
  for (const secret of [server.accessKey, server.secretKey, ...Object.values(wrong), "AWS4-HMAC", "Signature="]) {
    const found = texts.filter(([, text]) => text?.includes(secret));
    expect(
      found.map(
        ([name, text]) =>
          `${name}: ${text?.slice(Math.max(0, text.indexOf(secret) - 200), text.indexOf(secret) + 100)}`,
      ),
      secret,
    ).toEqual([]);
  }
});
