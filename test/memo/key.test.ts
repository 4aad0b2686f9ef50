// biome-ignore-all lint/suspicious/noTemplateCurlyInString: programs are text
import { createContext, runInContext } from "node:vm";
import { expect, test } from "vitest";
import { memoKey } from "../../src/memo/fingerprint";

/** Programs that end in a function, and the key of that function. */
function keyOf(program: string, given?: { readonly key: unknown }): string {
  const compute = new Function(`"use strict"; ${program}`)() as object;
  return memoKey("m", compute, given).key;
}

const ANOTHER: Readonly<Record<string, readonly [string, string]>> = {
  "its text": ["return () => 1", "return () => 2"],
  "a string's quotes within": ["return () => 'a b'", "return () => 'a  b'"],
  "a line break that ends a statement": ["return () => { return\n1 }", "return () => { return 1 }"],
  "a variable": ["const rate = 1; return () => rate", "const rate = 2; return () => rate"],
  "a variable of an outer function": [
    "const make = (k) => () => k; return make(1)",
    "const make = (k) => () => k; return make(2)",
  ],
  "a captured variable that is called like a global": [
    "const make = (performance) => () => performance; return make(1)",
    "const make = (performance) => () => performance; return make(2)",
  ],
  "a variable that is assigned before": ["let n = 1; return () => n", "let n = 1; n++; return () => n"],
  "a name behind typeof": ["const x = 1; return () => typeof x", "const x = '1'; return () => typeof x"],
  "a name in a shorthand": ["const x = 1; return () => ({ x })", "const x = 2; return () => ({ x })"],
  "a name in a default": ["const x = 1; return (y = x) => y", "const x = 2; return (y = x) => y"],
  "a name in a template": ["const x = 1; return () => `${x}`", "const x = 2; return () => `${x}`"],
  "an inner name that hides another only there": [
    "const x = 1; return () => { { const x = 5; } return x; }",
    "const x = 2; return () => { { const x = 5; } return x; }",
  ],
  "a function of a function": [
    "const a = () => 1; const b = () => a(); return () => b()",
    "const a = () => 2; const b = () => a(); return () => b()",
  ],
  "functions that call each other": [
    "const a = (n) => n && b(n - 1); const b = (n) => a(n); return () => a(1)",
    "const a = (n) => n && b(n - 2); const b = (n) => a(n); return () => a(1)",
  ],
  "a function in an object": [
    "const o = { deep: [{ f: () => 1 }] }; return () => o.deep[0].f()",
    "const o = { deep: [{ f: () => 2 }] }; return () => o.deep[0].f()",
  ],
  "a method": [
    "const o = { f() { return 1 } }; return () => o.f()",
    "const o = { f() { return 2 } }; return () => o.f()",
  ],
  "a getter": [
    "const o = { get f() { return 1 } }; return () => o.f",
    "const o = { get f() { return 2 } }; return () => o.f",
  ],
  "a bound argument": [
    "const f = ((x) => x).bind(null, 1); return () => f()",
    "const f = ((x) => x).bind(null, 2); return () => f()",
  ],
  "a bound this": [
    "const f = (function () { return this.x }).bind({ x: 1 }); return () => f()",
    "const f = (function () { return this.x }).bind({ x: 2 }); return () => f()",
  ],
  "which builtin": ["const f = Math.sin; return () => f(1)", "const f = Math.cos; return () => f(1)"],
  "a class's method": [
    "class P { f() { return 1 } } return () => new P().f()",
    "class P { f() { return 2 } } return () => new P().f()",
  ],
  "a name in a class's method": [
    "const k = 1; class P { f() { return k } } return () => new P().f()",
    "const k = 2; class P { f() { return k } } return () => new P().f()",
  ],
  "a base class": [
    "class A { f() { return 1 } } class B extends A {} return () => new B().f()",
    "class A { f() { return 2 } } class B extends A {} return () => new B().f()",
  ],
  "a base class that was replaced since": [
    "let A = class { f() { return 1 } }; class B extends A {} A = class {}; return () => new B().f()",
    "let A = class { f() { return 2 } }; class B extends A {} A = class {}; return () => new B().f()",
  ],
  "a static field": ["class P { static n = 1 } return () => P.n", "class P { static n = 1 } P.n = 2; return () => P.n"],
  "a method that was put on a class": [
    "class P {} P.prototype.f = () => 1; return () => new P().f()",
    "class P {} P.prototype.f = () => 2; return () => new P().f()",
  ],
  "an instance's field": [
    "class P { n = 1 } const p = new P(); return () => p.n",
    "class P { n = 1 } const p = new P(); p.n = 2; return () => p.n",
  ],
  "an instance's class": [
    "class P { f() { return 1 } } const p = new P(); return () => p.f()",
    "class P { f() { return 2 } } const p = new P(); return () => p.f()",
  ],
  "an instance's private field": [
    "class P { #n; constructor(n) { this.#n = n } f() { return this.#n } } const p = new P(1); return () => p.f()",
    "class P { #n; constructor(n) { this.#n = n } f() { return this.#n } } const p = new P(2); return () => p.f()",
  ],
  "a property of a function": ["const f = () => f.n; f.n = 1; return f", "const f = () => f.n; f.n = 2; return f"],
  "zero and minus zero": ["const x = 0; return () => 1 / x", "const x = -0; return () => 1 / x"],
  "a number and a text": ["const x = 1; return () => x", "const x = '1'; return () => x"],
  "a number and a BigInt": ["const x = 1; return () => x", "const x = 1n; return () => x"],
  "null and undefined": ["const x = null; return () => x", "const x = undefined; return () => x"],
  "a hole and undefined": ["const x = [,]; return () => x", "const x = [undefined]; return () => x"],
  "how deep": ["const x = [[1], 2]; return () => x", "const x = [[1, 2]]; return () => x"],
  "where a text ends": ["const x = ['a', 'bc']; return () => x", "const x = ['ab', 'c']; return () => x"],
  "halves of characters": ["const x = '\\ud800'; return () => x", "const x = '\\ud801'; return () => x"],
  "the order of fields, which code can see": [
    "const x = { a: 1, b: 2 }; return () => Object.keys(x)",
    "const x = { b: 2, a: 1 }; return () => Object.keys(x)",
  ],
  "a field that is there": ["const x = {}; return () => x", "const x = { a: undefined }; return () => x"],
  "a hidden field": [
    "const x = Object.defineProperty({}, 'a', { value: 1 }); return () => x.a",
    "const x = Object.defineProperty({}, 'a', { value: 2 }); return () => x.a",
  ],
  "a symbol's field": [
    "const s = Symbol.for('s'); const x = { [s]: 1 }; return () => x[s]",
    "const s = Symbol.for('s'); const x = { [s]: 2 }; return () => x[s]",
  ],
  "a Map": ["const x = new Map([[1, 2]]); return () => x", "const x = new Map([[1, 3]]); return () => x"],
  "a Map's order": [
    "const x = new Map([[1, 1], [2, 2]]); return () => x",
    "const x = new Map([[2, 2], [1, 1]]); return () => x",
  ],
  "a Set": ["const x = new Set([1]); return () => x", "const x = new Set(['1']); return () => x"],
  "a Date": ["const x = new Date(0); return () => x", "const x = new Date(1); return () => x"],
  "an invalid Date": ["const x = new Date(0); return () => x", "const x = new Date(NaN); return () => x"],
  "a RegExp's flags": ["const x = /a/; return () => x", "const x = /a/i; return () => x"],
  "a typed array": [
    "const x = new Float64Array([1]); return () => x",
    "const x = new Float64Array([2]); return () => x",
  ],
  "a typed array's type": [
    "const x = new Uint8Array(4); return () => x",
    "const x = new Uint32Array(1); return () => x",
  ],
  "a URL": [
    "const x = new URL('http://a/'); return () => x.href",
    "const x = new URL('http://b/'); return () => x.href",
  ],
  "an Error's message": ["const x = new Error('a'); return () => x", "const x = new Error('b'); return () => x"],
  "a global of one's own": ["globalThis.ownOne = 1; return () => ownOne", "globalThis.ownOne = 2; return () => ownOne"],
  "a global of one's own by globalThis": [
    "globalThis.ownTwo = 1; return () => globalThis.ownTwo",
    "globalThis.ownTwo = 2; return () => globalThis.ownTwo",
  ],
  "a circle": ["const x = { n: 1 }; x.x = x; return () => x", "const x = { n: 1 }; x.x = { n: 1, x }; return () => x"],
};

const SAME: Readonly<Record<string, readonly [string, string]>> = {
  nothing: ["return () => 1", "return () => 1"],
  comments: ["return () => { return 1; }", "return () => { /* one */ return 1; // here\n }"],
  "white space": ["return () => [1,2]", "return () =>\n  [ 1, 2 ]"],
  "names that it does not use": ["const a = 1, b = 1; return () => a", "const a = 1, b = 2; return () => a"],
  "a name that only an inner one hides": [
    "const x = 1; return () => { const x = 2; return x }",
    "const x = 5; return () => { const x = 2; return x }",
  ],
  "a function that it does not use": ["const f = () => 1; return () => 1", "const f = () => 2; return () => 1"],
  "comments of what it uses": ["const f = () => 1; return () => f()", "const f = () => /* one */ 1; return () => f()"],
  "an equal object": [
    "const x = { a: [1, new Date(5)] }; return () => x",
    "const x = JSON.parse('{\"a\":[1]}'); x.a.push(new Date(5)); return () => x",
  ],
  "a copy of a part of an array": [
    "const x = new Uint8Array([2, 3]); return () => x",
    "const x = new Uint8Array([1, 2, 3]).subarray(1); return () => x",
  ],
  "where an Error was made": [
    "const x = new Error('a'); return () => x",
    "const f = () => new Error('a'); const x = f(); return () => x",
  ],
};

test.each(Object.entries(ANOTHER))("another key by %s", (_, [one, other]) => {
  expect(keyOf(one)).toBe(keyOf(one));
  expect(keyOf(other)).not.toBe(keyOf(one));
});

test.each(Object.entries(SAME))("the same key with other %s", (_, [one, other]) => {
  expect(keyOf(other)).toBe(keyOf(one));
});

test("what one says oneself stands in place of the names", () => {
  expect(keyOf("const x = 1; return () => x", { key: 1 })).toBe(keyOf("const x = 2; return () => x", { key: 1 }));
  expect(keyOf("const x = 1; return () => x", { key: 1 })).not.toBe(keyOf("const x = 1; return () => x", { key: 2 }));
  expect(keyOf("return () => 1", { key: 1 })).not.toBe(keyOf("return () => 2", { key: 1 }));
  expect(keyOf("return () => 1", { key: undefined })).not.toBe(keyOf("return () => 1"));
});

test.each([
  ["const x = Promise.resolve(1); return async () => await x", "x is a Promise"],
  ["const x = { y: new WeakMap() }; return () => x.y", "x.y is a WeakMap"],
  ["const x = new Proxy({}, {}); return () => x", "x is a Proxy"],
  ["const x = (function* () {})(); return () => x", "x is a generator"],
  ["const x = [1].values(); return () => x", "x is "],
  ["const x = new AbortController(); return () => x", "x is an AbortController"],
  ["const x = new WeakRef({}); return () => x", "x is a WeakRef"],
  ["return (name) => globalThis[name]", "uses globalThis as a whole"],
  ["return () => eval('1')", "uses `eval`"],
  ["let x = 1; return () => { x = 2 }", "assigns x"],
  ["let x = 1; return () => { x++ }", "assigns x"],
  ["return (() => function () { return () => this })()()", "uses `this`"],
  ["return () => import('./there')", 'imports "./there" within the function'],
  ["const m = './there'; return () => import(m)", "imports a module whose name is computed"],
])("%s is refused", (program, words) => {
  expect(() => keyOf(program)).toThrow(words);
});

test("objects of another realm are told by content", () => {
  const make = (n: number) => {
    const x = runInContext(`({ a: [${n}] })`, createContext({})) as object;
    return memoKey("m", () => x).key;
  };
  expect(make(1)).toBe(make(1));
  expect(make(1)).not.toBe(make(2));
});
