import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { Dropdown, fixed, IntSlider, interact, interactive, Label, WidgetValueError } from "../../src/widgets";
import { type FrontEnd, frontEnd } from "./front-end";

let page: FrontEnd;
beforeEach(() => {
  page = frontEnd();
});
afterEach(() => {
  page.disconnect();
  vi.restoreAllMocks();
});

/** The results that the page shows in the Output below the controls. */
const texts = () => {
  const view = page.displayed[0]?.data["application/vnd.jupyter.widget-view+json"] as { model_id: string };
  const below = (page.stateOf(view.model_id).children as string[]).at(-1)?.replace("IPY_MODEL_", "") ?? "";
  const outputs = page.stateOf(below).outputs as { data: Record<string, unknown> }[];
  return outputs.map(({ data }) => data["text/plain"]);
};

describe("abbreviations", () => {
  test("give the function's parameters their types", () => {
    interact(
      (values) => {
        expectTypeOf(values).toEqualTypeOf<{
          n: number;
          x: number;
          name: string;
          flag: boolean;
          text: string;
          one: number;
          size: string;
          level: number;
          map: number;
          date: Date;
          kept: Date;
        }>();
      },
      {
        n: [1, 10],
        x: [0, 1, 0.1],
        name: ["a", "b"],
        flag: true,
        text: "hello",
        one: 3,
        size: [
          ["small", "s"],
          ["large", "l"],
        ],
        level: new IntSlider(),
        map: { one: 1, two: 2 },
        date: [new Date(0), new Date(1)],
        kept: fixed(new Date(0)),
      },
    );
  });

  test("that mean nothing are refused", () => {
    const make = (v: unknown) => () => interactive(() => undefined, { v: v as number });
    expect(make(null)).toThrow('The control "v" cannot be made from null.');
    expect(make([3, 1])).toThrow(WidgetValueError);
    expect(make([0, 1, 0])).toThrow('The step of "v" must be above 0');
    expect(make(new Label())).not.toThrow();
  });
});

describe("interact", () => {
  test("shows the controls, runs at once and on each change, and shows results", async () => {
    const seen: object[] = [];
    const slider = new IntSlider({ max: 5, description: "count" });
    const returned = interact(
      ({ n, factor, name }) => {
        seen.push({ n, factor, name });
        return name.repeat(n * factor);
      },
      { n: slider, name: ["a", "b"], factor: fixed(2) },
    );
    expect(returned).toBeUndefined();
    expect(seen).toEqual([{ n: 0, factor: 2, name: "a" }]);
    expect(texts()).toEqual(["''"]);
    await page.change(slider.modelId, { value: 2 });
    expect(seen.at(-1)).toEqual({ n: 2, factor: 2, name: "a" });
    expect(texts()).toEqual(["'aaaa'"]);
    const view = page.displayed[0]?.data["application/vnd.jupyter.widget-view+json"];
    expect(page.stateOf((view as { model_id: string }).model_id).children).toHaveLength(3);
    expect(slider.description).toBe("count");
  });

  test("is done before the next line where the function is not async", () => {
    const box = interactive(({ n }) => n * 2, { n: 4 });
    expect(box.result).toBe(8);
    expect(page.stateOf(box.output.modelId).msg_id).toBe("");
    expectTypeOf(box.result).toEqualTypeOf<number | undefined>();
  });

  test("the latest change counts while an async function runs", async () => {
    const seen: number[] = [];
    const n = new IntSlider({ value: 1 });
    const first = interact(
      async ({ n }) => {
        seen.push(n);
        await sleep(20);
        return `n is ${n}`;
      },
      { n },
    );
    expectTypeOf(first).toEqualTypeOf<Promise<void>>();
    for (const value of [2, 3, 4]) void page.change(n.modelId, { value });
    await first;
    expect(seen).toEqual([1, 4]);
    expect(texts()).toEqual(["'n is 4'"]);
  });

  test("an error is shown, and the next change runs again", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const n = new IntSlider({ value: 1 });
    const box = interactive(
      ({ n }) => {
        if (n === 1) throw new RangeError("one is too few");
        return n;
      },
      { n },
    );
    expect(log.mock.calls[0]?.[0]).toMatch(/^RangeError: one is too few\n/);
    expect(box.result).toBeUndefined();
    await page.change(n.modelId, { value: 2 });
    expect(box.result).toBe(2);
    const late = interactive(async () => Promise.reject(new Error("later")), { n: 1 });
    await late.update();
    expect(log.mock.calls.at(-1)?.[0]).toMatch(/^Error: later/);
  });

  test("a function that sets its own control runs once more, not for ever", () => {
    const n = new IntSlider({ value: 1 });
    let runs = 0;
    interactive(
      ({ n: value }) => {
        runs++;
        if (value < 3) n.value = value + 1;
      },
      { n },
    );
    expect(runs).toBe(3);
  });

  test("takes a dropdown's typed values", () => {
    const sizes = new Dropdown({ options: { small: 1, large: 100 } });
    const box = interactive(({ size }) => (size ?? 0) + 1, { size: sizes });
    sizes.label = "large";
    expect(box.result).toBe(101);
  });
});
