import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { DenseMatrix, DenseVector, SparseVector } from "../../src/data/linalg";
import { keepable, keptValue } from "../../src/memo/kept-value";
import { storagesFrom, urlOf } from "../../src/storage";

const folder = mkdtempSync(join(tmpdir(), "pomona-kept-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function readBack(value: unknown): Promise<unknown> {
  const bytes = await keepable("m", value).bytes(urlOf(folder), storagesFrom());
  return keptValue(bytes, urlOf(folder));
}

test.each<readonly [unknown]>([
  [undefined],
  [null],
  [-0],
  [Number.NaN],
  [2n ** 70n],
  ["\ud800 and é"],
  [Object.assign([], { 0: 1, 2: 3 })],
  [{ a: undefined, ["__proto__"]: 1 }],
  [new Map<unknown, unknown>([[{ a: 1 }, new Set([1, "1"])]])],
  [new Date(Number.NaN)],
  [/a/gi],
  [new RangeError("no")],
  [new Float64Array([1, Number.NaN])],
  [new Uint8Array([1, 2, 3]).subarray(1)],
  [Buffer.from("abc")],
  [new DataView(new ArrayBuffer(3), 1)],
  [new ArrayBuffer(2)],
  [new DenseVector([1, 2])],
  [{ deep: [new SparseVector(3, [1], [5])] }],
  [new Map([["m", new DenseMatrix(1, 2, new Float64Array([1, 2]))]])],
])("%o comes back as it was", async (value) => {
  const back = await readBack(value);
  expect(back).toStrictEqual(value);
  expect(Object.getPrototypeOf(Object(back))).toBe(Object.getPrototypeOf(Object(value)));
});

test("what is shared, and what goes in a circle, still does; views have bytes of their own", async () => {
  const shared = { n: new DenseVector([1]) };
  const value: Record<string, unknown> = { a: shared, b: [shared, shared.n], view: new Uint8Array([1]) };
  value.self = value;
  const back = (await readBack(value)) as { a: typeof shared; b: unknown[]; self: unknown; view: Uint8Array };
  expect(back.self).toBe(back);
  expect(back.b[0]).toBe(back.a);
  expect(back.b[1]).toBe(back.a.n);
  expect(back.a.n).toBeInstanceOf(DenseVector);
  expect(back.view.buffer.byteLength).toBe(1);
});

class Point {
  x = 1;
}
test.each<readonly [string, unknown, string]>([
  ["a function", { f: () => 1 }, "its value.f is a function"],
  ["an instance", [new Point()], "its value[0] is a Point"],
  ["an instance in a Map", new Map([["p", new Point()]]), "its value (value 0) is a Point"],
  ["a promise", { p: Promise.resolve(1) }, "its value.p is a Promise"],
  ["a symbol", [Symbol("s")], "its value[0] is a symbol"],
  ["a symbol's field", { [Symbol("s")]: 1 }, "has a symbol for a name"],
  [
    "a getter",
    {
      get x() {
        return 1;
      },
    },
    "its value.x is a getter",
  ],
  ["a hidden field", Object.defineProperty({}, "x", { value: 1 }), "its value.x is not enumerable"],
  ["an error's own field", Object.assign(new Error("e"), { code: 1 }), "its value.code is a property of one's own"],
  ["a field of a Map", Object.assign(new Map(), { a: 1 }), "its value.a is a property of one's own"],
  ["a subclass of Array", new (class List extends Array {})(), "its value is a List"],
  ["a Proxy", new Proxy({}, {}), "its value is a Proxy"],
  ["a WeakMap", { w: new WeakMap() }, "its value.w is a WeakMap"],
  ["what Node has for itself", new AbortController(), "its value is an AbortController"],
])("%s is refused", (_, value, words) => {
  expect(() => keepable("m", value)).toThrow(words);
});
