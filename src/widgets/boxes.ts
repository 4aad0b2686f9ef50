import { reference, referenced } from "./connection";
import { domTraits } from "./dom";
import { WidgetValueError } from "./errors";
import type { BoxState, PagesState } from "./states";
import { boxPicture, pagesPicture } from "./static-html";
import { indexOrNull, oneOf, refuse, type Trait, type Traits, texts } from "./trait";
import { Widget, type WidgetClass, type WidgetOptions, widgetClass } from "./widget";

const children: Trait<readonly Widget[]> = {
  initial: () => [],
  parse: (value, where) =>
    Array.isArray(value) && value.every((each) => each instanceof Widget)
      ? [...value]
      : refuse(where, "an array of widgets", value),
  toWire: (widgets) => widgets.map(({ modelId }) => reference(modelId)),
  fromWire: (value) => (Array.isArray(value) ? value.map(referenced) : value),
};

const boxTraits: Traits<BoxState> = {
  ...domTraits,
  children,
  boxStyle: oneOf(["success", "info", "warning", "danger", ""], ""),
};

const pagesTraits: Traits<PagesState> = { ...boxTraits, titles: texts(), selectedIndex: indexOrNull() };

/** Widgets side by side. */
export class HBox extends takingChildren(
  widgetClass<BoxState>({
    model: "HBoxModel",
    view: "HBoxView",
    traits: boxTraits,
    picture: (state) => boxPicture(state, "row"),
  }),
) {}

/** Widgets one below the other. */
export class VBox extends takingChildren(
  widgetClass<BoxState>({
    model: "VBoxModel",
    view: "VBoxView",
    traits: boxTraits,
    picture: (state) => boxPicture(state, "column"),
  }),
) {}

/** Widgets on pages, with a tab for each. */
export class Tab extends takingChildren(
  widgetClass<PagesState>({
    model: "TabModel",
    view: "TabView",
    traits: pagesTraits,
    settle(next, given, before) {
      const last = next.children.length - 1;
      const isChosen = given.selectedIndex !== undefined || (before !== undefined && given.children === undefined);
      const first = last < 0 ? null : Math.min(next.selectedIndex ?? 0, last);
      return pages("Tab", isChosen ? next : { ...next, selectedIndex: first });
    },
    picture: pagesPicture,
  }),
) {}

/** Widgets on pages that unfold. */
export class Accordion extends takingChildren(
  widgetClass<PagesState>({
    model: "AccordionModel",
    view: "AccordionView",
    traits: pagesTraits,
    settle(next, given) {
      const isGone = given.selectedIndex === undefined && (next.selectedIndex ?? 0) >= next.children.length;
      return pages("Accordion", isGone ? { ...next, selectedIndex: null } : next);
    },
    picture: pagesPicture,
  }),
) {}

/** The class of a box: its children come first, and may come alone. */
type BoxClass<S extends object> = new (
  children?: readonly Widget[],
  options?: WidgetOptions<Omit<S, "children">>,
) => InstanceType<WidgetClass<S>>;

function takingChildren<S extends BoxState>(base: WidgetClass<S>): BoxClass<S> {
  const Base = base as unknown as new (options: object) => Widget;
  class Box extends Base {
    constructor(children: readonly Widget[] = [], options: object = {}) {
      super({ ...options, children });
    }
  }
  return Box as unknown as BoxClass<S>;
}

function pages<S extends PagesState>(name: string, next: S): S {
  const { children, titles, selectedIndex } = next;
  if (selectedIndex !== null && selectedIndex >= children.length)
    throw new WidgetValueError(`${name}.selectedIndex is ${selectedIndex}, but it has ${children.length} children.`);
  return { ...next, titles: children.map((_, i) => titles[i] ?? "") };
}
