import { expect, test } from "vitest";
import { newGate } from "../support/gate";
import type { RunningKernel } from "../support/kernel";
import type { ExecuteOptions, Execution } from "../support/kernel-client";
import { useKernel } from "../support/use-kernel";

let kernel: RunningKernel;
const another = useKernel((running) => {
  kernel = running;
});

/** As JupyterLab runs a cell. */
const cell = (id: string, code: string, { metadata = {}, ...options }: ExecuteOptions = {}, of = kernel) =>
  of.execute(code, { ...options, metadata: { ...metadata, cellId: id } });

const plain = ({ outputs }: Execution) =>
  outputs.flatMap(({ content }) => content.data?.["text/plain"] ?? []).join("\n");
const stale = async (of = kernel) => plain(await of.execute("%%stale", { silent: false }));

test("who redefines what others used is told, and %%stale lists them until they ran again", async () => {
  await cell("a", "let rate = 2;");
  expect((await cell("b", "const total = 100 * rate;")).stderr).toBe("");
  await cell("c", "// The sum\ntotal + 1");
  const again = await cell("a", "let rate = 3;");
  expect(again.stderr).toMatch(
    /^In\[(\d+)\] used the old rate, In\[(\d+)\] what came of it: run them again \(%%stale lists them\)\.\n$/,
  );
  expect(await stale()).toMatch(
    /^In\[(\d+)\] used rate \(In\[\d+\], redefined by In\[\d+\]\): const total = 100 \* rate;\nIn\[\d+\] used total \(In\[\1\], stale itself\): total \+ 1$/,
  );
  const total = await cell("b", "const total = 100 * rate;");
  expect(total.stderr).toMatch(/^In\[\d+\] used the old total: run it again/);
  expect((await cell("c", "total + 1")).result).toBe("301");
  expect(await stale()).toMatch(/^No cell is stale/);
});

test("cells that are run as one are told of at their end, where some are stale then", async () => {
  const [first, second, third] = ["const table = new Map();", "table.size", "table.size + 1"];
  const runAll = async (...ids: string[]) => {
    const gate = newGate();
    const codes: Record<string, string> = { d: `${first} ${gate.wait}`, e: second, f: third };
    const done = ids.map((id) => cell(id, codes[id] ?? ""));
    await kernel.arrived();
    gate.open();
    return (await Promise.all(done)).map(({ stderr }) => stderr);
  };
  expect(await runAll("d", "e", "f")).toEqual(["", "", ""]);
  expect(await runAll("d", "e", "f")).toEqual(["", "", ""]);
  const [, end] = await runAll("d", "e");
  expect(end).toMatch(/^In\[\d+\] used the old table: run it again \(%%stale tells why\)\.\n$/);
});

test("a query uses DataFrames, and a removed cell is forgotten", async () => {
  await cell("g", "const fruits = session.createDataFrame([{ label: 'kiwi' }]);");
  await cell("h", "%%sql\nSELECT * FROM fruits");
  await cell("i", "%%sql -o kiwis -q\nSELECT * FROM fruits");
  const again = await cell("g", "const fruits = session.createDataFrame([{ label: 'apple' }]);");
  expect(again.stderr).toMatch(/^In\[\d+\] and In\[\d+\] used the old fruits: run them again/);
  await cell("j", "1", { metadata: { deletedCells: ["h", "i", "f"] } });
  expect(await stale()).toMatch(/^No cell is stale/);
});

test("a client without cells has each text for one; who takes no questions runs a notebook and is told by %%stale alone", async () => {
  const other = await another();
  const attended = { allow_stdin: true };
  for (const code of ["let rate = 2;", "rate * 2"]) await other.execute(code, attended);
  expect((await other.execute("let rate = 3;", attended)).stderr).toMatch(/^In\[2\] used the old rate/);
  // The same text again, as in a notebook that says it twice.
  for (const code of ["let n = 1;", "n += 1;", "n", "n += 1;", "n"])
    expect((await other.execute(code)).stderr).toBe("");
  expect((await other.execute("let n = 5;")).stderr).toBe("");
  expect(await stale(other)).toMatch(/^In\[2\] used rate/);
});
