import { describe, expect, it } from "vitest";
import { readDeclarations } from "../../src/cli/parameter-declarations";
import { injectedByPomona, readInjected } from "./injected";
import { PARAMETER_CASES } from "./parameter-table";

describe("a parameter of pomona run", () => {
  it.each(PARAMETER_CASES)("$cell: $name $text", ({ cell, name, text, raw, declares, value, error }) => {
    const inject = () => injectedByPomona(cell, name, text, raw);
    if (error) expect(inject).toThrow(error);
    else expect(readInjected(inject())).toStrictEqual({ declares: declares ?? name, value });
  });
});

describe("the declarations of a parameters cell", () => {
  it("have type, default and the comment beside them", () => {
    const cell = `// The folder of the images,
// one folder a class.
let images: string = "a;b"; // beside
/* How many. */
const n = 300
let opts: { k: number } = {
  k: 5, // components
};

let a = 1, b: Map<string, number> = new Map([["x", 1]]); /* two
 * of them */
var done = false
if (a < 1) { let inner = 2; }
let { c, d } = { c: 1, d: 2 };`;
    expect(readDeclarations(cell)).toEqual([
      { name: "images", type: "string", default: '"a;b"', help: "beside" },
      { name: "n", type: undefined, default: "300", help: "How many." },
      {
        name: "opts",
        type: "{ k: number }",
        default: "{ k: 5, }",
        help: "",
      },
      { name: "a", type: undefined, default: "1", help: "two of them" },
      { name: "b", type: "Map<string, number>", default: 'new Map([["x", 1]])', help: "two of them" },
      { name: "done", type: undefined, default: "false", help: "" },
    ]);
  });
});
