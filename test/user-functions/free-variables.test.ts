import { parseExpressionAt } from "acorn";
import { describe, expect, test } from "vitest";
import { scanFunction } from "../../src/user-functions/free-variables";

/** What a function's text takes from outside, each once: `a`, `a=` where it is assigned, `(this)`, `(import)`, `(eval)`. */
function taken(text: string): string {
  const node = parseExpressionAt(text, 0, { ecmaVersion: "latest", ranges: true });
  if (node.type !== "ArrowFunctionExpression" && node.type !== "FunctionExpression") throw new Error(node.type);
  const { references, receivers, dynamicImports, unpredictable } = scanFunction(node);
  const found = [
    ...unpredictable.map(({ type, start }) => ({ start, what: type === "WithStatement" ? "(with)" : "(eval)" })),
    ...dynamicImports.map(({ start }) => ({ start, what: "(import)" })),
    ...receivers.map(({ start, end }) => ({ start, what: `(${text.slice(start, end)})` })),
    ...references.map(({ node: { start, name }, assigned }) => ({ start, what: assigned ? `${name}=` : name })),
  ];
  return [...new Set(found.sort((a, b) => a.start - b.start).map(({ what }) => what))].join(" ");
}

/** The answers are worked out by hand from the language's specification (ECMAScript 2026 and its annex B). */
describe("what a function takes from outside", () => {
  test.each([
    ["(a, [b, , c = a], { d, e: { f } = {}, ...g }, ...h) => [a, b, c, d, f, g, h, e]", "e"],
    ["({ a: { b = c, ...d } = {}, [e]: f = g }, ...[h, i = j]) => [b, d, f, h, i, a]", "c e g j a"],
    ["({ length }) => length", ""],
    ["(a, b = a, c = d) => c", "d"],
    ["(a = b, b) => a", ""],
    ["(a = function () { return b; }, b) => a", ""],
    ["(a, b = a + inner) => { const inner = 1; return inner; }", "inner"],
    ["(a, b = () => a) => { var a = 1; return b(); }", ""],
    ["(b = () => a) => { var a = 1; return b(); }", "a"],
    ["(b = () => a) => { { var a = 1; } return a; }", "a"],
    ["(b = () => f()) => { function f() {} return b; }", "f"],
    ["(a, b = (() => { var c = a; return c; })()) => c", "c"],
    ["(a = class { static x = b; }, b) => a", ""],
    ["(a = eval) => a", "eval"],
    ["function (a, a) { return a; }", ""],
    ["function f(f) { return f; }", ""],
    ["function f(g = f) { return g; }", ""],
    ["async ({ a }, [b] = c) => [a, b, d]", "c d"],
    ["(constructor, __proto__) => [constructor, __proto__]", ""],
    ["() => [constructor, toString, hasOwnProperty, __proto__]", "constructor toString hasOwnProperty __proto__"],
  ])("parameters: %s", check);

  test.each([
    ["(a) => { if (a) { var b = 1; for (var c of a) {} } return b + c; }", ""],
    ["(a) => { { let b = a; } return b; }", "b"],
    ["(a) => { var a = a; return a; }", ""],
    ["(a) => { { const b = a; { const b = 1; } } return b; }", "b"],
    ["() => { const a = 1; { a; { let a = a; } } }", ""],
    ["() => { let { a = a } = {}; }", ""],
    ["() => { f(); let f = () => a; }", "a"],
    ["() => { (() => { const a = 1; })(); return a; }", "a"],
    ["() => { var a = function () { var b; }; return b; }", "b"],
    ["(a) => (b) => { const c = a; return () => a + b + c + d; }", "d"],
    ["(a) => { const g = () => { const a = 1; return a; }; return g(a) + h; }", "h"],
    ["() => { do { var a = 1; } while (a); if (a) { var b; } else { var c; } return [a, b, c]; }", ""],
    ["() => { try { var a; } catch { var b; } finally { var c; } l: { var d; } return [a, b, c, d]; }", ""],
    ["(x) => { switch (x) { case 0: var a; default: var b; } return [a, b]; }", ""],
    ["() => { for (var i in {}) ; for (var { a, b: [c] } of d) ; return [i, a, b, c]; }", "d b"],
    ["() => { const { a, b: c, [d]: e, ...f } = g; return [a, b, c, e, f]; }", "d g b"],
    ["() => { using a = b(); return a; }", "b"],
    ["async () => { for (await using a of b) a.c; return a; }", "b a"],
    ["() => { var let = 1, await = 2, async = 3, of = 4; return [let, await, async, of, get]; }", "get"],
    ["(\\u0061) => a + \\u0062", "b"],
  ])("variables: %s", check);

  test.each([
    ["(n) => { for (let i = 0; i < n; i++) {} for (const k in n) {} for (const [x] of n) x; return i + k; }", "i k"],
    ["() => { for (let i = 0, n = m; i < n; i++) { let i = n; } return i; }", "m i"],
    ["() => { for (let i = i; ; ) break; }", ""],
    ["() => { for (const a of a) ; }", ""],
    ["(xs) => { for (const x of xs) f(() => x + y); for (let i = 0; i < 3; i++) f(() => i); }", "f y"],
    ["(xs) => { for (last of xs) {} }", "last="],
    ["(x) => { switch (x) { case 1: let y = 1; break; default: return y; } return y; }", "y"],
    ["(x) => { switch (y) { case z: let y, z; } }", "y"],
    [
      "() => { try { a(); } catch ({ message, code = fallback }) { return message + code; } return message; }",
      "a fallback message",
    ],
    ["() => { try { a(); } catch { return 1; } }", "a"],
    ["() => { try {} catch (e) { var e = 1; } return e; }", ""],
    ["() => { try {} catch (e) { let f = e; } finally { e; f; } }", "e f"],
    ["() => { try {} catch ([a, b = () => a]) { b(); } return b; }", "b"],
    ["() => { outer: for (;;) { inner: for (;;) { continue outer; break inner; } } }", ""],
    ["() => { a: for (const a of b) { if (a) continue a; else break a; } return a; }", "b a"],
    ["() => { a: a; }", "a"],
  ])("blocks, loops, labels: %s", check);

  test.each([
    ["() => { return later(); function later() { return 1; } }", ""],
    ["() => { a: function f() {} return f; }", ""],
    ["() => { (() => { function f() {} })(); return f; }", "f"],
    // B.3.2: in sloppy mode a plain function in a block is a variable of the function as well, if it could be a `var`.
    ["() => { { function f() {} } return f; }", ""],
    ["() => { { function f() {} } return () => f; }", ""],
    ["() => { return typeof f + f; { { function f() {} function f() {} } } }", ""],
    ["(x) => { switch (x) { case 1: function f() {} } return f; }", ""],
    ["(x) => { if (x) function f() {} else function g() {} return [f, g]; }", ""],
    ["(xs) => { for (const x of xs) if (x) function f() {} return f; }", ""],
    ["() => { try {} catch (f) { { function f() {} } } return f; }", ""],
    ["() => { try {} catch ({ f }) { { function f() {} } } return f; }", "f"],
    ["() => { { let f; { function f() {} } } return f; }", "f"],
    ["() => { { let f; if (f) function g() {} } return [f, g]; }", "f"],
    ["() => { { let f; if (1) function f() {} } return f; }", "f"],
    ["(xs) => { for (let f of xs) { { function f() {} } } return f; }", "f"],
    ["() => { { async function f() {} function* g() {} } return [f, g]; }", "f g"],
    ["(a = f) => { { function f() {} } return f; }", "f"],
    ["(a = () => { { function f() {} } return f; }) => f", "f"],
    ["() => { { (() => { { function f() {} } })(); } return f; }", "f"],
    ["() => { 'use strict'; { function f() {} } return f; }", "f"],
    ["() => { class A { static { { function f() {} } f(); } m() { { function g() {} } g(); } } }", "f g"],
  ])("functions that rise: %s", check);

  test.each([
    ["function self(n) { return n ? self(n - 1) : 0; }", ""],
    ["function f() { var f; return f; }", ""],
    ["() => { const f = function me() { return me; }; return me; }", "me"],
    ["() => { (function f(f) { return f; }); return f; }", "f"],
    ["() => function f() { var f = 1; return f; }", ""],
    ["() => ({ m() { return m; }, get a() { return a; }, set a(v) { b = v; } })", "m a b="],
    ["function* () { const x = yield a; yield* b; return x; }", "a b"],
    ["async function* () { for await (const x of a) yield x; for await (y of b) ; }", "a y= b"],
    ["async (o) => { for await (const x of a()) { await x; } function* g() { yield b; } return g; }", "a b"],
    ["async (x) => { const { y = await z } = await x; return y; }", "z"],
  ])("kinds of functions: %s", check);

  test.each([
    [
      "() => { class A extends Base { p = q; static [k] = A; #r = 1; m() { return this.#r + super.x; } static { var s = A; t; } } return [A, s]; }",
      "Base q k t s",
    ],
    ["() => { const B = class C { make() { return new C(); } }; return C; }", "C"],
    ["() => { class A extends A {} { class B {} } return B; }", "B"],
    ["() => { class A { static a = 1; static b = A.a; static c = a; } }", "a"],
    ["() => { class A { #p = 1; has(o) { return #p in o; } m() { return this.#p(p); } static #q() {} } }", "p"],
    [
      "() => { class A { static { var s = 1; let t; function u() {} u(s, t); } static v = s; w = t; x = u; } }",
      "s t u",
    ],
    [
      "() => class { [a] = b; static [c]() {} get [d]() { return 1; } async *[Symbol.iterator]() { yield e; } }",
      "a b c d Symbol e",
    ],
    ["() => class { a = b; b = a; 'c' = c; 1 = d; static accessor; set x(v) { w = v; } }", "b a c d w="],
    ["() => class A { constructor(a = A) { this.a = a; } a() { return a; } }", "a"],
    ["() => class { f = function () { return g; }; g = () => f; static h = class { i = f; }; }", "g f"],
  ])("classes: %s", check);

  test.each([
    ["(o) => o.a.b?.c + { d: 1, e() {}, get f() { return 1; } }.d", ""],
    ["(o) => o[a] + { [b]: 1, [c]() {} }.x", "a b c"],
    ["(o) => ({ o, a, b: c, [d]: e, 'f': g, ...h })", "a c d e g h"],
    ["(o) => o.a?.b?.[c]?.d(e)?.f + (g?.h).i + j?.()", "c e g j"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a function
    ["(o) => tag`${o.a} ${b}` + `${`${c}`}` + o.d`e${f`g`}`", "tag b c f"],
    ["() => new a.b(c).d + new (e())()", "a c e"],
    ["(x) => (a, b ? c : d, [...e], f ** 2)", "a b c d e f"],
    ["() => [!a, void b, -c, +d, ~e, delete f.x]", "a b c d e f"],
    ["() => typeof window === 'undefined' || typeof (document) === 'object'", ""],
    ["(x) => typeof lut === 'undefined' ? x : lut.get(x)", "lut"],
    ["() => typeof a.get + typeof b[0] + typeof c() + typeof (d, e) + typeof typeof f", "a b c d e"],
    ["(x) => { const y = typeof x; return typeof y; }", ""],
    [
      "() => [Math, undefined, NaN, Buffer, process, globalThis, self]",
      "Math undefined NaN Buffer process globalThis self",
    ],
    ["function f() { return [new.target, () => new.target]; }", ""],
  ])("expressions: %s", check);

  test.each([
    ["(x) => { a = 1; b += 1; c++; [d, x.e] = x; ({ f, g: h = i } = x); }", "a= b= c= d= f= h= i"],
    [
      "(x) => { a ??= b; c ||= 1; d &&= 1; e **= 2; f--; ++g; (h) = 1; x.i = j.k = 1; x[l]++; }",
      "a= b c= d= e= f= g= h= j l",
    ],
    [
      "(x) => { ({ a, b: x.c, [d]: e[f] = g, ...h.i } = x); [j, , ...k] = x; [[l = m]] = x; }",
      "a= d e f g h j= k= l= m",
    ],
    ["(x) => { for ({ a = b } of x) ; for ([c] in x) ; for (x.d of e) ; for (f.g in h) ; }", "a= b c= e f h"],
    ["(x) => { x = 1; let y; y = x; [x, y] = [y, x]; }", ""],
    // A variable of an earlier cell is a property of `exports`.
    ["() => exports.a + exports.b.c", "exports"],
    ["() => { exports.a = 1; }", "exports="],
    ["() => { --exports.a; }", "exports="],
    ["(x) => { [exports.a] = x; }", "exports="],
    ["(x) => { [...exports.a] = x; }", "exports="],
    ["(x) => { [exports.a = 1] = x; }", "exports="],
    ["(x) => { ({ b: exports.a } = x); }", "exports="],
    ["(x) => { ({ ...exports.a } = x); }", "exports="],
    ["(x) => { for (exports.a of x) ; }", "exports="],
    ["(x) => { for (exports.a in x) ; }", "exports="],
    [
      "(x) => { exports.a.b = 1; x = exports.c; x.d = { e: exports.f }; x[exports.g] = 1; x.h.exports = 1; }",
      "exports",
    ],
    ["(x) => { [x = exports.a] = x; ({ [exports.b]: x } = x); for (x of exports.c) ; x = [exports.d]; }", "exports"],
    ["(exports) => { exports.a = 1; }", ""],
    ["() => { module.exports.a = module.b; }", "module"],
  ])("assignments: %s", check);

  test.each([
    ["() => () => this", "(this)"],
    ["function () { return this.a; }", "(this)"],
    ["(a = this) => a", "(this)"],
    ["() => ({ a: this, [this.b]: 1 })", "(this)"],
    ["() => function (a = this) { return () => this; }", ""],
    ["() => ({ m() { return () => this.x + super.y; }, get g() { return this; } })", ""],
    ["() => class { a = this; b = () => this; static c = this; static { this.d; } m() { return super.m(); } }", ""],
    ["() => class extends this.Base {}", "(this)"],
    ["() => class { [this.a] = 1; static [(() => this.b)()]() {} }", "(this)"],
    ["() => typeof this", "(this)"],
    ["function () { return arguments.length; }", ""],
    ["function (a = arguments.length, b = () => arguments[0]) { return () => arguments; }", ""],
    ["() => ({ m(a = arguments) { return a; }, n: class { o(a = arguments) { return () => arguments; } } })", ""],
    ["() => () => arguments", "(arguments)"],
    ["(a = arguments) => a", "(arguments)"],
    ["() => typeof arguments", "(arguments)"],
    ["(arguments) => arguments", ""],
    ["() => { var arguments = 1; return arguments; }", ""],
  ])("what belongs to the code around: %s", check);

  test.each([
    ["() => import('a')", "(import)"],
    ["async (x) => { const { a } = await import(b + x); return () => import('c'); }", "(import) b"],
    ["(x) => import('./a.json', { with: { type: b } })", "(import) b"],
    ["(x) => eval(x)", "(eval) eval"],
    ["(x) => () => eval(x)", "(eval) eval"],
    ["(eval) => eval('1')", ""],
    ["(x) => (0, eval)(x) + eval?.(x) + x.eval('1')", "eval"],
    ["(x) => new Function('return a')", "Function"],
    ["function (x) { with (x) { a; } }", "(with) a"],
    ["function (x) { with (a) { var b = 1; } return b; }", "(with) a"],
  ])("what cannot be told: %s", check);

  test("import.meta is no function's text: acorn refuses it", () => {
    expect(() => taken("() => import.meta.url")).toThrow("outside a module");
  });
});

function check(text: string, expected: string): void {
  expect(taken(text)).toBe(expected);
}
