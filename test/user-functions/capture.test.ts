import { parseExpressionAt } from "acorn";
import { describe, expect, test } from "vitest";
import { batchUdf, defineMapBatches, udf } from "../../src/frame/udf";
import { CapturedVariableError, UnsupportedFunctionError } from "../../src/user-functions";
import { scanFunction } from "../../src/user-functions/free-variables";

/** The free variables of a function's text. */
function free(text: string): string[] {
  const node = parseExpressionAt(text, 0, { ecmaVersion: "latest" });
  if (node.type !== "ArrowFunctionExpression" && node.type !== "FunctionExpression") throw new Error(node.type);
  return [...new Set(scanFunction(node).references.map((reference) => reference.node.name))];
}

describe("free variables", () => {
  test.each([
    ["parameters", "(a, [b, , c = a], { d, e: { f } = {}, ...g }, ...h) => [a, b, c, d, f, g, h, e]", ["e"]],
    [
      "a default sees the parameters, not the body",
      "(a, b = a + inner) => { const inner = 1; return inner; }",
      ["inner"],
    ],
    ["var rises out of blocks", "(a) => { if (a) { var b = 1; for (var c of a) {} } return b + c; }", []],
    ["let stays in its block", "(a) => { { let b = a; } return b; }", ["b"]],
    ["functions rise", "() => { return later(); function later() { return 1; } }", []],
    ["a function in a block rises too", "() => { { function inside() {} } return inside(); }", []],
    [
      "for loops",
      "(n) => { for (let i = 0; i < n; i++) {} for (const k in n) {} for (const [x] of n) x; return i + k; }",
      ["i", "k"],
    ],
    ["an assignment in a for head", "(xs) => { for (last of xs) {} }", ["last"]],
    ["switch is one block", "(x) => { switch (x) { case 1: let y = 1; break; default: return y; } return y; }", ["y"]],
    [
      "catch",
      "() => { try { a(); } catch ({ message, code = fallback }) { return message + code; } return message; }",
      ["a", "fallback", "message"],
    ],
    ["catch without a parameter", "() => { try { a(); } catch { return 1; } }", ["a"]],
    ["labels", "() => { outer: for (;;) { inner: for (;;) { continue outer; break inner; } } }", []],
    ["the name of a function expression", "function self(n) { return n ? self(n - 1) : 0; }", []],
    [
      "the name of an inner function expression stays inside",
      "() => { const f = function me() { return me; }; return me; }",
      ["me"],
    ],
    ["arguments of a function", "function () { return arguments.length; }", []],
    [
      "classes",
      "() => { class A extends Base { p = q; static [k] = A; #r = 1; m() { return this.#r + super.x; } static { var s = A; t; } } return [A, s]; }",
      ["Base", "q", "k", "t", "s"],
    ],
    ["the name of a class expression", "() => { const B = class C { make() { return new C(); } }; return C; }", ["C"]],
    ["properties are not variables", "(o) => o.a.b?.c + { d: 1, e() {}, get f() { return 1; } }.d", []],
    ["computed properties are", "(o) => o[a] + { [b]: 1, [c]() {} }.x", ["a", "b", "c"]],
    ["shorthand properties are", "(o) => ({ o, a, b: 1 })", ["a"]],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a function
    ["templates", "(o) => tag`${o.a} ${b}` + `${c}`", ["tag", "b", "c"]],
    ["optional chains", "(o) => a?.b?.[c]?.(d)", ["a", "c", "d"]],
    [
      "async, await and generators",
      "async (o) => { for await (const x of a()) { await x; } function* g() { yield b; } return g; }",
      ["a", "b"],
    ],
    ["typeof alone, which fails nowhere", "() => typeof window === 'undefined' || typeof (document) === 'object'", []],
    ["typeof beside a use", "(x) => typeof lut === 'undefined' ? x : lut.get(x)", ["lut"]],
    ["typeof of what is in a variable", "() => typeof lut.get + typeof lut[0] + typeof lut()", ["lut"]],
    ["other operators", "() => [!a, void b, -c, +d, ~e, delete f.x]", ["a", "b", "c", "d", "e", "f"]],
    ["typeof of a variable of its own", "(x) => { const y = typeof x; return typeof y; }", []],
    [
      "assignments",
      "(x) => { a = 1; b += 1; c++; [d, x.e] = x; ({ f, g: h = i } = x); }",
      ["a", "b", "c", "d", "f", "h", "i"],
    ],
    ["closures", "(a) => (b) => { const c = a; return () => a + b + c + d; }", ["d"]],
    ["a variable of a sibling is not seen", "() => { (() => { const a = 1; })(); return a; }", ["a"]],
    ["new.target is no variable", "function f() { return new.target; }", []],
    [
      "sequence, conditional, spread, exponent",
      "(x) => (a, b ? c : d, [...e], f ** 2)",
      ["a", "b", "c", "d", "e", "f"],
    ],
    ["globals are free too", "(x) => Math.max(x, undefined, NaN)", ["Math", "undefined", "NaN"]],
  ])("%s", (_what, text, names) => {
    expect(free(text)).toEqual(names);
  });
});

function captured(define: () => unknown): CapturedVariableError {
  try {
    define();
  } catch (error) {
    if (error instanceof CapturedVariableError) return error;
    throw error;
  }
  throw new Error("no CapturedVariableError");
}

const lut: Record<string, number> = { Apple: 1 };
const helper = (x: number) => x + 1;

describe("the check where a function is defined", () => {
  test("names the variable, the place and the remedy", () => {
    const brightness = (label: string) => {
      const factor = 2;
      return (lut[label] ?? 0) * factor;
    };
    const error = captured(() => udf(brightness, { returns: "double" }));
    expect(error.variables).toEqual(["lut"]);
    expect(error.functionName).toBe("brightness");
    expect(error.message).toMatch(
      /^The function `brightness` uses `lut`, which is not part of it: workers run the function's text alone\.\n\n {2}3 \| .*return \(lut\[label\] \?\? 0\) \* factor;\n {4}\|\s+\^\^\^\n\n/,
    );
    expect(error.message).toContain(
      '\nPass the value of `lut`: broadcast: { lut }. If it is imported, name the module: imports: { lut: "./lut" }. Or move `lut` into the function.',
    );
    const [, line = "", carets = ""] = /3 \| (.*)\n {4}\| (.*)\n/.exec(error.message) ?? [];
    expect(line.slice(carets.indexOf("^"), carets.length)).toBe("lut");
  });

  test("names a helper's two remedies, and each variable once", () => {
    const error = captured(() =>
      udf((x: number) => helper(x) + helper(lut.Apple ?? 0), { returns: "double", name: "twice" }),
    );
    expect(error.variables).toEqual(["helper", "lut"]);
    expect(error.message).toContain("uses `helper` and `lut`, which are not part of it");
    expect(error.message).toContain(
      '`helper` is a function: put it into a module and name that, e.g. imports: ["./file"], or move `helper` into the function.',
    );
    expect(error.message.match(/Pass the value of `lut`/g)).toHaveLength(1);
  });

  test("lets what is broadcast and what Node has pass", () => {
    const column = udf((x: string) => (lut[x] ?? Number.NaN) + Buffer.byteLength(x) + performance.now(), {
      returns: "double",
      broadcast: { lut },
    })("label");
    expect(column.expression).toMatchObject({
      kind: "batch",
      returns: "double",
      fn: { kind: "source", form: "row", broadcast: { lut: expect.stringMatching(/^broadcast:[0-9a-f]{64}$/) } },
    });
    expect(JSON.parse(JSON.stringify(column.expression))).toEqual(column.expression);
  });

  test("does not take a global of the notebook for one of Node's", () => {
    (globalThis as Record<string, unknown>).notebookGlobal = 1;
    const define = () => udf(new Function("return () => notebookGlobal")() as () => number, { returns: "double" });
    expect(captured(define).variables).toEqual(["notebookGlobal"]);
  });

  test("refuses to assign a variable of the notebook, broadcast or not", () => {
    let count = 0;
    const error = captured(() =>
      udf(
        (x: number) => {
          count += x;
          return count;
        },
        { returns: "double", broadcast: { count } },
      ),
    );
    expect(error.message).toContain("assigns `count`, a variable outside it: what a worker assigns never comes back");
    expect(error.message).toContain("or declare `count` in the function");
    count = 1;
  });

  test.each<[string, () => (...args: never[]) => unknown, string]>([
    [
      "a native function",
      () => Math.sqrt,
      "`sqrt` is a native function: it has no text to send to workers.\nWrap it in an arrow function, e.g. (x) => Math.sqrt(x).",
    ],
    [
      "a bound function",
      () => helper.bind(null),
      "`helper` is a bound function: its text and its `this` cannot be read.",
    ],
    ["a class", () => class Scale {} as never, "`Scale` is a class, not a function."],
    [
      "a generator",
      () =>
        function* numbers() {
          yield 1;
        },
      "`numbers` is a generator function.",
    ],
    [
      "a getter",
      () =>
        Object.getOwnPropertyDescriptor(
          {
            get size() {
              return 1;
            },
          },
          "size",
        )!.get as never,
      "cannot be read as a function",
    ],
    [
      "a method with a computed name",
      () =>
        ({
          ["a" + "b"](x: number) {
            return x;
          },
        }).ab as never,
      "cannot be read as a function",
    ],
  ])("refuses %s", (_what, make, message) => {
    const define = () => udf(make() as () => unknown, { returns: "double" });
    expect(define).toThrow(UnsupportedFunctionError);
    expect(define).toThrow(message);
  });

  test.each([
    ["this", "() => this.lut", "`this` of the code around it"],
    ["this in a function", "function () { return this.lut; }", "`this` of the code around it"],
    ["super", "({ f() { return super.x; } }).f", "`super` of the code around it"],
    [
      "arguments of what is around it",
      "(function () { return () => arguments[0]; })()",
      "`arguments` of the code around it",
    ],
    ["eval", "(x) => eval(x)", "`eval`, so that what it takes from the notebook cannot be told"],
    ["with", "function (x) { with (x) { return a; } }", "`with`, so that"],
    ["__dirname", "() => __dirname", "`__dirname`, which belongs to the file"],
    ["a computed require", "(x) => require(x)", "`require` other than with a fixed module name"],
    ["a computed import", "(x) => import(x)", "imports a module whose name is computed"],
    ["exports as a whole", "(x) => exports[x]", "uses variables of the notebook in a way that cannot be followed"],
  ])("refuses %s", (_what, text, message) => {
    const fn = new Function(`return ${text}`)() as () => unknown;
    expect(() => udf(fn, { returns: "double" })).toThrow(UnsupportedFunctionError);
    expect(() => udf(fn, { returns: "double" })).toThrow(message);
  });

  test("takes `this` and `arguments` that are the function's own", () => {
    const fn = new Function(
      "return (x) => { class A { v = x; get() { return this.v; } } return function () { return arguments.length + new A().get(); }(1); }",
    )() as () => number;
    expect(() => udf(fn, { returns: "double" })("x")).not.toThrow();
  });

  test("takes a method without `this`", () => {
    const column = udf(
      {
        area(w: number, h: number) {
          return w * h;
        },
      }.area,
      { returns: "double" },
    )("w", "h");
    expect(column.columnName).toBe("area(w, h)");
  });

  test("batch functions are checked alike", () => {
    expect(captured(() => batchUdf((xs: string[]) => xs.map((x) => lut[x]), { returns: "double" })).variables).toEqual([
      "lut",
    ]);
    expect(
      captured(() =>
        defineMapBatches((b: { x: string[] }) => ({ y: b.x.map((x) => lut[x]) }), { schema: { y: "double" } }),
      ).variables,
    ).toEqual(["lut"]);
  });
});
