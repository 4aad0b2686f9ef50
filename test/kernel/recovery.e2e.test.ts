import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningKernel, startKernel } from "../support/kernel";

/** What a cell may do that must leave a kernel which answers. */

let kernel: RunningKernel;
let folder: string;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pomona-recovery-")));
  kernel = await startKernel({ cwd: folder });
  await kernel.execute("1");
});
afterAll(async () => {
  await kernel?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("a thrown value that throws when it is read", () => {
  test.each([
    ["by inspect", 'throw { [Symbol.for("nodejs.util.inspect.custom")]() { throw new Error("no"); } };'],
    ["by its message", 'const e = new Error(); Object.defineProperty(e, "message", { get() { throw 1; } }); throw e;'],
    ["by anything", "throw new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 2; } });"],
  ])("%s, ends its cell", async (_, code) => {
    const { reply } = await kernel.execute(code);
    expect(reply.content).toMatchObject({ status: "error", ename: "Thrown" });
    expect(reply.content.evalue).toContain("can't be shown");
    expect((await kernel.execute("1 + 1")).result).toBe("2");
  });

  test("or has a message that is no text, has it shown", async () => {
    const { reply } = await kernel.execute(
      'const odd = new RangeError(); Object.defineProperty(odd, "message", { value: Symbol("m") }); throw odd;',
    );
    expect(reply.content).toMatchObject({ ename: "RangeError", evalue: "Symbol(m)" });
  });
});

test("an error with a message that no front end could take is told in part", async () => {
  // As JSON it would be longer than a string can be.
  const { reply } = await kernel.execute('throw new Error("\\0".repeat(1e8));');
  expect(reply.content.ename).toBe("Error");
  expect(reply.content.evalue).toMatch(/\.\.\. 99,900,000 more characters$/);
  expect(reply.content.evalue.length).toBeLessThan(100_100);
});

describe("an interrupt", () => {
  test.each([
    ["throws", 'throw new Error("not now");', "not now"],
    ["ends the process", "process.exit(130);", ""],
  ])("ends a cell although a listener to SIGINT %s", async (_, body, told) => {
    await kernel.execute(`process.on("SIGINT", () => { ${body} });`);
    const run = kernel.start('console.log("begun"); await new Promise(() => {});');
    await kernel.prints(run.id);
    await kernel.interrupt();
    const { reply, stderr } = await run.done;
    expect(reply.content.ename).toBe("KeyboardInterrupt");
    if (told === "") expect(stderr).toBe("");
    else expect(stderr).toContain(told);
    await kernel.execute('process.removeAllListeners("SIGINT");');
  });

  test("while a cell is compiled does not lose the modules that it was the first to import", async () => {
    writeFileSync(join(folder, "fresh.ts"), 'export const fresh = "from the file";\n');
    // Long enough to be compiled that the interrupt comes meanwhile.
    const lines = Array.from({ length: 5000 }, (_, i) => `const v${i} = ${i} * 2;`);
    const run = kernel.start(`import { fresh } from "./fresh";\n${lines.join("\n")}\nfresh`);
    await kernel.waitFor((m) => m.type === "execute_input" && m.parent.msg_id === run.id);
    await kernel.interrupt();
    expect((await run.done).reply.content.ename).toBe("KeyboardInterrupt");
    expect((await kernel.execute('import { fresh } from "./fresh"; fresh')).result).toBe("'from the file'");
  });

  test("ends a loop in a timer whose cell has ended", async () => {
    const run = await kernel.execute('setTimeout(() => { console.log("begun"); for (;;); }, 50); 0');
    await kernel.prints(run.reply.parent.msg_id!);
    await kernel.interrupt();
    expect((await kernel.execute("1 + 1", { timeout: 120_000 })).result).toBe("2");
  });

  test("that comes while nothing runs stops no timer", async () => {
    await kernel.execute("let ticks = 0; const ticking = setInterval(() => { ticks++; }, 20);");
    await kernel.interrupt();
    const ticked = async () => Number((await kernel.execute("ticks")).result);
    const before = await ticked();
    await expect.poll(ticked).toBeGreaterThan(before + 3);
    await kernel.execute("clearInterval(ticking);");
  });
});

test("a promise at a cell's end whose rejection a later cell handles is not reported", async () => {
  await kernel.execute(
    'const failing = new Promise((_, reject) => setTimeout(() => reject(new Error("later")), 300)); failing',
  );
  const { result } = await kernel.execute('await failing.catch((error: Error) => "handled " + error.message)');
  expect(result).toBe("'handled later'");
  await sleep(100);
  const streams = kernel.received.filter(({ type }) => type === "stream").map(({ content }) => content.text);
  expect(streams.join("")).not.toContain("Unhandled rejection");
});

test("an error of a magic's use says what is wrong, without the kernel's own stack", async () => {
  const { reply } = await kernel.execute('%%configure -f\n{ "master": "local[0]" }');
  expect(reply.content.ename).toBe("IllegalArgumentError");
  expect(reply.content.traceback).toHaveLength(1);
  expect(reply.content.traceback[0]).toContain('"local[0]" is not a master URL.');
});
