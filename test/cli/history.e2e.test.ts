import { type ChildProcess, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { linesIn } from "../../src/record/log-lines";
import { launchBrowser } from "../support/browser";
import { QUICK, resultOf, stateOf, until, workplace } from "./command-line";
import { eventsIn, sessionPrograms } from "./session-program";

const at = workplace();
let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

const children: ChildProcess[] = [];
const mounts: string[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const mount of mounts.splice(0)) spawnSync("umount", ["-l", mount]);
});

const ENV = () => ({ HOME: at.path(), POMONA_CACHE_DIR: at.path("cache") });
const program = sessionPrograms(at, ENV);
const pomona = (...args: string[]) => at.pomona(args, { env: ENV() });
const logs = () => readdirSync(at.path("cache", "history"));

interface Report {
  readonly state: string;
  readonly about: {
    readonly id: string;
    readonly versions: object;
    readonly settings: Readonly<Record<string, string>>;
  };
  readonly totals: Readonly<Record<"jobs" | "failedJobs" | "tasks" | "rows" | "retries" | "losses", number>>;
  readonly stages: readonly { readonly name: string; readonly tasks: number; readonly rows: number }[];
  readonly weights: readonly string[];
}
const shown = async (id = "last") => resultOf(await pomona("history", "show", id, "--json")) as unknown as Report;

/** Opens a page, and notes what it asks a network for and what goes wrong in it. */
async function opened(url: string, colorScheme: "light" | "dark" = "light", offline = true) {
  const context = await browser.newContext({ offline, colorScheme, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("console", (line) => line.type() === "error" && troubles.push(line.text()));
  page.on("request", (request) => /^https?:/.test(request.url()) && offline && troubles.push(request.url()));
  await page.goto(url);
  return { page, troubles, close: () => context.close() };
}

const bars = (page: Page) => page.locator("#timeline .barlayer .point path");

it("is listed, shown, and made a report that a browser opens without a network", async () => {
  await at.fruits("fruits", { classes: 2, perClass: 10 });
  const conf = ["--conf", "fs.s3a.secret.key=hush-hush", "--conf", "fs.s3a.access.key=AKIAHUSH"];
  resultOf(
    await pomona(
      "featurize",
      "fruits",
      "out",
      ...QUICK,
      "--master",
      "local[2]",
      "--partitions",
      "5",
      "--json",
      ...conf,
    ),
  );
  const failing = await program(`
    await session.range(100).repartition(4).select(bad("id").alias("x")).collect().catch(() => {});
    await session.stop();`).ended;
  expect(failing, failing.err).toMatchObject({ code: 0 });

  const { runs } = resultOf(await pomona("history", "list", "--json")) as {
    runs: (Report["totals"] & { id: string; state: string })[];
  };
  expect(runs).toMatchObject([
    { appName: "program", state: "ended", jobs: 1, failedJobs: 1 },
    { appName: "pomona", state: "ended", jobs: 1, failedJobs: 0, tasks: 5, rows: 20 },
  ]);
  const [failed, featurized] = runs as [(typeof runs)[0], (typeof runs)[0]];
  const plain = (await pomona("history")).stdout;
  expect(plain).toContain(featurized.id);
  expect((await pomona("history", "-n", "1")).stdout).not.toContain(featurized.id);

  const own = await shown(featurized.id);
  expect(own.totals).toMatchObject({ jobs: 1, tasks: 5, rows: 20, retries: 0, losses: 0 });
  expect(own.about.settings).toMatchObject({ "fs.s3a.secret.key": "***", "fs.s3a.access.key": "***" });
  expect(own.weights).toEqual([expect.stringMatching(/^mobileNetV2: random/i)]);
  expect((await pomona("history", "show", "last")).stdout).toMatch(
    /1 job, 1 failed; .*\n[\s\S]*failed: .*Error: no luck/,
  );

  const page = at.path("run.html");
  expect((await pomona("history", "report", featurized.id, "-o", "run.html")).stdout.trim()).toBe(`file:${page}`);
  expect(readFileSync(page, "latin1")).not.toMatch(/hush-hush|AKIAHUSH/);
  for (const colours of ["light", "dark"] as const) {
    const { page: tab, troubles, close } = await opened(pathToFileURL(page).href, colours);
    await bars(tab).nth(4).waitFor({ timeout: 120_000 });
    expect(await bars(tab).count()).toBe(5);
    expect(await tab.locator(".tiles").textContent()).toMatch(/5\s*tasks done[\s\S]*20\s*rows/);
    expect(await tab.getByRole("heading", { name: "Jobs and stages" }).isVisible()).toBe(true);
    expect(await tab.locator("#rates .scatterlayer .trace").count()).toBe(3);
    expect(await tab.locator("#durations .boxlayer .trace").count()).toBe(1);
    expect(await tab.locator("#findings").textContent()).toContain("Random weights were used");
    expect(await tab.locator("#environment").textContent()).toMatch(
      /Pomona[\s\S]*Node.js[\s\S]*fs\.s3a\.secret\.key\s*\*\*\*/,
    );
    const colour = await tab.locator("#timeline .xtitle").evaluate((text) => getComputedStyle(text).fill);
    expect(colour).toBe(colours === "light" ? "rgb(28, 36, 48)" : "rgb(227, 231, 237)");
    expect(troubles).toEqual([]);
    await close();
  }
  expect((await pomona("history", "report", failed.id.slice(0, -1), "-o", "failed.html")).code).toBe(0);
  expect(await pomona("history", "show", "nothing-like-it")).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining("There is no run"),
  });
});

it("loses to kill -9 only what its last two writes would have carried, which it makes every half second", async () => {
  const { child, output } = program("await run(2_000, 400);");
  await until(() => (output.out.match(/"taskEnded"/g)?.length ?? 0) > 20, "tasks that are done");
  const folder = at.path("cache", "history", logs()[0] ?? "");
  const written = () => stateOf(folder).filter((file) => /^events-\d+\.jsonl\.gz /.test(file));
  const told = Date.now();
  // The first of them may have been put together before.
  for (const which of ["first", "second"]) {
    const before = written().join();
    await until(() => written().join() !== before, `the ${which} write since`);
  }
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("close", resolve));
  const kept = readdirSync(folder)
    .sort()
    .flatMap((name) => linesIn(readFileSync(join(folder, name))));
  const texts = new Set(kept.map((line) => JSON.stringify(line)));
  const due = eventsIn(output).filter(({ time, type }) => time < told && type !== "taskProgress");
  expect(due.length).toBeGreaterThan(30);
  expect(due.filter((event) => !texts.has(JSON.stringify(event)))).toEqual([]);
  expect(await shown()).toMatchObject({ state: "broken off", totals: { jobs: 1 } });
});

it("is shown live on this machine to who has the token, and to nobody else", async () => {
  const server = at.start(["history", "serve", "--port", "0", "--json"], { env: ENV() });
  children.push(server.process);
  let out = "";
  server.process.stdout?.on("data", (text: string) => (out += text));
  await until(() => out.includes("\n"), "the server's address");
  const { url } = JSON.parse(out) as { url: string };
  const { origin, searchParams } = new URL(url);
  expect(origin).toMatch(/^http:\/\/127\.0\.0\.1:/);

  const { output, ended } = program(`
    const work = (async () => { while (!require("node:fs").existsSync("enough")) await run(15, 3); })();
    while (!session.uiWebUrl) await new Promise((resolve) => setTimeout(resolve, 50));
    process.stdout.write(JSON.stringify({ type: "page", url: session.uiWebUrl }) + "\\n");
    await work; await session.stop();`);
  await until(() => output.out.includes('"page"'), "the session's page");
  const { url: own } = JSON.parse(output.out.split("\n").find((line) => line.includes('"page"')) ?? "") as {
    url: string;
  };
  expect(own).toBe(`${origin}/run/${logs()[0]}`);

  for (const [path, headers] of [
    ["/", {}],
    [new URL(own).pathname, {}],
    [`${new URL(own).pathname}/update`, { cookie: `pomona-history-${new URL(origin).port}=wrong` }],
    ["/?token=wrong", {}],
  ] as const) {
    const answer = await fetch(`${origin}${path}`, { headers, redirect: "manual" });
    expect(answer.status).toBe(403);
    expect(await answer.text()).not.toContain("program");
  }
  // A name that somebody else has made to mean this machine.
  expect(await statusFor(Number(new URL(origin).port), `/?token=${searchParams.get("token")}`, "evil.example")).toBe(
    403,
  );

  const { page, troubles, close } = await opened(url, "light", false);
  expect(page.url()).toBe(`${origin}/`);
  await page.getByRole("link", { name: logs()[0] ?? "" }).click();
  await bars(page).first().waitFor({ timeout: 120_000 });
  const tasks = async () =>
    Number((await page.locator(".tile", { hasText: "tasks done" }).locator("b").textContent())?.replace(/,/g, ""));
  const first = await tasks();
  await expect.poll(tasks, { timeout: 120_000 }).toBeGreaterThan(first);
  at.file("enough", "");
  expect((await ended).code, output.err).toBe(0);
  await expect.poll(() => page.locator("h1 .badge").textContent(), { timeout: 120_000 }).toBe("ended");
  const { totals } = await shown();
  await expect.poll(tasks).toBe(totals.tasks);
  await expect.poll(() => bars(page).count()).toBe(totals.tasks);
  expect(troubles).toEqual([]);
  await close();
  server.process.kill("SIGTERM");
  expect((await server.ended).code).toBe(0);
  expect(readdirSync(at.path("cache"))).not.toContain("history-server.json");
});

function statusFor(port: number, path: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const answered = get({ port, path, host: "127.0.0.1", headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    answered.once("error", reject);
  });
}

it("never fails a job: a full disk, a home that can't be written, a folder that is a file, and off by a setting", async () => {
  const work = "console.error((await run(20, 4)).length); await session.stop();";
  const message = /The record of this run can't be written to/g;
  const full = at.path("full");
  mkdirSync(full);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=8k", "tmpfs", full]).status === 0) {
    mounts.push(full);
    at.file("full/taken", Buffer.alloc(8_000));
  } else chmodSync(full, 0o555);
  at.file("a-file", "");
  const places = [join(full, "history"), at.path("a-file", "history"), "/proc/history"];
  for (const dir of places) {
    const { out, err, code } = await program(work, { "pomona.history.dir": dir }).ended;
    expect(code, err).toBe(0);
    expect(err).toContain("20");
    // To the user, and as an event.
    expect(`${err}`.match(message)?.length).toBe(1);
    expect(out.match(message)?.length).toBe(1);
  }
  // As somebody whose home is not theirs to write.
  mkdirSync(at.path("home"), { mode: 0o555 });
  const env = { HOME: at.path("home"), POMONA_CACHE_DIR: "", XDG_CACHE_HOME: "" };
  const elsewhere = await program(work, {}, { env, unprivileged: true }).ended;
  expect(elsewhere, elsewhere.err).toMatchObject({ code: 0, err: expect.stringContaining("20") });
  expect(elsewhere.err.match(message)?.length).toBe(1);
  const off = await program(work, { "spark.eventLog.enabled": "false" }).ended;
  expect(off).toMatchObject({ code: 0 });
  expect(off.err).not.toMatch(message);
  expect(readdirSync(at.path())).not.toContain("cache");
});

it("keeps the runs of several processes apart, and gives a report of what has run", async () => {
  const body = `
    const none = await session.report().catch((error) => error.message);
    if (!/No job has run/.test(none)) throw new Error(none);
    await run(10, 2);
    const report = await session.report("report.html");
    if (report.path !== "file:" + process.cwd() + "/report.html") throw new Error(report.path);
    const bundle = report[Symbol.for("Jupyter.display")]();
    if (!/srcdoc=/.test(bundle["text/html"]) || !/1 job; 2 tasks; 10 rows/.test(bundle["text/plain"])) throw new Error(bundle["text/plain"]);
    await session.stop();`;
  // Old ones, which each of them removes.
  const then = Date.now() / 1000 - 40 * 86_400;
  for (let i = 0; i < 100; i++) {
    utimesSync(at.file(`cache/history/local-${i}/events-00000.jsonl.gz`, "old"), then, then);
  }
  const ended = await Promise.all([program(body), program(body), program(body)].map((each) => each.ended));
  for (const { code, err } of ended) expect(code, err).toBe(0);
  expect(logs().length).toBe(3);
  for (const id of logs()) expect((await shown(id)).totals).toMatchObject({ jobs: 1, tasks: 2, rows: 10 });
  expect(statSync(at.path("report.html")).size).toBeGreaterThan(1e6);
});
