// biome-ignore-all lint/suspicious/noTemplateCurlyInString: cells are text
import { expect, test } from "vitest";
import { openNotebook } from "./language-notebook";

/**
 * Cells in order, and the last one's value, worked out as in one module whose declarations are replaced. A cell that begins with
 * `// fails` is to throw. What Python can say gives the same in ipykernel: a function looks a global up where it is called.
 */
const CASES: Readonly<Record<string, readonly [cells: readonly string[], value: unknown]>> = {
  "a constant": [["const rate = 2; const price = (x: number) => x * rate;", "const rate = 3;", "price(10)"], 30],
  "a variable": [["let rate = 2; function price(x: number) { return x * rate; }", "let rate = 3;", "price(10)"], 30],
  "a var": [["var rate = 2; function price(x: number) { return x * rate; }", "var rate = 3;", "price(10)"], 30],
  "a helper": [
    [
      "function helper() { return 'old'; } function main() { return helper(); }",
      "function helper() { return 'new'; }",
      "main()",
    ],
    "new",
  ],
  "a helper by an arrow": [
    ["const helper = () => 'old'; const main = () => helper();", "const helper = () => 'new';", "main()"],
    "new",
  ],
  "an arrow in place of a function": [
    ["function helper() { return 1; } const main = () => helper();", "const helper = () => 2;", "main()"],
    2,
  ],
  "a function in place of an arrow": [
    ["const helper = () => 1; function main() { return helper(); }", "function helper() { return 2; }", "main()"],
    2,
  ],
  "a class": [["class P { n = 1 } function make() { return new P(); }", "class P { n = 2 }", "make().n"], 2],
  "a class and `instanceof`": [
    [
      "class P {} const is = (x: any) => x instanceof P; const old = new P();",
      "class P {}",
      "`${is(old)} ${is(new P())}`",
    ],
    "false true",
  ],
  "a class's own name within it": [
    ["class P { static make() { return new P(); } n = 1 } const make = P.make;", "class P { n = 2 }", "make().n"],
    1,
  ],
  "a base class stays that of who extends it": [
    ["class A { f() { return 1; } } class B extends A {}", "class A { f() { return 2; } }", "new B().f()"],
    1,
  ],
  "a class's method that calls a helper": [
    [
      "const unit = () => 'cm'; class L { show() { return unit(); } } const l = new L();",
      "const unit = () => 'in';",
      "l.show()",
    ],
    "in",
  ],
  "a class's field": [["const d = 1; class C { v = d }", "const d = 5;", "new C().v"], 5],
  "a static field is of its time": [["const d = 1; class C { static v = d }", "const d = 5;", "C.v"], 1],
  "an import by an import": [
    [
      "import { basename as f } from 'node:path'; const g = () => f('/a/b');",
      "import { dirname as f } from 'node:path';",
      "g()",
    ],
    "/a",
  ],
  "an import by a constant": [
    ["import { sep } from 'node:path'; const g = () => sep;", "const sep = '|';", "g()"],
    "|",
  ],
  "a constant by an import": [
    ["const sep = '|'; const g = () => sep;", "import { sep } from 'node:path';", "g()"],
    "/",
  ],
  "a default import": [["import m from 'node:path'; const g = () => m.sep;", "const m = { sep: '!' };", "g()"], "!"],
  "a namespace import": [
    ["import * as m from 'node:path'; const g = () => m.sep;", "const m = { sep: '!' };", "g()"],
    "!",
  ],
  "an enum is not merged with that of before": [["enum E { A, B }", "enum E { C }", "Object.keys(E).join()"], "0,C"],
  "an enum that a function uses": [["enum E { A = 1 } const f = () => E.A;", "enum E { A = 7 }", "E.A"], 7],
  "a namespace is not merged with that of before": [
    ["namespace N { export const a = 1; }", "namespace N { export const b = 2; }", "Object.keys(N).join()"],
    "b",
  ],
  "a namespace in two parts": [
    ["namespace N { export const a = 1; } namespace N { export const b = a + 1; }", "N.a + N.b"],
    3,
  ],
  "a function with members": [["function f() { return f.n; } namespace f { export const n = 4; }", "f()"], 4],
  "a destructured name": [
    ["const { a, ...rest } = { a: 1, b: 2 }; const f = () => a + (rest as any).b;", "const [a] = [10];", "f()"],
    12,
  ],
  "defaults in a pattern": [["const { a = 3, b: [c = a] = [] } = {} as any; const f = () => c;", "f()"], 3],
  "a computed key in a pattern": [["const k = 'x'; const { [k]: v } = { x: 6 };", "v"], 6],
  "a swap": [["let x = 1, y = 2; [x, y] = [y, x];", "const f = () => `${x}${y}`; [x, y] = [y, x]; f()"], "12"],
  "a swap by a function": [["let x = 1, y = 2; const swap = () => { [x, y] = [y, x]; };", "swap(); `${x}${y}`"], "21"],
  "a count by a function": [["let n = 0; const inc = () => n++;", "let n = 10;", "inc(); inc(); n"], 12],
  "a count before and after": [
    ["let n = 5; const r = [n++, ++n, n--, --n, n += 4, n **= 2];", "r.join() + n"],
    "5,7,7,5,9,8181",
  ],
  typeof: [["let v: any = 1; const t = () => typeof v;", "let v: any = 'x';", "t()"], "string"],
  "a shorthand": [["const v = 1; const f = () => ({ v });", "const v = 2;", "f().v"], 2],
  "a parameter's default": [["const d = 1; const f = (x = d) => x;", "const d = 2;", "f()"], 2],
  "a template": [["const who = 'a'; const f = () => `hi ${who}`;", "const who = 'b';", "f()"], "hi b"],
  "a tag": [
    [
      "const tag = (s: TemplateStringsArray) => s[0] + 1; const f = () => tag`x`;",
      "function tag(this: any, s: TemplateStringsArray) { return s[0] + 2; }",
      "f()",
    ],
    "x2",
  ],
  "an optional call": [["let f: (() => number) | undefined; const g = () => f?.() ?? 0;", "f = () => 3; g()"], 3],
  "a call has no `this`": [
    [
      "function me(this: unknown) { 'use strict'; return this; } const call = () => [me(), (me)(), me?.()];",
      "call().filter((x) => x !== undefined).length",
    ],
    0,
  ],
  "a tag has no `this`": [
    [
      "function me(this: unknown, s: TemplateStringsArray) { 'use strict'; return this; } const r = me`x` === undefined;",
      "r",
    ],
    true,
  ],
  "`new` of a name": [
    ["let C: any = class { n = 1 }; const make = () => new C().n;", "C = class { n = 2 }; make()"],
    2,
  ],
  "a generator": [
    ["const step = 1; function* g() { yield step; yield step; }", "const step = 2;", "[...g()].join()"],
    "2,2",
  ],
  "an async function": [
    ["const step = 1; async function f() { await 0; return step; }", "const p = f(); const step = 2; await p"],
    2,
  ],
  "a timer's callback": [
    ["let v = 1; const p = new Promise<number>((done) => setTimeout(() => done(v), 5));", "let v = 2; await p"],
    2,
  ],
  "a getter": [["const v = 1; const o = { get p() { return v; } };", "const v = 2;", "o.p"], 2],
  "recursion goes to the new function": [
    [
      "function f(n: number): number { return n === 0 ? 0 : 1 + f(n - 1); } const old = f;",
      "function f(n: number): number { return 100; }",
      "old(3)",
    ],
    101,
  ],
  "a function expression's own name": [
    ["const f = function g(n: number): number { return n ? 1 + g(n - 1) : 0; };", "const g = 5;", "f(3) + g"],
    8,
  ],
  "a function above its declaration": [
    ["const r = f(); function f() { return k(); } function k() { return 3; }", "r"],
    3,
  ],
  "functions that call each other": [
    [
      "function even(n: number): boolean { return n === 0 || odd(n - 1); } function odd(n: number): boolean { return n > 0 && even(n - 1); }",
      "even(10)",
    ],
    true,
  ],
  "a loop's own variable": [
    ["const fs: (() => number)[] = []; for (let i = 0; i < 3; i++) fs.push(() => i);", "fs.map((f) => f()).join()"],
    "0,1,2",
  ],
  "a loop's var": [
    [
      "const fs: (() => number)[] = []; for (var i = 0; i < 3; i++) fs.push(() => i); const r = fs.map((f) => f()).join();",
      "r",
    ],
    "3,3,3",
  ],
  "a loop's var of a list": [
    [
      "let s = ''; for (var x of ['a', 'b']) s += x; for (var [k, v] of [[1, 2]]) s += k + v; for (var q in { z: 1 }) s += q; s += x;",
      "s",
    ],
    "ab3zb",
  ],
  "a var in a block": [["if (1 as any) { var y = 5; } const r = y;", "r"], 5],
  "a var in a block that does not run": [
    ["var y: any = 4; const was = y;", "if (0 as any) { var y: any = 5; } String(y)"],
    "undefined",
  ],
  "a shadowing name": [
    ["const x = 1; const f = (x: number) => { { const x = 5; return x; } };", "const x = 2;", "f(3) + x"],
    7,
  ],
  "a shadowing catch": [["const e = 1; let r = 0; try { throw 7; } catch (e: any) { r = e; }", "r + e"], 8],
  "a shadowing class member": [
    ["const n = 1; class C { n = 5; get() { return this.n + n; } }", "const n = 2;", "new C().get()"],
    7,
  ],
  "a label": [["let out = 0; out: for (;;) { out++; break out; }", "out"], 1],
  "a variable without a value": [["let v: any = 1; const f = () => v;", "let v: any;", "String(f())"], "undefined"],
  "a var that is declared twice": [["var v = 1; var v: number; var v = v + 1;", "v"], 2],
  "a name read above its declaration has the value of before": [
    ["var v = 1;", "const was = (() => v)(); var v = 2; `${was}${v}`"],
    "12",
  ],
  "a name read above its first declaration": [
    ["// fails\nconst early = [0].map(() => later)[0]; const later = 1;", "1"],
    1,
  ],
  "a failed cell keeps what was there": [["const x = 1;", "// fails\nthrow new Error(); const x = 2;", "x"], 1],
  "a failed cell keeps the type of what was there": [
    ["const x = 1;", "// fails\nif (1 as any) throw new Error(); const x = 'text';", "x.toFixed(1)"],
    "1.0",
  ],
  "a failed cell keeps what it had come to": [
    ["const x = 1, y = 1;", "// fails\nconst x = 'a'; JSON.parse('{'); const y = 'b';", "x.length + y.toFixed()"],
    "11",
  ],
  "a failed cell keeps a class": [
    ["class C { n = 1 }", "// fails\nJSON.parse('{'); class C { m = 1 }", "new C().n"],
    1,
  ],
  "a failed cell keeps an import": [
    ["import { sep } from 'node:path';", "// fails\nJSON.parse('{'); const sep = 5;", "sep.length"],
    1,
  ],
  "a failed cell keeps one of several imports": [
    [
      "import path, { sep as s, basename } from 'node:path';",
      "// fails\nJSON.parse('{'); const s = 5; let path = 5;",
      "s + path.sep + basename('/x')",
    ],
    "//x",
  ],
  "a failed cell keeps destructured names": [
    ["let { a, b } = { a: 1, b: 2 };", "// fails\nJSON.parse('{'); const a = ''; const b = '';", "(a + b).toFixed()"],
    "3",
  ],
  "a failed pattern keeps what was there": [["let a = 1, b = 2;", "// fails\nlet [a, b] = null as any;", "a + b"], 3],
  "a failed cell keeps an enum": [["enum E { A = 4 }", "// fails\nJSON.parse('{'); enum E { B = 5 }", "E.A"], 4],
  "a failed cell's functions are there": [["// fails\nJSON.parse('{'); function f() { return 1; }", "f()"], 1],
  "a function after a failed cell": [
    ["const x = 1; const f = () => x;", "// fails\nJSON.parse('{'); const x = 2;", "f()"],
    1,
  ],
  "a failed cell that is mended": [["// fails\nJSON.parse('{'); const x = 2;", "const x = 3;", "x"], 3],
  "a failed cell's name that a global has": [
    ["// fails\nJSON.parse('{'); const escape = 2;", "typeof escape"],
    "function",
  ],
  "an error in a cell of types": [
    ["interface I { a: number } const x: I = { a: 1 };", "// fails\nJSON.parse('{'); const x: I = { a: 2 };", "x.a"],
    1,
  ],
  "exports, require, module and Object": [
    [
      "const exports = 1; const require = 2; const Object = 3; const module = 4;",
      "import { sep } from 'node:path'; exports + require + Object + module + sep",
    ],
    "10/",
  ],
  "a require of one's own": [
    [
      "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      "require('node:path').sep",
    ],
    "/",
  ],
  "a function named exports": [
    ["function exports() { return 1; } class require { n = 2 }", "exports() + new require().n"],
    3,
  ],
  "a name that the compiler would take": [
    ["const rate = 2; let r = 0; { const __rate = 5; r = rate + __rate; }", "r"],
    7,
  ],
  "names with signs": [["const $ = 1, _ = 2, é = 3, $$ = 4;", "$ + _ + é + $$"], 10],
  "`this` at the top": [["String(this)"], "undefined"],
  "`this` in an arrow": [["const f = () => this; const r = String(f());", "r"], "undefined"],
  "`this` in a method": [["const o = { n: 3, f() { return (() => this.n)(); } };", "o.f()"], 3],
  "the name of a function that is shown": [["() => 1"], expect.objectContaining({ name: "" })],
  "the name of a class that is shown": [
    ["class {} as any".replace("class {}", "(class {})")],
    expect.objectContaining({ name: "" }),
  ],
  "names of functions": [
    [
      "const a = () => 1; let b = function () {}; function c() {} const d = class {}; class E {} var { f = () => 1 } = {} as any; const g = (async () => 1);",
      "[a, b, c, d, E, f, g].map((x) => x.name).join()",
    ],
    "a,b,c,d,E,f,g",
  ],
  "a decorated class": [
    [
      "const mark = (c: any, _: any) => { c.marked = true; }; @mark class C { static self() { return C; } }",
      "(C as any).marked && C.name + (C.self() === C)",
    ],
    "Ctrue",
  ],
  "an accessor field": [["class C { accessor v = 1; }", "const c = new C(); c.v++; c.v"], 2],
  "`using`": [
    [
      "const log: string[] = []; { using r = { [Symbol.dispose]() { log.push('closed'); } }; log.push('open'); }",
      "log.join()",
    ],
    "open,closed",
  ],
  "an await in a declaration": [
    ["const x = await Promise.resolve(4); const f = () => x;", "const x = await Promise.resolve(5); f()"],
    5,
  ],
  "an assignment by a later cell to a later declaration": [
    ["let a = 1; const get = () => a;", "a = 2;", "let a = 3;", "a = 4; get()"],
    4,
  ],
  "many declarations of one name": [
    ["let v = 0; const f = () => v;", "const v = 1;", "function v() {}", "class v {}", "var v = 9;", "f()"],
    9,
  ],
};

test.each(Object.entries(CASES))("declared anew: %s", async (_, [cells, value]) => {
  const last = await runAll(cells);
  expect(last).toEqual(value);
});

// One notebook for all: each case declares what it uses, as people's cells do over a day.
let notebook: ReturnType<typeof openNotebook> | undefined;

async function runAll(cells: readonly string[]): Promise<unknown> {
  notebook ??= openNotebook();
  let last: unknown;
  for (const cell of cells) {
    if (!cell.startsWith("// fails")) last = await notebook.run(cell);
    else await expect(notebook.run(cell)).rejects.toBeDefined();
  }
  return last;
}

test("a name that nothing has set says which cell failed", async () => {
  const own = openNotebook();
  await expect(own.run("const f = () => never; JSON.parse('{'); const never = 1;")).rejects.toThrow(SyntaxError);
  const message = "never has no value: a cell, which declares it, failed before it came to that line.";
  await expect(own.run("never + 1")).rejects.toThrow(new ReferenceError(message));
  await expect(own.run("f()")).rejects.toThrow(ReferenceError);
  await expect(own.run("const early = [0].map(() => later)[0]; const later = 2;")).rejects.toThrow(
    new ReferenceError("later is used before the line that declares it has run."),
  );
});

test("a variable of the user's module follows it, until a cell declares it", async () => {
  const own = openNotebook({
    files: { "counter.ts": "export let count = 0; export function inc() { count++; } export default () => count;" },
  });
  expect(await own.run("import { count, inc } from './counter'; inc(); count")).toBe(1);
  expect(await own.run("inc(); const f = () => count; f()")).toBe(2);
  expect(await own.run("const count = 10; inc(); f()")).toBe(10);
});
