import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { kernelHost } from "../../src/kernel/kernel-host";
import { displayIdOf, JUPYTER_DISPLAY } from "../../src/kernel/mime-bundle";
import {
  Button,
  Checkbox,
  Dropdown,
  HBox,
  HTML,
  IntSlider,
  Label,
  Layout,
  Output,
  Tab,
  Text,
  UnknownWidgetOptionError,
  VBox,
  WidgetValueError,
} from "../../src/widgets";
import { type FrontEnd, frontEnd } from "./front-end";

let page: FrontEnd;
beforeEach(() => {
  page = frontEnd();
});
afterEach(() => {
  page.disconnect();
  vi.restoreAllMocks();
});

const strip = (html: string) =>
  html
    .replace(/<[^>]+>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
const updates = () => page.take().map(({ type, id, data }) => [type, id, data]);

describe("a widget and its views", () => {
  test("an update of code goes out once, with what changed", () => {
    const slider = new IntSlider({ value: 3, max: 10 });
    page.take();
    slider.value = 4;
    slider.value = 4;
    slider.set({ min: 5, description: "n" });
    const id = slider.modelId;
    expect(updates()).toEqual([
      ["msg", id, { method: "update", state: { value: 4 }, buffer_paths: [] }],
      ["msg", id, { method: "update", state: { value: 5, min: 5, description: "n" }, buffer_paths: [] }],
    ]);
  });

  test("an update of a view is echoed to all views, and not sent back", async () => {
    const slider = new IntSlider({ value: 3, max: 10 });
    const changes: unknown[] = [];
    slider.observe((change) => {
      expectTypeOf(change.new).toEqualTypeOf<number>();
      expectTypeOf(change.name).toEqualTypeOf<"value">();
      changes.push([change.name, change.old, change.new, change.owner === slider]);
    }, "value");
    page.take();
    await page.change(slider.modelId, { value: 7 });
    expect(slider.value).toBe(7);
    expect(changes).toEqual([["value", 3, 7, true]]);
    expect(updates()).toEqual([
      ["msg", slider.modelId, { method: "echo_update", state: { value: 7 }, buffer_paths: [] }],
    ]);
  });

  test("what a view sent is sent back where the widget made something else of it", async () => {
    const slider = new IntSlider({ value: 3, max: 10 });
    page.take();
    await page.change(slider.modelId, { value: 70 });
    expect(slider.value).toBe(10);
    expect(updates().at(-1)).toEqual([
      "msg",
      slider.modelId,
      { method: "update", state: { value: 10 }, buffer_paths: [] },
    ]);
  });

  test("echoes are off with JUPYTER_WIDGETS_ECHO=0, and private state is not the view's to change", async () => {
    vi.stubEnv("JUPYTER_WIDGETS_ECHO", "0");
    const slider = new IntSlider();
    page.take();
    await page.change(slider.modelId, { value: 7, _model_name: "Other", nonsense: 1 });
    expect(slider.value).toBe(7);
    expect(page.take()).toEqual([]);
    vi.unstubAllEnvs();
  });

  test("listeners end by unobserve and by the function that observe gives", async () => {
    const box = new Checkbox();
    const listener = vi.fn();
    const end = box.observe(listener, ["value", "disabled"]);
    box.disabled = true;
    expect(listener).toHaveBeenCalledTimes(1);
    box.unobserve(listener, "disabled");
    box.disabled = false;
    expect(listener).toHaveBeenCalledTimes(1);
    await page.change(box.modelId, { value: true });
    expect(listener).toHaveBeenCalledTimes(2);
    end();
    box.value = false;
    expect(listener).toHaveBeenCalledTimes(2);
  });

  test("a listener may set other widgets", async () => {
    const [a, b] = [new IntSlider(), new IntSlider()];
    a.observe(({ new: value }) => {
      b.value = value * 2;
    }, "value");
    page.take();
    await page.change(a.modelId, { value: 21 });
    expect(page.stateOf(b.modelId).value).toBe(42);
  });

  test("the front end waits for async listeners", async () => {
    const slider = new IntSlider();
    let done = 0;
    slider.observe(async ({ new: value }) => {
      await sleep(20);
      done = value;
    }, "value");
    await page.change(slider.modelId, { value: 5 });
    expect(done).toBe(5);
  });

  test("errors of callbacks are printed, and the rest goes on", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const slider = new IntSlider();
    const after = vi.fn();
    slider.observe(() => {
      throw new RangeError("too far");
    }, "value");
    slider.observe(async () => Promise.reject(new Error("later")), "value");
    slider.observe(after, "value");
    await page.change(slider.modelId, { value: 5 });
    expect(after).toHaveBeenCalledTimes(1);
    const text = log.mock.calls.flat().join("\n");
    expect(text).toMatch(
      /function given to IntSlider\.observe failed:\nRangeError: too far\n {4}at .*two-way\.test\.ts/,
    );
    expect(text).toContain("Error: later");
  });

  test("buttons and fields call their listeners", async () => {
    const button = new Button({ description: "go" });
    const clicked = vi.fn();
    const end = button.onClick(clicked);
    await page.message(button.modelId, { method: "custom", content: { event: "click" } });
    expect(clicked.mock.calls).toEqual([[button]]);
    end();
    await button.click();
    expect(clicked).toHaveBeenCalledTimes(1);

    const field = new Text();
    const submitted: string[] = [];
    field.onSubmit((each) => submitted.push(each.value));
    await page.change(field.modelId, { value: "hello" });
    await page.message(field.modelId, { method: "custom", content: { event: "submit" } });
    expect(submitted).toEqual(["hello"]);
  });

  test("a dropdown's choice comes by index and is had as a typed value", async () => {
    const dropdown = new Dropdown({
      options: [
        ["one", 1],
        ["two", 2],
      ],
    });
    expectTypeOf(dropdown.value).toEqualTypeOf<number | null>();
    const names = new Dropdown({ options: ["a", "b"] });
    expectTypeOf(names.value).toEqualTypeOf<string | null>();
    const seen: unknown[] = [];
    dropdown.observe(({ old, new: value }) => seen.push([old, value]), "value");
    await page.change(dropdown.modelId, { index: 1 });
    expect([dropdown.value, dropdown.label, dropdown.index]).toEqual([2, "two", 1]);
    expect(seen).toEqual([[1, 2]]);
    await page.change(dropdown.modelId, { index: null });
    expect(dropdown.value).toBeNull();
  });

  test("request_state is answered with everything", async () => {
    const slider = new IntSlider({ value: 3 });
    const opened = page.take().at(-1);
    await page.message(slider.modelId, { method: "request_state" });
    expect(updates()).toEqual([
      ["msg", slider.modelId, { method: "update", state: opened?.data.state, buffer_paths: [] }],
    ]);
  });

  test("a page that comes back gets the state of all open widgets", async () => {
    const [slider, gone] = [new IntSlider({ value: 3 }), new Label()];
    gone.close();
    slider.value = 8;
    const state = page.stateOf(slider.modelId);
    page.take();
    const control = await page.open("jupyter.widget.control");
    await page.message(control, { method: "request_states" });
    const [answer] = page.take();
    expect(answer).toMatchObject({ id: control, data: { method: "update_states", buffer_paths: [] } });
    const states = answer?.data.states as Record<string, { state: object }>;
    expect(states[slider.modelId]).toMatchObject({
      model_name: "IntSliderModel",
      model_module: "@jupyter-widgets/controls",
      model_module_version: "2.0.0",
    });
    expect(states[slider.modelId]?.state).toEqual(state);
    expect(states[slider.layout.modelId]).toMatchObject({ model_name: "LayoutModel" });
    expect(states[gone.modelId]).toBeUndefined();
    expect(states[gone.layout.modelId]).toBeUndefined();
  });

  test("close takes it and its own layout and style off, once, and nothing is sent afterwards", async () => {
    const layout = new Layout({ width: "50%" });
    const slider = new IntSlider({ layout });
    const label = new Label({ layout });
    page.take();
    slider.close();
    slider.close();
    slider.value = 9;
    expect(updates()).toEqual([
      ["close", slider.modelId, {}],
      ["close", slider.style.modelId, {}],
    ]);
    await page.close(label.modelId);
    label.value = "x";
    expect(page.take()).toEqual([]);
  });
});

describe("layouts, styles, children", () => {
  test("a layout is a widget of its own, given as options or shared", () => {
    const slider = new IntSlider({ layout: { width: "50%" }, style: { descriptionWidth: "initial" } });
    expect(slider.layout).toBeInstanceOf(Layout);
    expect(page.stateOf(slider.style.modelId).description_width).toBe("initial");
    slider.layout.width = "80%";
    expect(page.stateOf(slider.layout.modelId).width).toBe("80%");
    const other = new Label({ layout: slider.layout });
    expect(page.stateOf(other.modelId).layout).toBe(page.stateOf(slider.modelId).layout);
  });

  test("children are opened before their box, which refers to them", () => {
    const box = new VBox([new Label({ value: "a" }), new HBox([new Button()])]);
    const opened = page.sent.map(({ id }) => id);
    const refs = page.stateOf(box.modelId).children as string[];
    expect(refs).toEqual(box.children.map(({ modelId }) => `IPY_MODEL_${modelId}`));
    for (const child of box.children) expect(opened.indexOf(child.modelId)).toBeLessThan(opened.indexOf(box.modelId));
    const added = new Checkbox();
    box.children = [...box.children, added];
    expect((page.stateOf(box.modelId).children as string[]).at(-1)).toBe(`IPY_MODEL_${added.modelId}`);
  });

  test("a page of tabs is chosen by the user", async () => {
    const tabs = new Tab([new Label(), new Label()], { titles: ["a", "b"] });
    await page.change(tabs.modelId, { selected_index: 1 });
    expect(tabs.selectedIndex).toBe(1);
  });
});

describe("mistakes", () => {
  test("name the widget, the property and what it may be", () => {
    const make = (options: object) => () => new IntSlider(options);
    expect(make({ vlaue: 3 })).toThrow(UnknownWidgetOptionError);
    expect(make({ vlaue: 3 })).toThrow('IntSlider has no property "vlaue".\nDid you mean "value"?');
    expect(make({ value: "3" })).toThrow("IntSlider.value must be a number, not '3'.");
    expect(make({ value: Number.NaN })).toThrow(WidgetValueError);
    expect(make({ min: 5, max: 1 })).toThrow("IntSlider.min is above its max: 5 > 1.");
    expect(make({ orientation: "diagonal" })).toThrow('must be one of "horizontal", "vertical"');
    expect(make({ layout: 3 })).toThrow("IntSlider.layout must be a Layout or its options, not 3.");
    expect(() => new VBox(["a" as never])).toThrow("VBox.children must be an array of widgets");
    expect(() => new Dropdown({ options: ["a"], value: "b" })).toThrow("It has: a.");
    expect(() => new IntSlider().observe(() => {}, "vlaue" as "value")).toThrow(UnknownWidgetOptionError);
  });

  test("leave the widget as it was", () => {
    const slider = new IntSlider({ value: 3 });
    page.take();
    expect(() => slider.set({ description: "x", max: -1 })).toThrow(WidgetValueError);
    expect([slider.description, slider.max]).toEqual(["", 100]);
    expect(page.take()).toEqual([]);
  });
});

describe("display", () => {
  test("is a view, a still picture and text", () => {
    const slider = new IntSlider({ value: 30, description: "<n>" });
    const bundle = slider[JUPYTER_DISPLAY]();
    expect(bundle["application/vnd.jupyter.widget-view+json"]).toEqual({
      version_major: 2,
      version_minor: 0,
      model_id: slider.modelId,
    });
    expect(bundle["text/html"]).toContain("&lt;n&gt;");
    expect(bundle["text/html"]).toContain("left:30%");
    expect(bundle["text/plain"]).toBe("IntSlider(description='<n>', value=30)");
    expect(String(new VBox([new Label({ value: "a" })]))).toBe("VBox(children=[ Label(value='a') ])");
  });

  test("is corrected once when the cell ends, if it has changed", () => {
    const [slider, still] = [new IntSlider(), new Label({ value: "a" })];
    const id = displayIdOf(new VBox([slider])[JUPYTER_DISPLAY]());
    still[JUPYTER_DISPLAY]();
    slider.value = 50;
    page.endCell();
    expect(page.displayed).toHaveLength(1);
    expect(page.displayed[0]).toMatchObject({ update: true, transient: { display_id: id } });
    expect(page.displayed[0]?.data["text/html"]).toContain("left:50%");
    slider.value = 70;
    page.endCell();
    expect(page.displayed).toHaveLength(1);
  });

  test("outside a notebook is a still picture, and the widget works all the same", () => {
    page.disconnect();
    const slider = new IntSlider({ max: 10 });
    const seen: number[] = [];
    slider.observe((change) => seen.push(change.new), "value");
    slider.value = 50;
    expect(seen).toEqual([10]);
    expect(Object.keys(slider[JUPYTER_DISPLAY]())).toEqual(["text/html", "text/plain"]);
    slider.close();
    expect(new Output().capture(() => 7)).toBe(7);
  });

  test("has no scripts", () => {
    const html = new HTML({ value: '<b onclick="x()">a</b><script>alert(1)</script ><SCRIPT src=x>' }).toHtml();
    expect(html).toContain("<b>a</b>");
    expect(html).not.toMatch(/script|onclick/i);
    expect(new Label({ value: "<i>" }).toHtml()).toContain("&lt;i&gt;");
    expect(new Button({ style: { buttonColor: 'red"><script>' } }).toHtml()).not.toContain("<script");
  });
});

describe("Output", () => {
  test("captures what a function shows, also later, and nothing else", async () => {
    const output = new Output();
    const texts = () => output.outputs.map(({ text, data }) => text ?? data);
    expect(output.capture(() => page.print("a\n"))).toBeUndefined();
    page.print("elsewhere");
    const waiting = output.capture(async () => {
      page.print("b\n");
      await sleep(10);
      page.print("c\n");
      kernelHost()?.display({ data: { "text/plain": "d" }, transient: { display_id: "one" } }, false);
      setTimeout(() => {
        kernelHost()?.display({ data: { "text/plain": "e" }, transient: { display_id: "one" } }, true);
        page.print("f\n");
      }, 20);
      return 7;
    });
    expect(texts()).toEqual(["a\n"]);
    expect(await waiting).toBe(7);
    expect(texts()).toEqual(["a\nb\nc\n", { "text/plain": "d" }]);
    await expect.poll(texts).toEqual(["a\nb\nc\n", { "text/plain": "e" }, "f\n"]);
    expect(page.stateOf(output.modelId).outputs).toEqual(output.outputs);
    expect(() =>
      output.capture(() => {
        throw new Error("x");
      }),
    ).toThrow("x");
  });

  test("sends much output in few messages", () => {
    const output = new Output();
    page.take();
    output.capture(() => {
      for (let i = 0; i < 2_000; i++) page.print(`${i}\n`);
    });
    expect(output.outputs).toHaveLength(1);
    expect(String(output.outputs[0]?.text).split("\n")).toHaveLength(2_001);
    expect(page.take().length).toBeLessThan(50);
  });

  test("knows for its still picture what it captured, before the page tells", async () => {
    const output = new Output();
    const box = new VBox([output]);
    box[JUPYTER_DISPLAY]();
    output.capture(() => {
      page.print("a<b\n");
      kernelHost()?.display({ data: { "text/html": "<i>c</i>" } }, false);
    });
    page.print("elsewhere");
    expect(strip(output.toHtml())).toBe("a&lt;b c");
    page.endCell();
    expect(strip(String(page.displayed.at(-1)?.data["text/html"]))).toBe("a&lt;b c");
    output.clear({ wait: true });
    expect(strip(output.toHtml())).toBe("a&lt;b c");
    output.capture(() => page.print("d"));
    expect(strip(output.toHtml())).toBe("d");
    await page.change(output.modelId, { outputs: [{ output_type: "stream", name: "stdout", text: "told" }] });
    expect(strip(output.toHtml())).toBe("told");
  });

  test("shows what the page caught, and what is appended", async () => {
    const output = new Output();
    await page.change(output.modelId, { outputs: [{ output_type: "stream", name: "stdout", text: "a<b\n" }] });
    expect(output.toHtml()).toContain("a&lt;b");
    output.appendDisplay({ "text/html": "<i>c</i>" });
    expect(output.outputs).toHaveLength(2);
    expect(output.toHtml()).toContain("<i>c</i>");
    output.clear();
    expect(page.stateOf(output.modelId).outputs).toEqual([]);
  });
});

test("a value alone makes a widget, as in ipywidgets", () => {
  const made = [new Label("text"), new HTML("<b>x</b>"), new IntSlider(5, { max: 7 }), new Checkbox(true)];
  expect(made.map(({ value }) => value)).toEqual(["text", "<b>x</b>", 5, true]);
  expect((made[2] as IntSlider).max).toBe(7);
});
