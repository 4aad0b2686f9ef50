import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { interactive, type Widget } from "../../src/widgets";
import { stateOf } from "../../src/widgets/widget";
import { venvProgram } from "../support/jupyter";
import { type FrontEnd, frontEnd } from "./front-end";

let page: FrontEnd;
beforeEach(() => {
  page = frontEnd();
});
afterEach(() => page.disconnect());

describe("abbreviations", () => {
  const CASES: readonly (readonly [js: unknown, py: string])[] = [
    [[1, 10], "(1, 10)"],
    [[0, 5], "(0, 5)"],
    [[-5, 2], "(-5, 2)"],
    [[1, 10, 4], "(1, 10, 4)"],
    [[0, 1.5], "(0, 1.5)"],
    [[0.5, 3, 0.25], "(0.5, 3, 0.25)"],
    [[0, 1, 0.1], "(0, 1, 0.1)"],
    [7, "7"],
    [0, "0"],
    [-4, "-4"],
    [2.5, "2.5"],
    [true, "True"],
    [false, "False"],
    ["text", "'text'"],
    [["a", "b"], "['a', 'b']"],
    [
      [
        ["one", 1],
        ["two", 2],
      ],
      "[('one', 1), ('two', 2)]",
    ],
    [{ one: 1, two: 2 }, "{'one': 1, 'two': 2}"],
    [[1, 2, 3, 4], "[1, 2, 3, 4]"],
  ];

  const PYTHON = `
import json, sys
from ipywidgets import interactive
out = []
for case in json.load(sys.stdin):
    w = interactive(lambda v: None, v=eval(case)).children[0]
    state = w.get_state()
    out.append({"value": w.value, **{k: v for k, v in state.items() if k not in ("layout", "style")}})
print(json.dumps(out))
`;

  test("make the controls that Python's ipywidgets makes", () => {
    const input = JSON.stringify(CASES.map(([, py]) => py));
    // Without a notebook the Output widget clears the terminal; the last line is the answer.
    const printed = execFileSync(venvProgram("python"), ["-c", PYTHON], { input, encoding: "utf8" });
    const python = JSON.parse(printed.slice(printed.lastIndexOf("[{")));
    const ours = CASES.map(([js]) => {
      const { v } = interactive(() => undefined, { v: js as number }).controls;
      const { layout, style, ...state } = page.stateOf((v as Widget).modelId);
      return { value: stateOf(v as Widget).value, ...state };
    });
    expect(ours).toEqual(python);
  });
});
