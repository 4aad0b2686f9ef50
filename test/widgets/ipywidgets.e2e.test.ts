import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as widgets from "../../src/widgets";
import { venvProgram } from "../support/jupyter";
import { type FrontEnd, frontEnd } from "./front-end";

/** Each as JavaScript and as Python: how a widget is made, and what is done to it then. */
const CASES: readonly (readonly [js: string, py: string])[] = [
  ...[
    "FloatProgress",
    "IntProgress",
    "HTML",
    "Label",
    "Button",
    "IntSlider",
    "FloatSlider",
    "Dropdown",
    "Text",
    "Checkbox",
    "Output",
    "HBox",
    "VBox",
    "Tab",
    "Accordion",
    "Layout",
  ].map((name) => [`w = new ${name}()`, `w = ${name}()`] as const),
  ...["Progress", "HTML", "Label", "Button", "Slider", "Description", "Text", "Checkbox"].map(
    (name) => [`w = new ${name}Style()`, `w = ${name}Style()`] as const,
  ),
  ["w = new IntSlider({ value: 50, max: 40 })", "w = IntSlider(value=50, max=40)"],
  ["w = new IntSlider({ min: 200, max: 300 })", "w = IntSlider(min=200, max=300)"],
  ["w = new IntSlider({ value: 3.9 })", "w = IntSlider(value=3.9)"],
  [
    "w = new FloatSlider({ min: -1, max: 1, value: -3, step: 0.5 })",
    "w = FloatSlider(min=-1, max=1, value=-3, step=0.5)",
  ],
  ["w = new IntSlider({ value: 10 }); w.min = 50", "w = IntSlider(value=10); w.min = 50"],
  ["w = new IntSlider({ value: 10 }); w.max = 5; w.value = 7", "w = IntSlider(value=10); w.max = 5; w.value = 7"],
  ["w = new IntSlider(); w.value = -7", "w = IntSlider(); w.value = -7"],
  [
    'w = new FloatProgress({ max: 1, barStyle: "INFO", description: "p" }); w.value = 2',
    'w = FloatProgress(max=1, bar_style="INFO", description="p"); w.value = 2',
  ],
  ['w = new Dropdown({ options: ["a", "b"] })', 'w = Dropdown(options=["a", "b"])'],
  ["w = new Dropdown({ options: [1, 2, 3], value: 3 })", "w = Dropdown(options=[1, 2, 3], value=3)"],
  [
    'w = new Dropdown({ options: [["one", 1], ["two", 2]], value: 2 })',
    'w = Dropdown(options=[("one", 1), ("two", 2)], value=2)',
  ],
  ["w = new Dropdown({ options: { one: 1, two: 2 } })", "w = Dropdown(options={'one': 1, 'two': 2})"],
  ['w = new Dropdown({ options: ["a", "b"], value: null })', 'w = Dropdown(options=["a", "b"], value=None)'],
  ['w = new Dropdown({ options: ["a", "b"], label: "b" })', 'w = Dropdown(options=["a", "b"], label="b")'],
  ['w = new Dropdown({ options: ["a", "b"], index: 1 })', 'w = Dropdown(options=["a", "b"], index=1)'],
  [
    'w = new Dropdown({ options: ["a", "b"], value: "b" }); w.options = ["c", "d", "e"]',
    'w = Dropdown(options=["a", "b"], value="b"); w.options = ["c", "d", "e"]',
  ],
  [
    'w = new Dropdown({ options: ["a"], value: null }); w.options = ["c", "d"]',
    'w = Dropdown(options=["a"], value=None); w.options = ["c", "d"]',
  ],
  ['w = new Dropdown({ options: ["a"] }); w.options = []', 'w = Dropdown(options=["a"]); w.options = []'],
  ['w = new Dropdown({ options: ["a", "b"] }); w.label = "b"', 'w = Dropdown(options=["a", "b"]); w.label = "b"'],
  ['w = new Layout({ border: "1px solid red", width: "50%" })', 'w = Layout(border="1px solid red", width="50%")'],
  ['w = new Layout({ border: "1px", borderTop: "2px" })', 'w = Layout(border="1px", border_top="2px")'],
  ['w = new Layout(); w.border = "3px"; w.borderLeft = null', 'w = Layout(); w.border = "3px"; w.border_left = None'],
  ["w = new HBox([new Label(), new Button()])", "w = HBox([Label(), Button()])"],
  ["w = new VBox(); w.children = [new HBox([new Label()])]", "w = VBox(); w.children = [HBox([Label()])]"],
  ["w = new Tab([new Label(), new Label()])", "w = Tab([Label(), Label()])"],
  [
    'w = new Tab([new Label(), new Label()], { titles: ["a"], selectedIndex: 1 })',
    'w = Tab([Label(), Label()], titles=["a"], selected_index=1)',
  ],
  ["w = new Tab(); w.children = [new Label()]", "w = Tab(); w.children = [Label()]"],
  [
    "w = new Tab([new Label(), new Label()], { selectedIndex: 1 }); w.children = []",
    "w = Tab([Label(), Label()], selected_index=1); w.children = []",
  ],
  [
    'w = new Accordion([new Label(), new Label()], { titles: ["a", "b"] }); w.selectedIndex = 1',
    'w = Accordion([Label(), Label()], titles=["a", "b"]); w.selected_index = 1',
  ],
  [
    'w = new Button({ description: "go", icon: "play", buttonStyle: "success", style: { buttonColor: "red" } })',
    'w = Button(description="go", icon="play", button_style="success", style={"button_color": "red"})',
  ],
  [
    'w = new Output(); w.appendStdout("a\\n"); w.appendStderr("b")',
    'w = Output(); w.append_stdout("a\\n"); w.append_stderr("b")',
  ],
  [
    'w = new Text({ value: "x", layout: { width: "9em" }, tooltip: "t" })',
    'w = Text(value="x", layout={"width": "9em"}, tooltip="t")',
  ],
];

/** What both must refuse. */
const REFUSED: readonly (readonly [js: string, py: string])[] = [
  ["new IntSlider({ min: 5, max: 1 })", "IntSlider(min=5, max=1)"],
  ["new IntSlider({ min: 150 })", "IntSlider(min=150)"],
  ["w = new FloatProgress(); w.max = -1", "w = FloatProgress(); w.max = -1"],
  ['new FloatProgress({ barStyle: "red" })', 'FloatProgress(bar_style="red")'],
  ['new Dropdown({ options: ["a"], value: "b" })', 'Dropdown(options=["a"], value="b")'],
  ['new Dropdown({ options: ["a"], index: 1 })', 'Dropdown(options=["a"], index=1)'],
  ["new Tab([new Label()], { selectedIndex: 1 })", "Tab([Label()], selected_index=1)"],
  ["new Label({ value: 3 })", "Label(value=3)"],
];

const PYTHON = `
import io, json, sys, comm
sent = []
class Recorder(comm.base_comm.BaseComm):
    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        sent.append({"type": msg_type, "id": self.comm_id, "data": data, "metadata": metadata or {}})
comm.create_comm = lambda *a, **k: Recorder(*a, **k)
from ipywidgets import *
from ipywidgets.widgets.widget_description import DescriptionStyle
from ipywidgets.widgets.widget_int import ProgressStyle, SliderStyle
from ipywidgets.widgets.widget_string import HTMLStyle, LabelStyle, TextStyle
from ipywidgets.widgets.widget_bool import CheckboxStyle
from ipywidgets.widgets.widget_button import ButtonStyle
cases, refused = json.load(sys.stdin)
results = []
for case in cases:
    scope = dict(globals())
    sent.clear()
    exec(case, scope)
    w = scope["w"]
    results.append({"id": w.model_id, "sent": list(sent), "state": w.get_state()})
errors = []
for case in refused:
    try:
        exec(case, dict(globals()))
        errors.append("")
    except Exception as error:
        errors.append(str(error))
print(json.dumps([results, errors]))
`;

interface Made {
  readonly id: string;
  readonly sent: readonly {
    readonly type: string;
    readonly id: string;
    readonly data: { readonly state?: State };
    readonly metadata: Readonly<Record<string, unknown>>;
  }[];
  readonly state: State;
}
type State = Readonly<Record<string, unknown>>;

function ipywidgets(): readonly [readonly Made[], readonly string[]] {
  const input = JSON.stringify([CASES.map(([, py]) => py), REFUSED.map(([, py]) => py)]);
  return JSON.parse(execFileSync(venvProgram("python"), ["-c", PYTHON], { input, encoding: "utf8" }));
}

let page: FrontEnd;
beforeEach(() => {
  page = frontEnd();
});
afterEach(() => page.disconnect());

/** Runs a case's JavaScript and gives `w`. */
function run(js: string): widgets.Widget {
  const names = Object.keys(widgets);
  const body = `let w; ${js}; return w;`;
  return new Function(...names, body)(...names.map((name) => (widgets as Record<string, unknown>)[name]));
}

/** A state with each reference replaced by the state it stands for. */
function resolved(state: State, stateOf: (id: string) => State): unknown {
  const visit = (value: unknown): unknown => {
    if (typeof value === "string" && value.startsWith("IPY_MODEL_")) return resolved(stateOf(value.slice(10)), stateOf);
    if (Array.isArray(value)) return value.map(visit);
    return value;
  };
  return Object.fromEntries(Object.entries(state).map(([key, value]) => [key, visit(value)]));
}

describe("the same as Python's ipywidgets", () => {
  const [made, errors] = ipywidgets();

  test.each(CASES.map(([js], i) => [js, i] as const))("%s", (js, i) => {
    const python = made[i] as Made;
    const pythonState = (id: string) =>
      Object.assign({}, ...python.sent.filter((each) => each.id === id).map(({ data }) => data.state ?? {})) as State;
    const widget = run(js);
    const ours = resolved(page.stateOf(widget.modelId), (id) => page.stateOf(id));
    expect(ours).toEqual(resolved(python.state, pythonState));
    // What the messages tell the front end is what ipywidgets' messages tell it.
    expect(ours).toEqual(resolved(pythonState(python.id), pythonState));
    const opened = page.sent.filter(({ type, id }) => type === "open" && id === widget.modelId);
    expect(opened.map(({ metadata }) => metadata)).toEqual(
      python.sent.filter(({ type, id }) => type === "comm_open" && id === python.id).map(({ metadata }) => metadata),
    );
    expect(opened[0]?.data.buffer_paths).toEqual([]);
  });

  test.each(REFUSED.map(([js], i) => [js, i] as const))("refuses %s", (js, i) => {
    expect(errors[i]).not.toBe("");
    expect(() => run(js)).toThrow(widgets.WidgetValueError);
  });
});
