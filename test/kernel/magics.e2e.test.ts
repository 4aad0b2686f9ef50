import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newGate } from "../support/gate";
import { type RunningKernel, startKernel } from "../support/kernel";
import type { Execution } from "../support/kernel-client";
import { isAlive } from "../support/processes";

let folder: string;
let kernel: RunningKernel;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pomona-magics-")));
  kernel = await startKernel({ cwd: folder });
});
afterAll(async () => {
  await kernel.stop();
  rmSync(folder, { recursive: true, force: true });
});

const run = (code: string) => kernel.execute(code, { timeout: 120_000 });
const plain = ({ outputs }: Execution) =>
  outputs.filter(({ type }) => type === "display_data").map(({ content }) => content.data["text/plain"] as string);
const error = ({ reply }: Execution) => ({ name: reply.content.ename as string, text: reply.content.evalue as string });

describe("before the session starts", () => {
  test("%%info and %%help do not start it", async () => {
    const [none, facts] = plain(await run("%%info"));
    expect(none).toBe("No session runs. The first use of 'session' starts one.");
    expect(facts).toMatch(/Pomona +0\.\d+\.\d+\n +Node +v\d+\.\d+\.\d+\n +TypeScript +5\.9\.3\n +Memory +\d+ MB/);
    expect(plain(await run("%%help"))[0]).toMatch(/%%sql \[-o name\]/);
    expect(plain(await run("%%help sql"))[0]).toMatch(/-q +show nothing/);
    expect((await run("%%cleanup")).stdout).toBe("No session runs.\n");
  });

  test("%%configure sets what the first use starts with", async () => {
    const told = await run('%%configure\n{ "name": "fruits", "master": "local[2]" }');
    expect(told.stdout).toContain("the session that the first use of 'session' starts");
    expect(plain(await run("session.range(1); 0"))[0]).toMatch(/Application +fruits\nMaster +local\[2\]/);
  });
});

describe("%%sql", () => {
  test("asks views and the notebook's DataFrames by name", async () => {
    await run(
      'const fruits = session.createDataFrame([{ id: 1, label: "Apple" }, { id: 2, label: "Kiwi" }]);\nsession.createOrReplaceTempView("seen", session.range(1, 2));',
    );
    const shown = await run("%%sql\nSELECT label\nFROM fruits JOIN seen USING (id);");
    expect(plain(shown)).toEqual(["+-----+\n|label|\n+-----+\n|Apple|\n+-----+\n"]);
    expect(shown.outputs[0]?.content.data["text/html"]).toContain("<td>Apple</td>");
  });

  test("-o keeps a typed DataFrame, -n says how many rows are shown, -q shows none", async () => {
    const shown = await run('%%sql -o upper -n 1\nSELECT *, upper(label) AS "U`$1"\nFROM fruits ORDER BY id');
    expect(plain(shown)[0]).toContain("only showing top 1 row");
    expect((await run("const rows: object[] = await upper.collect(); rows[1]")).result).toBe(
      "{ id: 2, label: 'Kiwi', 'U`$1': 'KIWI' }",
    );
    expect((await run("%%sql -o quiet -q\nSELECT 1 AS one")).outputs).toEqual([]);
    expect((await run("await quiet.count()")).result).toBe("1");
  });

  test("a wrong query shows its line, and keeps nothing", async () => {
    const wrong = error(await run("%%sql -o wrong\nSELECT id,\n  nope\nFROM fruits"));
    expect(wrong.name).toBe("AnalysisError");
    expect(wrong.text).toMatch(/`nope`[\s\S]*\n\nLINE 2: {3}nope\n {10}\^$/);
    expect(error(await run("%%sql\nSELEC 1")).text).toMatch(/^\[PARSE_SYNTAX_ERROR\][\s\S]*LINE 1: SELEC 1\n {14}\^/);
    expect(error(await run("wrong")).name).toBe("TypeScriptError");
    expect(error(await run("%%sql")).text).toMatch(/nothing stands below it\.\nUsage:\n%%sql/);
    expect(error(await run("%%sql -n many\nSELECT 1")).text).toContain("-n needs a whole number");
    expect(error(await run("%%sql -o 1x\nSELECT 1")).text).toContain("-o needs the name of a variable");
  });
});

describe("the session's magics", () => {
  test("%%configure is refused while the session runs, and checks before -f stops it", async () => {
    const before = (await run("session.applicationId")).result;
    const refused = error(await run('%%configure\n{ "name": "x" }'));
    expect(refused).toEqual({ name: "SessionBusyError", text: expect.stringContaining("%%configure -f") });
    expect(error(await run('%%configure -f\n{ "conf": { "spark.task.maxFailure": 2 } }')).text).toMatch(
      /spark\.task\.maxFailures/,
    );
    expect(error(await run('%%configure -f\n{ "master": "yarn" }')).text).toContain('"yarn" is not a master URL');
    expect((await run("session.applicationId")).result).toBe(before);
    const anew = await run('%%configure -f\n{ "name": "anew", "conf": { "spark.task.maxFailures": 2 } }');
    expect(plain(anew)[0]).toMatch(/Application +anew/);
    expect((await run("session.applicationId")).result).not.toBe(before);
  });

  test("%%info and %%logs tell settings and jobs", async () => {
    await run('await session.range(10).write.parquet("ten");');
    const [table, settings, workers, jobs] = plain(await run("%%info"));
    expect(table).toMatch(/Application +anew/);
    expect(settings).toMatch(/spark\.task\.maxFailures +2 \(default 4\)/);
    expect(workers).toMatch(/endpoint +state +slots +running +done +failed +rows\/s +MB +Pomona +problem\n/);
    expect(workers).toMatch(/\n +local +ready +\d+ +0 +\d+ +0 +[\d.]* +[\d,]+ +\d+\.\d+\.\d+$/);
    expect(jobs).toMatch(/1 +write parquet file:.*ten: succeeded, \d+\.\d s, 10 rows/);
    expect((await run("%%logs")).stdout).toMatch(/job started: write parquet[\s\S]*job succeeded after/);
  });

  test("%%cleanup waits for jobs or cancels them, and the log stays", async () => {
    // It ends when it is cancelled.
    const begun = newGate();
    await run(`const slow = udf(async (id: number) => {
  (await import("node:fs")).writeFileSync(${JSON.stringify(begun.path)}, "");
  return new Promise<number>((done) => setTimeout(done, 600_000, id));
}, { returns: "long" });
const job = session.range(10).select(slow(col("id"))).collect().then(() => "done", (e) => e.name);`);
    await expect.poll(() => existsSync(begun.path)).toBe(true);
    expect(error(await run("%%cleanup"))).toEqual({
      name: "SessionBusyError",
      text: expect.stringMatching(/^A job runs: collect\.\n.*%%cleanup -f/),
    });
    expect((await run("%%cleanup -f")).stdout).toMatch(/^Session local-\d+ ended: .* A job was cancelled\./);
    expect((await run("await job")).result).toBe("'CancelledError'");
    expect((await run("%%logs")).stdout).toMatch(/job cancelled after/);
  });
});

describe("%%bash", () => {
  test("streams its output as it comes", async () => {
    // It ends when the test has seen what came before, however long that takes.
    const seen = join(folder, "seen");
    const running = kernel.start(
      "%%bash\necho über; pwd; echo bad >&2; until [ -e seen ]; do sleep 0.05; done; rm seen; echo end",
    );
    await kernel.waitFor((message) => message.type === "stream" && message.content.text.includes("über"));
    writeFileSync(seen, "");
    const done = await running.done;
    expect(done.stdout).toBe(`über\n${folder}\nend\n`);
    expect(done.stderr).toBe("bad\n");
  });

  test("names the exit code, and does not wait for what is left in the background", async () => {
    expect(error(await run("%%bash\nexit 3"))).toEqual({ name: "BashError", text: "bash ended with exit code 3." });
    const { stdout } = await run("%%bash\nsleep 300 & echo $!; disown");
    expect(isAlive(Number(stdout))).toBe(true);
    process.kill(Number(stdout));
  });

  test("is ended by an interrupt, with all that it started", async () => {
    const running = kernel.start("%%bash\ntrap '' INT\n(trap '' INT; sleep 300) &\necho $!; sleep 300");
    const said = await kernel.prints(running.id);
    await kernel.interrupt();
    expect((await running.done).reply.content).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
    await expect.poll(() => isAlive(Number(said.content.text)), { timeout: 120_000 }).toBe(false);
  });
});

describe("other magics", () => {
  test("%%time tells wall and CPU time, also of what fails, and keeps the cell's lines", async () => {
    const timed = await run(
      "%%time\nconst waited = await new Promise((done) => setTimeout(() => done(5), 310));\nwaited",
    );
    expect(timed.result).toBe("5");
    expect(timed.stdout).toMatch(/^CPU time: .*user .*system .*\nWall time: ([3-9]\d\d ms|\d+\.\d\d s)\n$/);
    const untyped = await run("%%time\nconst n: number = 'text';");
    expect(untyped.stdout).toBe("");
    expect(error(untyped).name).toBe("TypeScriptError");
    const failed = await run("%%time\n\nthrow new RangeError('no');");
    expect(failed.stdout).toContain("Wall time:");
    expect(failed.reply.content.ename).toBe("RangeError");
    expect(failed.reply.content.traceback.join("\n")).toMatch(/line 3/);
    expect((await run("waited === 5")).result).toBe("true");
  });

  test("%%html and %%markdown show their text", async () => {
    expect((await run("%%html\n<b>a</b>")).outputs[0]?.content.data).toEqual({
      "text/html": "<b>a</b>",
      "text/plain": "<b>a</b>",
    });
    expect((await run("%%markdown\n# a")).outputs[0]?.content.data["text/markdown"]).toBe("# a");
  });

  test("an unknown one names the nearest", async () => {
    expect(error(await run("%%sqll\nSELECT 1"))).toEqual({
      name: "UnknownMagicError",
      text: expect.stringContaining("Did you mean %%sql?"),
    });
  });
});
