import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type StaleMarks, staleMarks } from "../../kernel-ext/src/runtime/stale-marks";
import { type Notebook, openNotebook } from "./language-notebook";

/** `a: code` runs the cell `a`; `a!: code` fails; `-a` removes it; `a~: code` waits behind others that were asked for at once. */
type Step = string;

/** What a table says: the stale cells by their ids, and `(b)` for those that are right from top to bottom. */
interface Case {
  readonly what: string;
  readonly steps: readonly Step[];
  readonly stale: string;
  /** What the last step says at its end. */
  readonly line?: RegExp | null;
}

let notebook: Notebook;
let marks: StaleMarks;
let isLast = true;
let execution = 0;
let ids: Map<number, string>;

beforeAll(() => {
  notebook = openNotebook();
});
beforeEach(() => {
  marks = staleMarks(
    (name) => notebook.lookUp(name),
    () => isLast,
  );
  execution = 0;
  ids = new Map();
});

async function step(text: Step, client: Client = "lab"): Promise<string | undefined> {
  const removed = /^-(\w+)$/.exec(text)?.[1];
  if (removed) {
    marks.begin({ ...request("", "x"), deletedCells: [removed] });
    marks.end(true);
    return undefined;
  }
  const [, id = "", flag, code = ""] = /^(\w+)([!~]?): (.*)$/s.exec(text) ?? [];
  isLast = flag !== "~";
  execution++;
  ids.set(execution, id);
  marks.begin(request(code, client === "lab" ? id : undefined, client !== "batch"));
  let hasFailed = false;
  if (!code.startsWith("%%"))
    await notebook.run(code, marks).catch(() => {
      hasFailed = true;
    });
  expect(hasFailed).toBe(flag === "!");
  return marks.end(hasFailed);
}

type Client = "lab" | "console" | "batch";

const request = (code: string, cellId?: string, allow_stdin = true) => ({
  execution,
  count: execution,
  cellId,
  content: { code, silent: false, allow_stdin },
});

function staleIds(): string {
  return marks
    .stale()
    .map(({ count, isInOrder }) => (isInOrder ? `(${ids.get(count)})` : ids.get(count)))
    .join(" ");
}

const TABLE: readonly Case[] = [
  {
    what: "a run from top to bottom",
    steps: ["a: let rate = 2;", "b: const total = rate * 100;", "c: total + 1"],
    stale: "",
    line: null,
  },
  {
    what: "the cell of a name run again with another value",
    steps: ["a: let rate = 2;", "b: rate * 100", "a: let rate = 3;"],
    stale: "b",
    line: /^In\[2\] used the old rate: run it again \(%%stale tells why\)\.\n$/,
  },
  {
    what: "with the same value",
    steps: ["a: let rate = 2;", "b: rate * 100", "a: let rate = 2; // again"],
    stale: "",
    line: null,
  },
  {
    what: "and back to the value of before",
    steps: ["a: let rate = 2;", "b: rate * 100", "a: let rate = 3;", "a: let rate = 2;"],
    stale: "",
    line: null,
  },
  {
    what: "cells that use a result of a stale one",
    steps: ["a: let rate = 2;", "b: const total = rate * 100;", "c: total + 1", "a: let rate = 3;"],
    stale: "b c",
    line: /^In\[2\] used the old rate, In\[3\] what came of it: run them again/,
  },
  {
    what: "a stale cell run again",
    steps: [
      "a: let rate = 2;",
      "b: const total = rate * 100;",
      "c: total + 1",
      "a: let rate = 3;",
      "b: const total = rate * 100;",
    ],
    stale: "c",
    line: /^In\[3\] used the old total: run it again/,
  },
  {
    what: "all of them run again",
    steps: [
      "a: let rate = 2;",
      "b: const total = rate * 100;",
      "c: total + 1",
      "a: let rate = 3;",
      "b: const total = rate * 100;",
      "c: total + 1",
    ],
    stale: "",
    line: null,
  },
  {
    what: "a stale cell whose result is the same after all",
    steps: ["a: let rate = 2;", "b: const big = rate > 1;", "c: big", "a: let rate = 3;", "b: const big = rate > 1;"],
    stale: "",
    line: null,
  },
  {
    what: "a cell that runs on a stale result",
    steps: ["a: let rate = 2;", "b: const total = rate * 100;", "a: let rate = 3;", "c: total + 1"],
    stale: "b c",
    line: null,
  },
  {
    what: "what has nothing to do with it",
    steps: ["a: let rate = 2;", "b: 1 + 1", "c: const other = 3;", "a: let rate = 3;"],
    stale: "",
    line: null,
  },
  {
    what: "the cell itself, which uses what it declares",
    steps: ["a: let rate = 2; rate * 100", "b: rate", "a: let rate = 3; rate * 100"],
    stale: "b",
  },
  {
    what: "a new cell below that sets the name",
    steps: ["a: let rate = 2;", "b: rate * 100", "c: rate = 3;"],
    stale: "(b)",
    line: null,
  },
  {
    what: "a new cell below that declares it",
    steps: ["a: const rate = 2;", "b: rate * 100", "c: const rate = 3;", "d: rate"],
    stale: "(b)",
    line: null,
  },
  {
    what: "a step of a pipeline run again",
    steps: ["a: let df = [3, 1, 2];", "b: df.length", "c: df = df.toSorted();", "d: df[0]", "a: let df = [5, 4];"],
    stale: "b c d",
    line: /^In\[2\] and In\[3\] used the old df, In\[4\] what came of it/,
  },
  {
    what: "a later step run again",
    steps: [
      "a: let df = [3, 1, 2];",
      "b: df.length",
      "c: df = df.filter((x) => x > 1);",
      "d: df[0]",
      "c: df = df.filter((x) => x > 2);",
    ],
    stale: "d (b)",
    line: /^In\[4\] used the old df: run it again/,
  },
  {
    what: "a cell above one that sets the name anew",
    steps: ["a: let x = 1;", "b: x", "c: x = 5;", "d: x", "a: let x = 2;"],
    stale: "b (d)",
    line: /^In\[2\] used the old x:/,
  },
  {
    what: "a cell run again behind one below it",
    steps: ["a: let x = 1;", "b: x", "c: x = 5;", "b: x"],
    stale: "",
    line: null,
  },
  {
    what: "and the one below it then changed",
    steps: ["a: let x = 1;", "b: x", "c: x = 5;", "b: x", "c: x = 6;"],
    stale: "b",
  },
  {
    what: "a function called",
    steps: [
      "a: let rate = 2;",
      "f: function helper(n: number) { return n * rate; }",
      "b: helper(100)",
      "a: let rate = 3;",
    ],
    stale: "b",
    line: /^In\[3\] used the old rate:/,
  },
  {
    what: "a function only declared",
    steps: ["a: let rate = 2;", "f: const helper = (n: number) => n * rate;", "a: let rate = 3;"],
    stale: "",
    line: null,
  },
  {
    what: "a function that calls a function",
    steps: [
      "a: let rate = 2;",
      "f: function one() { return rate; }",
      "g: const two = () => one() + 1;",
      "b: two()",
      "a: let rate = 3;",
    ],
    stale: "b",
  },
  {
    what: "functions that call each other",
    steps: [
      "a: let n = 2;",
      "f: function even(i: number): boolean { return i === 0 || odd(i - n); }\nfunction odd(i: number): boolean { return i !== 0 && even(i - n); }",
      "b: even(4)",
      "a: let n = 4;",
    ],
    stale: "b",
  },
  {
    what: "a function of its own cell called there",
    steps: ["a: let rate = 2;", "b: function helper() { return rate; }\nhelper()", "a: let rate = 3;"],
    stale: "b",
  },
  {
    what: "a function declared anew with another text",
    steps: ["f: function helper() { return 1; }", "b: helper()", "f: function helper() { return 2; }"],
    stale: "b",
  },
  {
    what: "with the same text",
    steps: ["f: function helper() { return 1; }", "b: helper()", "f: function helper() { return 1; }"],
    stale: "",
    line: null,
  },
  {
    what: "with other types alone",
    steps: ["f: const helper = (n: number) => n;", "b: helper(1)", "f: const helper = (n: number): number => n;"],
    stale: "",
    line: null,
  },
  {
    what: "and back to the text of before",
    steps: [
      "f: function helper() { return 1; }",
      "b: helper()",
      "f: function helper() { return 2; }",
      "f: function helper() { return 1; }",
    ],
    stale: "",
    line: null,
  },
  {
    what: "a function of a stale cell",
    steps: [
      "a: let rate = 2;",
      "b: function helper() { return 1; }\nconst total = rate * 2;",
      "c: helper()",
      "d: total",
      "a: let rate = 3;",
    ],
    stale: "b d",
  },
  {
    what: "a callback that runs at once",
    steps: ["a: let rate = 2;", "b: [1, 2].map((n) => n * rate)", "a: let rate = 3;"],
    stale: "b",
  },
  {
    what: "methods of an object",
    steps: [
      "a: let rate = 2;",
      "f: const tools = { apply: (n: number) => n * rate, other() { return rate; } };",
      "b: tools.apply(3)",
      "a: let rate = 3;",
    ],
    stale: "b",
  },
  {
    what: "a class",
    steps: [
      "a: let rate = 2;",
      "k: class Model { apply(n: number) { return n * rate; } }",
      "b: new Model().apply(3)",
      "a: let rate = 3;",
    ],
    stale: "b",
  },
  {
    what: "a class declared anew",
    steps: ["k: class Model { n = 1 }", "b: new Model().n", "k: class Model { n = 2 }"],
    stale: "b",
  },
  {
    what: "a class with the same text",
    steps: ["k: class Model { n = 1 }", "b: new Model().n", "k: class Model { n = 1 }"],
    stale: "",
  },
  {
    what: "the base of a class",
    steps: ["k: class Base { n = 1 }", "m: class Model extends Base {}", "b: new Model().n", "k: class Base { n = 2 }"],
    stale: "m b",
  },
  {
    what: "a static member, which is made at once",
    steps: ["a: let rate = 2;", "k: class Model { static rate = rate; }", "a: let rate = 3;"],
    stale: "k",
  },
  {
    what: "an enum",
    steps: ["e: enum Fruit { apple, pear }", "b: Fruit.pear", "e: enum Fruit { pear, apple }"],
    stale: "b",
  },
  {
    what: "an enum that is the same",
    steps: ["e: enum Fruit { apple, pear }", "b: Fruit.pear", "e: enum Fruit { apple, pear }"],
    stale: "",
  },
  {
    what: "an import, run again",
    steps: ["i: import { join } from 'node:path';", "b: join('a', 'b')", "i: import { join } from 'node:path';"],
    stale: "",
    line: null,
  },
  {
    what: "what can't be looked into",
    steps: [
      "a: const { proxy: p, revoke } = Proxy.revocable({}, {}); revoke(); const q = { get x() { throw 1; } };",
      "b: [typeof p, typeof q]",
      "a: const { proxy: p, revoke } = Proxy.revocable({}, {}); revoke(); const q = { get x() { throw 1; } };",
    ],
    stale: "b",
  },
  {
    what: "a whole module's import, run again",
    steps: [
      "i: import * as paths from 'node:path'; import fs, { type Stats } from 'node:fs';",
      "b: [paths.sep, fs.constants.F_OK]",
      "i: import * as paths from 'node:path'; import fs, { type Stats } from 'node:fs';",
    ],
    stale: "",
    line: null,
  },
  {
    what: "an import of another module's",
    steps: [
      "i: import { join } from 'node:path';",
      "b: join('a', 'b')",
      "i: import { posix } from 'node:path';\nconst join = posix.resolve;",
    ],
    stale: "b",
  },
  {
    what: "an import of a stale cell",
    steps: ["a: let rate = 2;", "i: import { join } from 'node:path';\nrate", "b: join('a', 'b')", "a: let rate = 3;"],
    stale: "i",
  },
  {
    what: "destructuring",
    steps: [
      "a: const { low, high: [top] } = { low: 1, high: [2] };",
      "b: low",
      "c: top",
      "a: const { low, high: [top] } = { low: 1, high: [3] };",
    ],
    stale: "c",
  },
  {
    what: "shorthand properties",
    steps: ["a: let rate = 2;", "b: const all = { rate };", "c: all.rate", "a: let rate = 3;"],
    stale: "b c",
  },
  {
    what: "an assignment by destructuring",
    steps: [
      "a: let x = 1, y = 2;",
      "b: [x, y]",
      "c: ({ x, y } = { x: 5, y: 2 });",
      "d: x",
      "e: y",
      "c: ({ x, y } = { x: 6, y: 2 });",
    ],
    stale: "d (b)",
  },
  {
    what: "small data that is the same",
    steps: [
      "a: const settings = { rate: 2, names: ['a', 'b'] };",
      "b: settings.rate",
      "a: const settings = { rate: 2, names: ['a', 'b'] };",
    ],
    stale: "",
  },
  {
    what: "small data that differs",
    steps: [
      "a: const settings = { rate: 2, names: ['a', 'b'] };",
      "b: settings.rate",
      "a: const settings = { rate: 2, names: ['a', 'c'] };",
    ],
    stale: "b",
  },
  {
    what: "objects that can't be compared",
    steps: ["a: const cache = new Map([[1, 2]]);", "b: cache.size", "a: const cache = new Map([[1, 2]]);"],
    stale: "b",
  },
  {
    what: "what a value holds, which nobody sees change",
    steps: ["a: const xs: number[] = [];", "b: xs.length", "c: xs.push(1);"],
    stale: "",
    line: null,
  },
  { what: "a sum that goes on", steps: ["a: let n = 1;", "b: n += 1;", "c: n", "b: n += 1;"], stale: "c" },
  { what: "its start", steps: ["a: let n = 1;", "b: n += 1;", "c: n", "a: let n = 5;"], stale: "b c" },
  {
    what: "a name set before it is read",
    steps: ["a: let n = 1;", "b: n = 5;\nn * 2", "a: let n = 2;"],
    stale: "",
    line: null,
  },
  {
    what: "a name set in a branch that is not taken",
    steps: ["a: let n = 1;", "b: if (n > 5) n = 0;", "c: n", "a: let n = 2;"],
    stale: "b c",
  },
  {
    what: "a name that a called function sets",
    steps: ["a: let n = 1;", "f: function set(to: number) { n = to; }", "s: set(2);", "b: n", "s: set(3);"],
    stale: "b",
  },
  {
    what: "and sets to the same",
    steps: ["a: let n = 1;", "f: function set(to: number) { n = to; }", "s: set(2);", "b: n", "s: set(2);"],
    stale: "",
  },
  {
    what: "a local name of the same spelling",
    steps: ["a: let rate = 2;", "b: ((rate: number) => rate)(3)", "c: { const rate = 1; rate; }", "a: let rate = 3;"],
    stale: "",
  },
  {
    what: "a name in types alone",
    steps: ["a: let rate = 2;", "b: const other: typeof rate = 5;", "a: let rate = 3;"],
    stale: "",
  },
  {
    what: "a property of that name",
    steps: ["a: let rate = 2;", "b: ({ rate: 1 }).rate", "a: let rate = 3;"],
    stale: "",
  },
  {
    what: "a cell that fails after it has set the name",
    steps: ["a: let rate = 2;", "b: rate", "a!: let rate = 3;\nthrow new Error();"],
    stale: "b",
  },
  {
    what: "a cell that fails before",
    steps: ["a: let rate = 2;", "b: rate", "a!: throw new Error();\nlet rate = 3;"],
    stale: "",
    line: null,
  },
  {
    what: "a failed cell that used the name",
    steps: ["a: let rate = 2;", "b!: if (rate === 2) throw new Error();", "a: let rate = 3;"],
    stale: "b",
    line: /^In\[2\] used/,
  },
  {
    what: "a cell that does not declare the name any more",
    steps: ["a: let rate = 2;", "b: rate", "a: let ratio = 2;"],
    stale: "b",
    line: /^In\[2\] used rate, which no cell declares any more:/,
  },
  {
    what: "a declaration that moved to a new cell",
    steps: ["a: let rate = 2;", "b: rate", "a: let ratio = 2;", "c: let rate = 2;"],
    stale: "",
  },
  {
    what: "and changed on the way",
    steps: ["a: let rate = 2;", "b: rate", "a: let ratio = 2;", "c: let rate = 3;"],
    stale: "b",
    line: /^In\[2\] used the old rate/,
  },
  { what: "a cell that was removed", steps: ["a: let rate = 2;", "b: rate", "c: 1", "-a"], stale: "b" },
  {
    what: "a stale cell that was removed",
    steps: ["a: let rate = 2;", "b: rate", "a: let rate = 3;", "-b"],
    stale: "",
  },
  { what: "a cell that became a magic", steps: ["a: let rate = 2;", "b: rate", "a: %%info"], stale: "b" },
  {
    what: "a cell replaced by one that does not use the name",
    steps: ["a: let rate = 2;", "b: rate", "b: 1", "a: let rate = 3;"],
    stale: "",
  },
  {
    what: "all run again at once, from the top",
    steps: [
      "a: let m = new Map();",
      "b: const n = m.size;",
      "c: n",
      "a~: let m = new Map();",
      "b~: const n = m.size;",
      "c: n",
    ],
    stale: "",
    line: null,
  },
  {
    what: "some run again at once",
    steps: ["a: let m = new Map();", "b: m.size", "c: m.size", "a~: let m = new Map();", "b: m.size"],
    stale: "c",
    line: /^In\[3\] used the old m:/,
  },
  {
    what: "a name of a loop",
    steps: ["a: let xs = [1];", "b: let sum = 0; for (const x of xs) sum += x;", "c: sum", "a: let xs = [2];"],
    stale: "b c",
  },
  { what: "a template and a tag", steps: ["a: let who = 'a';", `b: \`\${who}\``, "a: let who = 'b';"], stale: "b" },
  {
    what: "a default of a parameter",
    steps: ["a: let n = 1;", "f: function of(x = n) { return x; }", "b: of()", "a: let n = 2;"],
    stale: "b",
  },
  {
    what: "the result of a function that was called once",
    steps: ["a: let n = 1;", "f: const make = () => () => n;", "g: const made = make();", "a: let n = 2;"],
    stale: "g",
  },
];

describe("who is stale", () => {
  it.each(TABLE)("$what", async ({ steps, stale, line }) => {
    let told: string | undefined;
    for (const each of steps) told = await step(each);
    expect(staleIds()).toBe(stale);
    if (line === null) expect(told).toBeUndefined();
    if (line) expect(told).toMatch(line);
  });
});
