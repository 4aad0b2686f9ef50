import { describe, expect, test } from "vitest";
import type { RunningKernel } from "../support/kernel";
import { useKernel } from "../support/use-kernel";

/** What a cell starts and nobody awaits. */

let kernel: RunningKernel;
useKernel(
  (started) => {
    kernel = started;
  },
  `const d = session.createDataFrame([{ a: 1 }, { a: 2 }]);
const bad = d.mapBatches(() => { throw new Error("bad one"); }, { schema: "a int" });
const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));`,
);

const errorOf = async (code: string) => {
  const { reply, outputs } = await kernel.execute(code, { stop_on_error: false });
  const errors = outputs.filter(({ type }) => type === "error");
  expect(errors.length).toBe(reply.content.status === "error" ? 1 : 0);
  return { ename: reply.content.ename, text: (reply.content.traceback ?? []).join("\n") as string };
};

describe("a job", () => {
  test.each([
    "d.show();\n1;",
    "function look() { d.show(); }\nlook();",
    "[d].forEach(async (each) => { await sleep(1); await each.count(); await each.show(); }); await sleep(5); void 0;",
    "for (const each of [d]) each.show();",
  ])("that nobody awaits ends before its cell: %s", async (code) => {
    expect((await kernel.execute(code)).stdout).toContain("|  2|");
  });

  test.each(["bad.count();\n1;", "void bad.show();", "[bad].forEach((each) => each.collect());"])(
    "that nobody awaits and that fails is its cell's error: %s",
    async (code) => {
      const { ename, text } = await errorOf(code);
      expect(ename).toBe("TaskFailedError");
      expect(text).toMatch(/^A promise was rejected that nobody awaits: add await/);
      expect(text).toContain("bad one");
    },
  );

  test("whose promise a variable holds does not keep its cell, and raises no alarm before it is awaited", async () => {
    expect(await errorOf("const jobs = [bad.count(), d.count(), bad.count()];")).toEqual({
      ename: undefined,
      text: "",
    });
    await kernel.execute("await sleep(1500)");
    const { stdout, stderr } = await kernel.execute(
      "for (const job of jobs) await job.then(console.log, ({ name }) => console.log(name));",
    );
    expect(stdout).toBe("TaskFailedError\n2\nTaskFailedError\n");
    expect(stderr).toBe("");
    const streams = kernel.received.filter(({ type }) => type === "stream").map(({ content }) => content.text);
    expect(streams.join("")).not.toMatch(/Unhandled rejection|PromiseRejectionHandled/);
    expect(kernel.printed.stderr).not.toContain("PromiseRejectionHandled");
  });
});

describe("a rejection", () => {
  test("that its cell handles a little later raises no alarm", async () => {
    const { stdout, stderr, reply } = await kernel.execute(
      `{ const jobs = [1, 2, 3].map(async (n) => { await sleep(5); if (n > 1) throw new Error("no " + n); return n; });
for (const job of jobs) { await sleep(30); await job.then(console.log, (error: Error) => console.log(error.message)); } }`,
    );
    expect([reply.content.status, stdout, stderr]).toEqual(["ok", "1\nno 2\nno 3\n", ""]);
  });

  test("that nobody handles is its cell's error, with the line that made it", async () => {
    const { ename, text } = await errorOf('const fine = 1;\nPromise.reject(new RangeError("at once"));\nfine;');
    expect(ename).toBe("RangeError");
    expect(text).toMatch(/> 2 \|.* Promise\.reject/);
    expect((await kernel.execute("fine")).result).toBe("1");
  });

  test.each([
    [
      'let goOn = () => {}; (async () => { await new Promise<void>((done) => { goOn = done; }); throw new Error("too late"); })();\n1',
      /promise was rejected that nobody awaits/,
    ],
    [
      'let isOver = false; const goOn = () => { isOver = true; }; const timer = setInterval(() => { if (isOver) { clearInterval(timer); throw new Error("too late"); } }, 5);\n1',
      /Nobody caught an exception/,
    ],
  ])("that comes when its cell has ended is the error of the next, once: %s", async (code, what) => {
    const { reply } = await kernel.execute(code);
    const { text } = await errorOf("goOn(); await sleep(300); console.log('ran on');");
    expect(text).toMatch(what);
    expect(text).toContain(`in what In[${reply.content.execution_count}] left running`);
    expect((await kernel.execute("1 + 1")).result).toBe("2");
  });

  test("of a cell that failed by itself fails no other, and is told on its standard error", async () => {
    const first = kernel.start(
      '(async () => { await sleep(50); throw new Error("the second"); })(); throw new Error("the first");',
    );
    expect((await first.done).reply.content.evalue).toBe("the first");
    expect((await kernel.execute("await sleep(200); 1")).result).toBe("1");
    const told = await kernel.waitFor((m) => m.type === "stream" && m.content.text.includes("the second"));
    expect([told.content.name, told.parent.msg_id]).toEqual(["stderr", first.id]);
  });
});

test.each(["console.log(d.count());", "console.info('rows: ' + d.count());"])("a printed promise: %s", async (code) => {
  expect((await kernel.execute(code)).stderr).toMatch(/^A promise was printed, not its value.*console\.log\(await …\)/);
});
