import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connectKernel, type DisplayContent, type KernelHost } from "../../src/kernel";
import { withDisplayId } from "../../src/kernel/mime-bundle";
import {
  clearOutput,
  display,
  html,
  inNotebook,
  markdown,
  prompt,
  readLine,
  svg,
  updateDisplay,
} from "../../src/notebook";

/** What a kernel is asked for, in order. */
let asked: unknown[];
let disconnect: () => void;

const host: Partial<KernelHost> = {
  display: (content: DisplayContent, update: boolean) => asked.push({ ...content, update }),
  clearOutput: (wait: boolean) => asked.push({ wait }),
  readLineSync: (message, { password }) => `${message}${password}`,
  readLine: async (message, { password }) => `later ${message}${password}`,
};

beforeEach(() => {
  asked = [];
  disconnect = connectKernel(host as KernelHost);
});
afterEach(() => {
  disconnect();
  vi.restoreAllMocks();
});

const shown = (data: object, displayId?: string, update = false) => ({
  data,
  metadata: {},
  transient: displayId === undefined ? {} : { display_id: displayId },
  update,
});

describe("in a notebook", () => {
  test("display sends any value at once, and updates by id", () => {
    expect(inNotebook()).toBe(true);
    void display(5);
    void display({ "text/html": "<b>a</b>", "text/plain": "a" }, { displayId: "x" });
    void updateDisplay("x", { "text/plain": "b" });
    void display(withDisplayId({ "text/plain": "c" }, "own"));
    expect(asked).toEqual([
      shown({ "text/plain": "5" }),
      shown({ "text/html": "<b>a</b>", "text/plain": "a" }, "x"),
      shown({ "text/plain": "b" }, "x", true),
      shown(withDisplayId({ "text/plain": "c" }, "own"), "own"),
    ]);
  });

  test("display waits for what takes time", async () => {
    await display({ _repr_html_: async () => "<b>later</b>" });
    expect(asked).toMatchObject([{ data: { "text/html": "<b>later</b>" } }]);
  });

  test("an update without an id is an error", () => {
    expect(() => display(1, { update: true })).toThrow(/needs the displayId/);
  });

  test("clearOutput, prompt and readLine reach the kernel", async () => {
    clearOutput();
    clearOutput({ wait: true });
    expect(asked).toEqual([{ wait: false }, { wait: true }]);
    expect(prompt("name: ")).toBe("name: false");
    expect(await readLine("word: ", { password: true })).toBe("later word: true");
  });

  test("tags give markup, with values escaped in HTML", async () => {
    const items = ["<a>", 1].map((item) => html`<li>${item}</li>`);
    await display(html`<ul>${items}${null}</ul>`);
    await display(svg`<svg><text>${"a&b"}</text></svg>`);
    const name = "x";
    await display(markdown`
      # ${name}
        - <b>kept</b>
      `);
    const list = "<ul><li>&lt;a&gt;</li><li>1</li></ul>";
    expect(asked).toEqual([
      shown({ "text/html": list, "text/plain": list }),
      shown({ "image/svg+xml": "<svg><text>a&amp;b</text></svg>", "text/plain": "<svg><text>a&amp;b</text></svg>" }),
      shown({ "text/markdown": "# x\n  - <b>kept</b>\n", "text/plain": "# x\n  - <b>kept</b>\n" }),
    ]);
    expect(String(html`<b>${1}</b>`)).toBe("<b>1</b>");
  });
});

describe("outside a notebook", () => {
  beforeEach(() => disconnect());

  test("display prints text, and no updates", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    expect(inNotebook()).toBe(false);
    await display({ "text/html": "<b>a</b>", "text/plain": "a" });
    await display([1, 2]);
    await display(markdown`# T`);
    await updateDisplay("x", "again");
    clearOutput();
    expect(log.mock.calls).toEqual([["a"], ["[ 1, 2 ]"], ["# T"]]);
  });

  const notebook = join(__dirname, "..", "..", "dist", "notebook", "index.js");
  const script = (code: string) => ["-e", `const { prompt, readLine } = require(${JSON.stringify(notebook)}); ${code}`];

  test("prompt reads a line of standard input at a time, and says when there is none", () => {
    const two = script('console.log([prompt("a? "), prompt("b? ")]); prompt();');
    const { stdout, stderr, status } = spawnSync(process.execPath, two, { input: "über\r\n\n", encoding: "utf8" });
    expect(stdout).toBe("a? b? [ 'über', '' ]\n");
    expect(stderr).toContain("InputEndedError: Input was asked for, but standard input has ended.");
    expect(status).toBe(1);
  });

  test("readLine reads one too", () => {
    const one = script('readLine("a? ").then((line) => console.log([line]));');
    expect(execFileSync(process.execPath, one, { input: "kiwi\nmore\n", encoding: "utf8" })).toBe("a? [ 'kiwi' ]\n");
    const none = spawnSync(process.execPath, script("readLine().catch((e) => console.log(e.name));"), { input: "" });
    expect(String(none.stdout)).toBe("InputEndedError\n");
  });
});

test("the entry loads fast, because a kernel loads it before it is ready", () => {
  const heavy = ["apache-arrow", "sharp", "esbuild", "@duckdb", "danfojs-node", "onnxruntime-node"];
  const code = `require(${JSON.stringify(join(__dirname, "..", "..", "dist", "notebook", "index.js"))});
    console.log(Object.keys(require.cache).join("\\n"));`;
  const loaded = execFileSync(process.execPath, ["-e", code], { encoding: "utf8" });
  expect(heavy.filter((name) => loaded.includes(`node_modules/${name}`))).toEqual([]);
});

test("texts that are markup already go in as they are", () => {
  void display(html("<b>1 &amp; 2</b>"));
  void display(svg("<svg></svg>"));
  void display(markdown("# one"));
  clearOutput(true);
  expect(asked).toEqual([
    shown({ "text/html": "<b>1 &amp; 2</b>", "text/plain": "<b>1 &amp; 2</b>" }),
    shown({ "image/svg+xml": "<svg></svg>", "text/plain": "<svg></svg>" }),
    shown({ "text/markdown": "# one", "text/plain": "# one" }),
    { wait: true },
  ]);
});
