import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { Session } from "pomona";
import { udf } from "pomona/functions";
import { JUPYTER_DISPLAY } from "pomona/kernel";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { launchBrowser } from "../support/browser";
import { KERNEL_NAME, kernelspecFolder, type RunningServer, startJupyterServer } from "../support/jupyter-server";
import { type S3FaultProxy, startFaultProxy } from "../support/s3-fault-proxy";
import { type S3Server, s3Settings, startS3 } from "../support/s3-server";
import { type Running, resultOf, until, workplace } from "./command-line";
import { eventsIn, sessionPrograms } from "./session-program";

const BUCKET = "runs";
const HISTORY = `s3://${BUCKET}/team/history`;

const at = workplace();
const jupyterPath = kernelspecFolder();
let server: S3Server;
let proxy: S3FaultProxy;
let jupyter: RunningServer;
let browser: Browser;
let session: Session | undefined;
let serving: Running | undefined;

beforeAll(async () => {
  server = await startS3({ buckets: [BUCKET] });
  proxy = await startFaultProxy(server.endpoint);
  jupyter = await startJupyterServer({ jupyterPath });
  browser = await launchBrowser();
});
afterEach(async () => {
  serving?.process.kill("SIGKILL");
  serving = undefined;
  await session?.stop();
  session = undefined;
});
afterAll(async () => {
  await browser?.close();
  await jupyter?.stop();
  await proxy?.stop();
  await server?.stop();
  rmSync(jupyterPath, { recursive: true, force: true });
});

const ENV = () => ({ HOME: at.path(), POMONA_CACHE_DIR: at.path("cache"), ...server.env });
const program = sessionPrograms(at, ENV);
const history = (...args: string[]) => at.pomona(["history", ...args, "--dir", HISTORY], { env: ENV() });
const settings = () => ({
  "pomona.history.dir": HISTORY,
  ...Object.fromEntries(
    Object.entries(s3Settings({ ...server, endpoint: proxy.endpoint })).map(([name, value]) => [
      `spark.hadoop.${name}`,
      value,
    ]),
  ),
});

const objectAt = async (key: string) =>
  Buffer.from(await (await server.request({ key: `${BUCKET}/${key}` })).arrayBuffer());

/** All that is in the bucket, as text. */
async function contents(): Promise<string[]> {
  const keys = await server.keys(BUCKET);
  return Promise.all(
    keys.map(async (key) => {
      const data = await objectAt(key);
      return (key.endsWith(".gz") ? gunzipSync(data) : data).toString();
    }),
  );
}

/** The processes that a server started. */
const kernelProcesses = ({ pid }: RunningServer) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);

it("follows a run on two endpoints, one of which is killed, from its record in S3, without a secret in it", async () => {
  const slow = udf(
    (id: number) => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
      return id;
    },
    { returns: "long" },
  );
  const { port } = new URL(jupyter.baseUrl);
  // One server under two names has a kernel for each.
  const endpoints = ["127.0.0.1", "localhost"].map((host) => ({
    ...{ url: `http://${host}:${port}`, token: jupyter.token, slots: 2, kernel: KERNEL_NAME },
  }));
  const own = await Session.builder()
    .appName("two endpoints")
    .master("jupyter")
    .config("pomona.progress", "off")
    .config("pomona.endpoints", JSON.stringify(endpoints))
    .config(settings())
    .getOrCreate();
  session = own;
  serving = at.start(["history", "serve", "--port", "0", "--json", "--dir", HISTORY], { env: ENV() });
  let told = "";
  serving.process.stdout?.on("data", (text: string) => (told += text));
  await until(() => told.includes("\n"), "the address of the pages");
  const { url } = JSON.parse(told) as { url: string };

  await until(() => own.workers().every(({ state }) => state === "ready"), "both endpoints");
  let done = 0;
  const busy = new Set<string>();
  let isKilled = false;
  own.onEvent((event) => {
    if (event.type !== "taskEnded") return;
    busy.add(event.worker.split(":")[0] as string);
    if (++done < 4 || busy.size < 2 || isKilled) return;
    isKilled = true;
    process.kill(kernelProcesses(jupyter).at(-1) as number, "SIGKILL");
  });
  const rows = own.range(0, 400).repartition(40).select(slow("id").alias("id"));
  const work = rows.write.parquet(`s3a://${BUCKET}/out`);
  await until(() => done > 0, "a task that is done");

  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(url);
  await page.getByRole("link", { name: own.applicationId }).click();
  const bars = page.locator("#timeline .barlayer .point path");
  await bars.first().waitFor({ timeout: 120_000 });
  const badge = page.locator("h1 .badge");
  expect(await badge.textContent()).toBe("running");
  await work;
  const lost = own.history().at(-1)?.lostWorkers;
  expect(lost).toBeGreaterThan(0);
  const report = await own.report(`s3://${BUCKET}/reports/run.html`);
  expect(report.path).toBe(`s3://${BUCKET}/reports/run.html`);
  const shown = JSON.stringify(report[JUPYTER_DISPLAY]());
  await own.stop();
  await expect.poll(() => badge.textContent()).toBe("ended");
  const tile = (name: string | RegExp) => page.locator(".tile", { hasText: name }).locator("b");
  await expect.poll(() => tile("tasks done").textContent()).toBe("40");
  expect(await tile(/workers? lost/).textContent()).toBe(String(lost));
  expect(await page.locator("#timeline").textContent()).toMatch(/worker lost/);
  const rowsOfChart = await page.locator("#timeline .yaxislayer-above .ytick, #timeline .ytick").allTextContents();
  for (const name of [`127.0.0.1:${port}/1`, `localhost:${port}/1`]) expect(rowsOfChart).toContain(name);
  const live = await page.content();
  const update = await page.evaluate(async () => (await fetch(`${location.pathname}/update`)).text());

  // The same by the commands.
  const { runs } = resultOf(await history("list", "--json")) as { runs: { id: string }[] };
  expect(runs).toMatchObject([{ id: own.applicationId, state: "ended", jobs: 1, tasks: 40, rows: 400 }]);
  const text = await history("show", "last");
  expect(text.stdout).toMatch(/1 job; 40 tasks; 400 rows; .* workers? lost/);
  expect((await history("report", "last", "-o", `s3://${BUCKET}/reports/again.html`)).code).toBe(0);
  const again = (await objectAt("reports/again.html")).toString();
  writeFileSync(at.path("again.html"), again);
  const offline = await (await browser.newContext({ offline: true })).newPage();
  await offline.goto(pathToFileURL(at.path("again.html")).href);
  await offline.locator("#timeline .barlayer .point path").first().waitFor({ timeout: 120_000 });
  await offline.context().close();
  await page.close();

  const everything = [live, update, shown, report.toHtml(), text.stdout, text.stderr, ...(await contents())].join("\n");
  expect(everything).toContain('"workerLost"');
  expect(everything).toMatch(/"pomona.endpoints":"\[\{[^\n]*\*\*\*/);
  const { searchParams } = new URL(url);
  for (const secret of [jupyter.token, server.accessKey, server.secretKey, searchParams.get("token") as string])
    expect(everything.includes(secret), secret).toBe(false);
});

it("loses to kill -9 only what its last two requests would have carried, of which there are two a second", async () => {
  proxy.reset();
  const { child, output } = program("await run(2_000, 400);", settings());
  const began = Date.now();
  const puts = () => proxy.requests.filter(({ operation, key }) => operation === "PutObject" && /events-/.test(key));
  const sentAt: number[] = [];
  // The last request that comes was put together when the one before it was done.
  const due = () => {
    const before = sentAt.at(-3) ?? 0;
    return eventsIn(output).filter(({ time, type }) => time < before && type !== "taskProgress");
  };
  let isKilled = false;
  // Killed before its tenth request comes to the server, or a later one where too little was told before.
  proxy.fault({
    operation: "PutObject",
    key: /\/events-/,
    when: () => {
      if (isKilled) return true;
      isKilled = sentAt.push(Date.now()) >= 10 && due().length > 20;
      if (isKilled) child.kill("SIGKILL");
      return isKilled;
    },
    fault: { kind: "drop" },
  });
  await new Promise((resolve) => child.once("close", resolve));
  // One at the start of a job and one for each half second, however slow this machine is.
  expect(puts().length).toBeLessThanOrEqual(2 + (Date.now() - began) / 500);
  const id = (proxy.requests.find(({ key }) => /events-/.test(key))?.key ?? "").split("/").at(-2) as string;
  const kept = new Set((await contents()).flatMap((text) => text.split("\n")));
  expect(due().filter((event) => !kept.has(JSON.stringify(event)))).toEqual([]);
  const shown = resultOf(await history("show", id, "--json"));
  expect(shown).toMatchObject({ state: "broken off", totals: { jobs: 1 } });
});

it("lets a program run and end where S3 refuses its record, fails, or does not answer", async () => {
  const body = `
    console.error((await run(20, 4)).length);
    const none = await session.report().catch((error) => error.message);
    if (!/could not be written/.test(none)) throw new Error(none);
    await session.stop();`;
  const [refused, failing] = [`s3://no-such-bucket-${BUCKET}/history`, HISTORY];
  for (const dir of [refused, failing]) {
    proxy.reset();
    if (dir === failing) proxy.fault({ key: /\/events-/, fault: { kind: "drop" } });
    const quick = { "spark.hadoop.fs.s3a.retry.limit": "1", "spark.hadoop.fs.s3a.retry.interval": "2ms" };
    const { out, err, code } = await program(body, { ...settings(), ...quick, "pomona.history.dir": dir }).ended;
    expect(code, err).toBe(0);
    expect(err).toContain("20");
    expect(out.match(/The record of this run can't be written to/g)?.length).toBe(1);
    for (const secret of [server.accessKey, server.secretKey]) expect(`${out}${err}`.includes(secret)).toBe(false);
  }
  proxy.reset();
  proxy.fault({ key: /\/events-/, fault: { kind: "stall" } });
  const { err, code } = await program("await run(4, 2); await session.stop();", settings()).ended;
  expect(code, err).toBe(0);
  expect(err.match(/The end of this run's record is missing in s3:/g)?.length).toBe(1);
});
