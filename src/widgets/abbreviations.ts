import { inspect } from "node:util";
import { Checkbox, Text } from "./controls";
import { Dropdown } from "./dropdown";
import { WidgetValueError } from "./errors";
import { FloatSlider, IntSlider } from "./numbers";
import type { Choices } from "./states";
import { stateOf, Widget } from "./widget";

/** A value that an interactive function gets and the user cannot change. */
export interface Fixed<T> {
  readonly [FIXED]: true;
  readonly value: T;
}

const FIXED: unique symbol = Symbol("fixed");

/** Gives a parameter of an interactive function a value without a control. */
export function fixed<T>(value: T): Fixed<T> {
  return { [FIXED]: true, value };
}

export function isFixed(value: unknown): value is Fixed<unknown> {
  return typeof value === "object" && value !== null && FIXED in value;
}

/** A widget with a value. */
export interface ValueWidget<T = unknown> extends Widget {
  readonly value: T;
}

/** What a control can be made from, as in ipywidgets. */
export type Abbreviation =
  | boolean
  | string
  | number
  | readonly [min: number, max: number]
  | readonly [min: number, max: number, step: number]
  | readonly (readonly [label: string, value: unknown])[]
  | readonly (string | number | boolean | object)[]
  | ValueWidget
  | Fixed<unknown>
  | { readonly [label: string]: unknown };

export type Controls = Readonly<Record<string, Abbreviation>>;

/** What a function gets for each of its controls. */
export type Arguments<C> = { -readonly [K in keyof C]: ValueOf<C[K]> };

type ValueOf<A> = A extends { readonly modelId: string; readonly value: infer V }
  ? V
  : A extends Fixed<infer V>
    ? V
    : A extends boolean
      ? boolean
      : A extends number
        ? number
        : A extends string
          ? string
          : A extends readonly (readonly [string, infer V])[]
            ? V
            : A extends readonly number[]
              ? number
              : A extends readonly (infer V)[]
                ? V
                : A extends Readonly<Record<string, infer V>>
                  ? V
                  : never;

/** Makes the control of a parameter. @throws WidgetValueError where the abbreviation means nothing */
export function controlFor(name: string, given: Abbreviation): ValueWidget {
  const control = controlOf(name, given);
  const { description } = stateOf(control);
  if (description === "") (control as { description?: string }).description = name;
  return control;
}

function controlOf(name: string, given: unknown): ValueWidget {
  if (given instanceof Widget) {
    if ("value" in given) return given as ValueWidget;
    throw new WidgetValueError(`The control "${name}" is a ${given.constructor.name}, which has no value.`);
  }
  switch (typeof given) {
    case "boolean":
      return new Checkbox({ value: given });
    case "string":
      return new Text({ value: given });
    case "number":
      return slider(...around(given));
  }
  if (isRange(given)) {
    const [min, max, step] = given;
    if (step !== undefined && step <= 0)
      throw new WidgetValueError(`The step of "${name}" must be above 0, not ${step}.`);
    if (min > max) throw new WidgetValueError(`The range of "${name}" ends before it begins: ${inspect(given)}.`);
    return slider(min, max, middle(min, max, step), step);
  }
  if (typeof given === "object" && given !== null) return new Dropdown<unknown>({ options: given as Choices<unknown> });
  throw new WidgetValueError(`The control "${name}" cannot be made from ${inspect(given)}.`, {
    remedy: "Give [min, max], a number, a boolean, a string, an array of choices, or a widget.",
  });
}

/** Two or three numbers; more of them are choices. */
function isRange(given: unknown): given is readonly [number, number, number?] {
  return Array.isArray(given) && [2, 3].includes(given.length) && given.every((each) => typeof each === "number");
}

function slider(min: number, max: number, value: number, step?: number): ValueWidget {
  const areWhole = [min, max, value, step ?? 1].every(Number.isInteger);
  return new (areWhole ? IntSlider : FloatSlider)({ min, max, value, ...(step === undefined ? {} : { step }) });
}

/** ipywidgets' range around a lone number: from minus once to three times its size. */
function around(value: number): [min: number, max: number, value: number] {
  if (value === 0) return [0, 1, 0];
  return value > 0 ? [-value, 3 * value, value] : [3 * value, -value, value];
}

function middle(min: number, max: number, step?: number): number {
  // Of whole bounds a whole number, also with a step such as 0.1: as in ipywidgets.
  const areWhole = [min, max].every(Number.isInteger);
  const half = (max - min) / 2;
  const value = min + (areWhole ? Math.floor(half) : half);
  return step === undefined ? value : min + Math.trunc((value - min) / step) * step;
}
