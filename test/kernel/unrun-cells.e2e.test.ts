import { expect, test } from "vitest";
import { newGate } from "../support/gate";
import type { RunningKernel } from "../support/kernel";
import { useKernel } from "../support/use-kernel";

/** Names of cells that were sent and did not run; ipykernel says `name 'rate' is not defined` of all of them. */
let kernel: RunningKernel;
useKernel((started) => {
  kernel = started;
});

const evalue = async (code: string) => (await kernel.execute(code)).reply.content.evalue as string | undefined;

test("a cell that could not be compiled", async () => {
  const { reply } = await kernel.execute('const rate: number = "x"; interface Row { a: number }');
  const why = `In[${reply.content.execution_count}], which could not be compiled.`;
  expect(await evalue("rate * 2")).toBe(`Cannot find name 'rate'. rate is declared in ${why}`);
  expect(await evalue("const row: Row = { a: 1 };")).toBe(`Cannot find name 'Row'. Row is declared in ${why}`);
  expect(await evalue("({ rate })")).toContain(` rate is declared in ${why}`);
  expect(await evalue("rates * 2")).toBe("Cannot find name 'rates'.");
  expect(await evalue("const rate = 2;")).toBeUndefined();
  expect(await evalue("rate * 2")).toBeUndefined();
});

test("a cell that failed or was interrupted on its way", async () => {
  const failed = (await kernel.execute("throw new Error('no'); const limit = 1;")).reply.content.execution_count;
  const where = (count: number, how: string) => `In[${count}], which declares it, ${how} before it came to that line.`;
  expect(await evalue("limit")).toBe(`limit has no value: ${where(failed, "failed")}`);
  const run = kernel.start('console.log("begun"); await new Promise(() => {}); const bound = 1;');
  await kernel.prints(run.id);
  await kernel.interrupt();
  const { reply } = await run.done;
  expect(await evalue("bound")).toBe(`bound has no value: ${where(reply.content.execution_count, "was interrupted")}`);
});

test("a cell that another one's failure kept from running, until it runs", async () => {
  const gate = newGate();
  const cells = [`${gate.wait} throw new Error('first')`, "const shade = 'red';"].map((code) => kernel.start(code));
  await kernel.arrived();
  gate.open();
  const [first, second] = await Promise.all(cells.map(({ done }) => done));
  expect(second?.reply.content.status).toBe("aborted");
  expect(await evalue("shade")).toBe(
    `Cannot find name 'shade'. shade is declared in a cell that was not run, since In[${first?.reply.content.execution_count}] failed before it.`,
  );
  await kernel.execute("const shade = 'red';");
  expect((await kernel.execute("shade")).result).toBe("'red'");
});
