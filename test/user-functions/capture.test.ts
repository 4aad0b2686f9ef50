import { describe, expect, test } from "vitest";
import { batchUdf, defineMapBatches, udf } from "../../src/frame/udf";
import { CapturedVariableError, UnsupportedFunctionError } from "../../src/user-functions";

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
    ["arguments that only their type is asked of", "() => typeof arguments", "`arguments` of the code around it"],
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
