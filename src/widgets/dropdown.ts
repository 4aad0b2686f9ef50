import { inspect } from "node:util";
import { descriptionTraits } from "./dom";
import { WidgetValueError } from "./errors";
import type { Choices, DropdownState } from "./states";
import { dropdownPicture } from "./static-html";
import { DescriptionStyle } from "./styles";
import { flag, indexOrNull, local, refuse, type Trait, textOrNull } from "./trait";
import { type Observable, type Widget, type WidgetOptions, widgetClass } from "./widget";

/** A choice among several values. */
export interface Dropdown<T> extends Widget, Observable<DropdownState<T>>, DropdownState<T> {}

export interface DropdownOptions<T> extends WidgetOptions<Omit<DropdownState<T>, "options" | "value">> {
  readonly options?: Choices<T>;
  readonly value?: T | null;
}

interface DropdownClass {
  new <T = string>(options?: DropdownOptions<T>): Dropdown<T>;
}

type State = DropdownState<unknown>;

const choices: Trait<Choices<unknown>> = {
  initial: () => [],
  parse: (value, where) =>
    typeof value === "object" && value !== null
      ? (value as Choices<unknown>)
      : refuse(where, "an array or object", value),
};
const anything: Trait<unknown> = { initial: () => null, parse: (value) => value };

const Base = widgetClass<State>({
  model: "DropdownModel",
  view: "DropdownView",
  traits: {
    ...descriptionTraits(DescriptionStyle),
    options: local(choices),
    value: local(anything),
    label: local(textOrNull()),
    index: indexOrNull(),
    disabled: flag(false),
  },
  settle(next, given, before) {
    const entries = entriesOf(next.options);
    const index = chosen(entries, given, before);
    const [label, value] = index === null ? [null, null] : (entries[index] as Entry);
    return { ...next, index, label, value };
  },
  derived: ({ options }) => ({ _options_labels: entriesOf(options).map(([label]) => label) }),
  picture: (state) => dropdownPicture(state),
});

export const Dropdown = class Dropdown extends Base {} as unknown as DropdownClass;

type Entry = readonly [label: string, value: unknown];

function entriesOf(options: Choices<unknown>): readonly Entry[] {
  if (!Array.isArray(options)) return Object.entries(options);
  const isPair = (each: unknown) => Array.isArray(each) && each.length === 2;
  return options.every(isPair)
    ? options.map(([label, value]) => [String(label), value])
    : options.map((value) => [typeof value === "string" ? value : inspect(value), value]);
}

/** As in ipywidgets: the first at the beginning and when the options change, unless nothing is chosen. */
function chosen(entries: readonly Entry[], given: Partial<State>, before: State | undefined): number | null {
  const isFresh = before === undefined ? true : given.options !== undefined && before.index !== null;
  if (given.value !== undefined) {
    const at = entries.findIndex(([, value]) => Object.is(value, given.value));
    return given.value === null && at < 0
      ? null
      : within(at, entries, `the value ${inspect(given.value, { depth: 0 })}`);
  }
  if (given.label !== undefined) {
    const at = entries.findIndex(([label]) => label === given.label);
    return given.label === null ? null : within(at, entries, `the label ${inspect(given.label)}`);
  }
  if (given.index !== undefined)
    return given.index === null ? null : within(given.index, entries, `option ${given.index}`);
  if (isFresh) return entries.length > 0 ? 0 : null;
  return before?.index ?? null;
}

function within(index: number, entries: readonly Entry[], what: string): number {
  if (index >= 0 && index < entries.length) return index;
  const labels = entries.map(([label]) => label);
  throw new WidgetValueError(`Dropdown has not ${what} among its ${entries.length} options.`, {
    remedy: labels.length > 0 ? `It has: ${labels.slice(0, 20).join(", ")}.` : "Give it options first.",
  });
}
