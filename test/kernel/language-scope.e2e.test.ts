// biome-ignore-all lint/suspicious/noTemplateCurlyInString: cells are text
import { beforeAll, expect, test } from "vitest";
import { type Notebook, openNotebook } from "./language-notebook";

/** Cells in order, and the value of the last one. */
const CASES: Readonly<Record<string, readonly [cells: readonly string[], value: unknown]>> = {
  "a shorthand property": [["const lut = [3];", "const o = { lut }; o.lut[0]"], 3],
  "a shorthand method's neighbour": [["const a = 1; const b = 2;", "({ a, f() { return b; } }).f()"], 2],
  "destructuring by shorthand": [["let a = 1;", "({ a } = { a: 5 }); a"], 5],
  "destructuring by shorthand with a default": [["let a = 1; const b = 9;", "({ a = b } = {} as any); a"], 9],
  "destructuring into an array": [["let a = 1, b = 2;", "[a, b] = [b, a]; `${a}${b}`"], "21"],
  "destructuring of nested patterns": [["let a = 1;", "({ x: { y: [a] } } = { x: { y: [7] } }); a"], 7],
  "rest in destructuring": [["let rest: any;", "({ x: {}, ...rest } = { x: {}, y: 2 } as any); rest.y"], 2],
  "a property's name whose type is earlier": [
    ["interface P { x: number }", "const p: P = { x: 4 }; const { x: y } = p; y"],
    4,
  ],
  "a renamed property of an earlier object": [["const p = { x: 4 };", "const { x: y } = p; y"], 4],
  "an assigned property of an earlier object": [["const p = { x: 4 }; let z = 0;", "({ x: z } = p); z"], 4],
  "a parameter's pattern": [["const p = { x: 4 };", "(({ x: q }: typeof p) => q)(p)"], 4],
  "a default in a pattern": [
    ["const p = { x: 4 } as { x: number; y?: number }; const d = 6;", "const { y: w = d } = p; w"],
    6,
  ],
  "an assignment": [["let x = 1;", "x = 5;", "x"], 5],
  "an increment": [["let x = 1;", "x++; ++x; x += 2;", "x"], 5],
  "a logical assignment": [["let x: number | undefined;", "x ??= 8;", "x"], 8],
  "a loop over an earlier variable": [["let x = 0; const xs = [1, 2, 3];", "for (x of xs) {} x"], 3],
  "a loop over keys": [["let k = ''; const o = { p: 1 };", "for (k in o) {} k"], "p"],
  "a tagged template": [
    ["const tag = (t: TemplateStringsArray, n: number) => t.raw.join('-') + n;", "tag`a${1}b`"],
    "a-b1",
  ],
  "a template": [["const x = 3;", "`${x}!`"], "3!"],
  "a base class": [["class A { n = 1; get() { return this.n; } }", "class B extends A { n = 2; } new B().get()"], 2],
  "a generic base class": [
    ["class A<T> { constructor(readonly v: T) {} }", "class B extends A<string> {} new B('q').v"],
    "q",
  ],
  "a base class by a call": [
    [
      "const mix = <C extends new (...a: any[]) => object>(c: C) => class extends c { m = 1 };",
      "class B extends mix(Object) {} new B().m",
    ],
    1,
  ],
  "an interface that is implemented": [
    ["interface I { n: number } class C { n = 5 }", "class D extends C implements I {} new D().n"],
    5,
  ],
  "an abstract class": [
    [
      "abstract class A { abstract f(): number; g() { return this.f(); } }",
      "new (class extends A { f() { return 3; } })().g()",
    ],
    3,
  ],
  "a decorator": [
    ["const seal = (c: Function) => { (c as any).sealed = true; };", "@seal class A {} (A as any).sealed"],
    true,
  ],
  "a decorated method": [
    [
      "const log: string[] = []; function dec(_: Function, { name }: ClassMethodDecoratorContext) { log.push(String(name)); }",
      "class A { @dec f() {} } log.join()",
    ],
    "f",
  ],
  "typeof of a value": [["const x = 3;", "typeof x"], "number"],
  "typeof of a type": [["const x = { a: 1 };", "const y: typeof x = { a: 2 }; y.a"], 2],
  "a label": [["const outer = 3;", "outer: for (;;) { for (;;) break outer; } outer"], 3],
  "a shadowing parameter": [["const x = 3;", "((x: number) => ({ x }))(4).x"], 4],
  "a shadowing block": [["const x = 3;", "let r = 0; { const x = 9; r = { x }.x; } r"], 9],
  "a member of the same name": [["const x = 3;", "({ x: 5 }).x"], 5],
  "a class's member of the same name": [
    ["const x = 3;", "class A { x = 5; static y = x; f() { return this.x + x; } } new A().f() + A.y"],
    11,
  ],
  "an enum": [["enum E { A, B = 5 }", "E.B + E[0]"], "5A"],
  "a const enum": [["const enum E { A = 2 }", "E.A"], 2],
  "an enum's member by an earlier constant": [["const x = 3;", "enum E { A = x } E.A"], 3],
  "a namespace": [["namespace N { export const v = 4; }", "const o = { N }; o.N.v"], 4],
  "a namespace two cells later": [
    ["namespace N { export const v = 4; export interface T { a: number } }", "1", "const t: N.T = { a: N.v }; t.a"],
    4,
  ],
  "a namespace's use inside another": [["const x = 3;", "namespace M { export const y = { x }; } M.y.x"], 3],
  "a type import": [["import type { Stats } from 'node:fs';", "const s = {} as Stats; typeof s"], "object"],
  "an import": [["import { basename as base } from 'node:path';", "const o = { base }; o.base('/a/b')"], "b"],
  "a default import": [["import path from 'node:path';", "({ path }).path.sep"], "/"],
  "a namespace import": [["import * as path from 'node:path';", "path.sep"], "/"],
  "a generic function": [["function id<T>(v: T): T { return v; }", "const s: string = id('x'); s"], "x"],
  "instantiation of a generic": [["function id<T>(v: T): T { return v; }", "const f = id<number>; f(3)"], 3],
  overloads: [
    [
      "function f(a: string): string; function f(a: number): number; function f(a: any) { return a; }",
      "1",
      "const n: number = f(2); n",
    ],
    2,
  ],
  "a function before its definition": [["f(); function f() { return 6; }", "f()"], 6],
  "a function that is defined anew": [
    ["function f() { return 1; }", "function f(a: string) { return a; }", "f('z')"],
    "z",
  ],
  "an async generator": [
    ["async function* g() { yield 1; yield 2; }", "let n = 0; for await (const x of g()) n += x; n"],
    3,
  ],
  "await for a loop's value": [
    ["const p = Promise.resolve([1, 2]);", "let n = 0; for (const x of await p) n += x; n"],
    3,
  ],
  "for await without another await": [
    ["const xs = [Promise.resolve(4)];", "let n = 0; for await (const x of xs) { n = x; } n"],
    4,
  ],
  "for await into an earlier variable": [["let last = 0; const xs = [4];", "for await (last of xs) {} last"], 4],
  "await before a bracket": [["const p = (async () => 3)();", "const r = await (p); r"], 3],
  "await before a bracket of an await": [["const p = async () => async () => 4;", "await (await p())()"], 4],
  "await before a list, a sign and a pattern": [
    ["const n = await [1];", "const m = await +2; n[0] + m", "(await /x/).test('x') ? n[0] : 0"],
    1,
  ],
  "await before a template": [["const s = await `a${1}`;", "s"], "a1"],
  "await in a parameter of a call": [["const p = async () => 3;", "[await p(), await p()].join()"], "3,3"],
  "a getter and a setter": [["let v = 1;", "const o = { get p() { return v; }, set p(n) { v = n; } }; o.p = 7; v"], 7],
  "an optional chain": [["const o: { f?: () => number } = {};", "o?.f?.() ?? 'none'"], "none"],
  "a spread": [["const xs = [1, 2]; const o = { a: 1 };", "JSON.stringify([...xs, { ...o }])"], '[1,2,{"a":1}]'],
  "a computed name": [["const k = 'key';", "({ [k]: 3 }).key"], 3],
  "delete and void": [["const o: { a?: number } = { a: 1 };", "delete o.a; void o; 'a' in o"], false],
  "a parameter's default": [["const x = 3;", "((a = x) => a)()"], 3],
  "a closure over an earlier variable": [["let x = 1;", "const f = () => x; x = 2; f()"], 2],
  "satisfies and as": [["const x = 3;", "(x satisfies number) as number"], 3],
  "a cell's own new variable of the name": [["const x = 3;", "const x = 'new'; ({ x }).x"], "new"],
  "a type of the name of a value": [["type V = number; const V = 3;", "const w: V = V; w"], 3],
  "an exported constant": [["export const x = 3;", "({ x }).x"], 3],
  "an exported function and class": [
    [
      "export async function f() { return 1; }\nexport class C { n = 2 }\nexport abstract class D {}",
      "await f() + new C().n",
    ],
    3,
  ],
  "exported types": [
    ["export interface I { a: number }\nexport type T = I;\nexport enum E { A = 4 }", "const t: T = { a: E.A }; t.a"],
    4,
  ],
  "an export list": [["const x = 3; export { x };", "x"], 3],
  "a default export": [["export default function f() { return 3; }", "f()"], 3],
  "a default export of an expression": [["export default 3 + 4"], 7],
  "an export from a module": [["export { sep as s } from 'node:path';", "s"], "/"],
  "a global that a cell declares": [
    ["declare global { var fromCell: number } globalThis.fromCell = 3;", "1", "fromCell + 1"],
    4,
  ],
  "import()": [["const id = 'node:path';", "(await import(id)).sep"], "/"],
  "an assignment that an earlier function sees": [["let t = 1; const over = () => t;", "t = 5;", "over()"], 5],
  "a count by an earlier function": [["let n = 0; function inc() { n++; }", "n = 10; inc(); n"], 11],
  "a variable by a pattern": [
    ["let { a, b: [c = 2, ...d] } = { a: 1, b: [] as number[] }; var e = () => a + c;", "a = 5; c = 6; e()"],
    11,
  ],
  "a variable without a value": [["let late: number; const read = () => late;", "late = 4; read()"], 4],
  "a variable that is set later": [
    ["let v = 1; const done = Promise.resolve().then(() => { v = 8; });", "await done; v"],
    8,
  ],
  "a variable that becomes a constant": [
    ["let n = 1; const old = () => n;", "const n = 'new';", "`${n} ${old()}`"],
    "new new",
  ],
  "a variable that becomes a function": [
    ["let f: any = 1; const was = () => f;", "function f() { return was(); }", "f() === f"],
    true,
  ],
  "a variable that becomes an import": [
    ["let sep = 1; const keep = () => sep;", "import { sep } from 'node:path';", "sep + keep()"],
    "//",
  ],
  "a variable that is declared anew": [
    ["let n = 1; const old = () => n;", "let n = 'new';", "n += '!'; `${n} ${old()}`"],
    "new! new!",
  ],
  "a constant that becomes a variable": [
    ["const n = 1; const old = () => n;", "let n = 2;", "n = 3; `${n} ${old()}`"],
    "3 3",
  ],
  "a variable named value": [["let value = 1; const read = () => value;", "value = 3; read()"], 3],
  "a comment alone": [["const x = 3;", "// nothing", "x"], 3],
  "types alone": [["type T = 1 | 2;", "const t: T = 2; t"], 2],
};

let notebook: Notebook;
beforeAll(() => {
  notebook = openNotebook();
});

test.each(Object.entries(CASES))("across cells: %s", async (_, [cells, value]) => {
  let last: unknown;
  for (const cell of cells) last = await notebook.run(cell);
  expect(last).toEqual(value);
});
