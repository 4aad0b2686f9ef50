import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newGate } from "../support/gate";
import { type RunningKernel, startKernel } from "../support/kernel";

/** What is there for a script of Node's, in a cell and in a module that it imports. */

let kernel: RunningKernel;
let folder: string;
beforeAll(async () => {
  // A name that is no plain URL.
  folder = join(realpathSync(mkdtempSync(join(tmpdir(), "pomona-node-"))), "a %41 #b ü");
  mkdirSync(join(folder, "lib"), { recursive: true });
  writeFileSync(join(folder, "lib", "words.txt"), "two words");
  writeFileSync(
    join(folder, "lib", "place.ts"),
    [
      'import { readFileSync } from "node:fs";',
      "export const { url, filename, dirname } = import.meta as { url: string; filename?: string; dirname?: string };",
      'export const words = () => readFileSync(new URL("./words.txt", import.meta.url), "utf8");',
      'export const resolved = require.resolve("./words.txt");',
    ].join("\n"),
  );
  kernel = await startKernel({ cwd: folder });
});
afterAll(async () => {
  await kernel?.stop();
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

async function jsonOf(code: string): Promise<unknown> {
  const { reply } = await kernel.execute("", { user_expressions: { value: `JSON.stringify(${code})` } });
  const { status, data, ...rest } = reply.content.user_expressions.value;
  expect({ status, ...rest }).toMatchObject({ status: "ok" });
  return JSON.parse(String(data["text/plain"]).slice(1, -1).replaceAll("\\'", "'"));
}

describe("import.meta", () => {
  test("tells a local module where it is", async () => {
    await kernel.execute('import * as place from "./lib/place";');
    const file = join(folder, "lib", "place.ts");
    expect(await jsonOf("[place.url, place.filename, place.dirname]")).toEqual([
      pathToFileURL(file).href,
      file,
      join(folder, "lib"),
    ]);
    expect(await jsonOf("place.words()")).toBe("two words");
  });

  test("gives a cell the notebook's folder", async () => {
    await kernel.execute('import { fileURLToPath } from "node:url";');
    expect(await jsonOf('fileURLToPath(new URL("./lib/words.txt", import.meta.url))')).toBe(
      join(folder, "lib", "words.txt"),
    );
  });
});

test("require has what Node's has", async () => {
  expect(await jsonOf('[require.resolve("fs"), require.resolve("./lib/place"), typeof require.cache]')).toEqual([
    "fs",
    // Known to the kernel by the cell that imported it.
    join(folder, "lib", "place.ts"),
    "object",
  ]);
  expect(await jsonOf("place.resolved")).toBe(join(folder, "lib", "words.txt"));
  expect(await jsonOf('require.resolve("pomona")')).toMatch(/dist\/index\.js$/);
});

test("__dirname, __filename and import.meta.filename stand for a file in the notebook's folder", async () => {
  const file = join(folder, "cell.ts");
  expect(await jsonOf("[__dirname, __filename, (import.meta as any).filename]")).toEqual([folder, file, file]);
});

test("a local module may await at its top, as may one that it or that imports it", async () => {
  writeFileSync(join(folder, "lib", "first.ts"), "export const first = await Promise.resolve(20);\n");
  writeFileSync(
    join(folder, "lib", "second.ts"),
    'import { first } from "./first";\nfor await (const n of [1]) void n;\nexport const second = first + 1;\n',
  );
  writeFileSync(
    join(folder, "lib", "third.ts"),
    'import { second } from "./second";\nexport const third = second * 2;\n',
  );
  const { result, reply } = await kernel.execute('import { third } from "./lib/third"; third');
  expect([reply.content.evalue, result]).toEqual([undefined, "42"]);
  writeFileSync(join(folder, "lib", "first.ts"), "export const first = await Promise.resolve(30);\n");
  expect((await kernel.execute('import { third } from "./lib/third"; third')).result).toBe("62");
  writeFileSync(join(folder, "lib", "broken.ts"), 'export {};\nawait 0;\nthrow new Error("at the top");\n');
  const broken = await kernel.execute('import "./lib/broken";');
  expect(broken.reply.content.traceback.join("\n")).toMatch(/at the top[\s\S]*lib\/broken\.ts, line 3/);
});

test("an error shows its extra fields", async () => {
  const { reply } = await kernel.execute('throw Object.assign(new Error("boom"), { code: "E_X", details: { a: 1 } })');
  expect(reply.content.traceback.join("\n")).toContain("{ code: 'E_X', details: { a: 1 } }");
});

describe("process.stdin", () => {
  const question = `import { createInterface } from "node:readline/promises";
{ const lines = createInterface({ input: process.stdin, output: process.stdout });
console.log("got", await lines.question("Name? "), await lines.question("Age? ")); lines.close(); }`;

  test("asks in the notebook, line by line", async () => {
    const answers = ["Ada", "36"];
    const { stdout, reply } = await kernel.execute(question, { answer: () => answers.shift() ?? "none" });
    expect(reply.content.evalue).toBeUndefined();
    expect(stdout).toBe("Name? Age? got Ada 36\n");
  });

  const answering = (...answers: string[]) => ({ answer: () => answers.shift() ?? "" });

  // ipykernel's sys.stdin, os.read(0) and open("/dev/stdin") are empty; `input()` alone asks there.
  test.each([
    'require("fs").readFileSync(0, "utf8")',
    'require("fs").readFileSync("/dev/stdin").toString()',
    'await require("fs/promises").readFile("/dev/stdin", "utf8")',
    'await new Promise((done, fail) => require("fs").readFile("/dev/stdin", "utf8", (e: Error, text: string) => (e ? fail(e) : done(text))))',
    'await require("stream/consumers").text(process.stdin)',
    'await require("stream/consumers").text(require("fs").createReadStream("/dev/stdin"))',
    '{ let all = ""; for await (const line of process.stdin) all += line; globalThis.all = all; } globalThis.all',
  ])("read to its end, asks until an empty line: %s", async (code) => {
    const { result, reply } = await kernel.execute(
      code.replaceAll("globalThis.", "(globalThis as any)."),
      answering("1 2", "3"),
    );
    expect(reply.content.evalue).toBeUndefined();
    expect(result).toBe("'1 2\\n3\\n'");
    const refused = await kernel.execute(code.replaceAll("globalThis.", "(globalThis as any)."));
    expect(refused.reply.content.ename).toBe("InputNotAllowedError");
  });

  test("gives a line at a time to fs.readSync, as a terminal does", async () => {
    const code = `{ const { readSync } = require("fs"); const bytes = Buffer.alloc(4); const parts: string[] = [];
for (let n = 0; !parts.join("").endsWith("\\n\\n"); ) { n = readSync(0, bytes); parts.push(bytes.toString("utf8", 0, n)); }
console.log(parts.join("|")); }`;
    const { stdout, reply } = await kernel.execute(code, answering("hello", ""));
    expect(reply.content.evalue).toBeUndefined();
    expect(stdout).toBe("hell|o\n|\n\n");
  });

  test("an interrupt ends the wait", async () => {
    const run = kernel.start('require("fs").readFileSync(0)', { allow_stdin: true });
    await kernel.waitFor((m) => m.type === "input_request" && m.parent.msg_id === run.id);
    await kernel.interrupt();
    expect((await run.done).reply.content.ename).toBe("KeyboardInterrupt");
  });

  test("alert and confirm, which a notebook lacks, say what asks", async () => {
    expect((await kernel.execute('confirm("sure?")')).reply.content.evalue).toContain('prompt("Sure? (y/n)")');
    expect((await kernel.execute('alert("done")')).reply.content.evalue).toContain("console.log");
  });

  test("says where nobody can answer", async () => {
    const { reply } = await kernel.execute(question);
    expect(reply.content.ename).toBe("InputNotAllowedError");
    expect((await kernel.execute("1 + 1")).result).toBe("2");
  });
});

describe("%%bash", () => {
  test("takes the line ends of Windows", async () => {
    const { stdout } = await kernel.execute("%%bash\r\necho one\r\necho two\r\n");
    expect(stdout).toBe("one\ntwo\n");
  });

  test("says that the notebook's folder is gone", async () => {
    const gone = realpathSync(mkdtempSync(join(tmpdir(), "pomona-gone-")));
    const other = await startKernel({ cwd: gone });
    try {
      rmSync(gone, { recursive: true });
      expect((await other.execute("1 + 1")).result).toBe("2");
      const { reply } = await other.execute("%%bash\npwd");
      expect(reply.content.ename).toBe("FolderMissingError");
      expect(reply.content.evalue).toContain(gone);
    } finally {
      await other.stop();
    }
  });
});

// As from ipykernel, so that nbclient saves the same outputs.
test("progress by carriage returns and backspaces comes as it is written, a message for each step", async () => {
  const steps = ["10%\r", "20%\r", "x\b", "100%\n"];
  const seen = steps.flatMap((text) => ["stdout", "stderr"].map((name) => ({ name, text, gate: newGate() })));
  const cell = seen.map(({ name, text, gate }) => `process.${name}.write(${JSON.stringify(text)}); ${gate.wait}`);
  const run = kernel.start(`${cell.join("\n")}\nconsole.log("ended\\r");`);
  // It goes on when a step has come.
  for (const { name, text, gate } of seen) {
    await kernel.waitFor((m) => m.parent.msg_id === run.id && m.content.name === name && m.content.text === text);
    gate.open();
  }
  const { outputs } = await run.done;
  const streams = outputs.map(({ content }) => [content.name, content.text]);
  for (const name of ["stdout", "stderr"]) {
    const text = streams.filter(([of]) => of === name).map(([, each]) => each);
    expect(text).toEqual(name === "stdout" ? [...steps, "ended\r\n"] : steps);
  }
});
