import { beforeAll, describe, expect, test } from "vitest";
import { type Notebook, openNotebook } from "./language-notebook";

let notebook: Notebook;
beforeAll(() => {
  notebook = openNotebook({ files: { "data.json": '{ "a": 1 }' } });
});

// By the version of TypeScript that brought it.
describe("what a cell may say", () => {
  test.each<[string, string, unknown]>([
    ["4.9 satisfies", "const palette = { red: [255, 0, 0] } satisfies Record<string, number[]>; palette.red.length", 3],
    ["4.9 accessor", "class P { accessor name = 'a' } new P().name", "a"],
    [
      "5.0 const type parameters",
      "function f<const T>(x: T): T { return x } const t: readonly ['a'] = f(['a']); t[0]",
      "a",
    ],
    [
      "5.0 decorators",
      "function twice(m: () => number, _: ClassMethodDecoratorContext) { return () => 2 * m() } class D { @twice m() { return 4 } } new D().m()",
      8,
    ],
    [
      "5.1 getters of unrelated types",
      "class G { #n = 0; get v(): number { return this.#n } set v(x: string) { this.#n = x.length } } const g = new G(); g.v = 'abc'; g.v",
      3,
    ],
    [
      "5.2 using",
      "const ended: string[] = []; { using r = { [Symbol.dispose]() { ended.push('r') } }; ended.push('body') } ended.join()",
      "body,r",
    ],
    [
      "5.2 await using",
      "const done: string[] = []; { await using r = { async [Symbol.asyncDispose]() { done.push('r') } }; done.push('body') } done.join()",
      "body,r",
    ],
    ["5.2 copying arrays", "[3, 1, 2].toSorted().with(0, 9).toReversed().join()", "3,2,9"],
    ["5.3 import attributes", 'import data from "./data.json" with { type: "json" }; data.a', 1],
    [
      "5.3 narrowing in switch (true)",
      "const u = 1 as string | number; let k = ''; switch (true) { case typeof u === 'number': k = u.toFixed(1) } k",
      "1.0",
    ],
    [
      "5.4 NoInfer",
      "function pick<T extends string>(all: T[], one: NoInfer<T>) { return one } pick(['a', 'b'], 'b')",
      "b",
    ],
    [
      "5.4 narrowing in closures",
      "function url(u: string | URL) { if (typeof u === 'string') u = new URL(u); return [1].map(() => u.hostname) } url('http://h/x')[0]",
      "h",
    ],
    ["5.5 inferred type predicates", "const ns: number[] = [1, null, 2].filter((x) => x !== null); ns.length", 2],
    [
      "5.6 iterator types",
      "function* it() { yield 1; yield 2 } const i: IteratorObject<number> = it(); [...i].length",
      2,
    ],
    ["5.8 imports for their effects", 'import "node:fs"; 1', 1],
    ["// @ts-nocheck", "// @ts-nocheck\nconst wrong: string = 5; wrong", 5],
    ["// @ts-ignore", "// @ts-ignore\nconst alsoWrong: string = 6; alsoWrong", 6],
    ["enums and namespaces", "enum E { A = 1, B } namespace N { export const x = E.B } N.x", 2],
  ])("%s", async (_, source, value) => {
    expect(await notebook.run(source)).toEqual(value);
  });
});
