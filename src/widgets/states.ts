import type { DescriptionState, DomState } from "./dom";
import type {
  ButtonStyle,
  CheckboxStyle,
  DescriptionStyle,
  HTMLStyle,
  LabelStyle,
  ProgressStyle,
  SliderStyle,
  TextStyle,
} from "./styles";
import type { Widget } from "./widget";

/* What the widgets hold, by ipywidgets' names. */

export interface HTMLState extends DescriptionState<HTMLStyle> {
  /** The HTML; scripts in it do not run. */
  value: string;
  placeholder: string;
}

export interface LabelState extends DescriptionState<LabelStyle> {
  value: string;
  placeholder: string;
}

export interface TextState extends DescriptionState<TextStyle> {
  value: string;
  /** Shown while it is empty. */
  placeholder: string;
  /** Whether the value changes with each key, or on Enter and when the field is left. @default true */
  continuousUpdate: boolean;
  /** @default false */
  disabled: boolean;
}

export interface CheckboxState extends DescriptionState<CheckboxStyle> {
  /** @default false */
  value: boolean;
  /** @default false */
  disabled: boolean;
  /** Whether it stands in line with controls that have a label before them. @default true */
  indent: boolean;
}

export interface ButtonState extends DomState {
  /** The text on it. */
  description: string;
  /** @default "" */
  buttonStyle: "primary" | "success" | "info" | "warning" | "danger" | "";
  /** @default false */
  disabled: boolean;
  /** A Font Awesome icon by name, such as `play`. */
  icon: string;
  style: ButtonStyle;
}

export interface BoundedState {
  /** Kept between `min` and `max`. */
  value: number;
  /** @default 0 */
  min: number;
  /** @default 100 */
  max: number;
}

export type BarStyle = "success" | "info" | "warning" | "danger" | "";

export interface ProgressState extends DescriptionState<ProgressStyle>, BoundedState {
  /** The bar's colour. @default "" */
  barStyle: BarStyle;
  /** @default "horizontal" */
  orientation: "horizontal" | "vertical";
}

export interface SliderState extends DescriptionState<SliderStyle>, BoundedState {
  /** @default 1, and 0.1 for a FloatSlider */
  step: number;
  /** Whether the value changes while the handle moves, or when it is let go. @default true */
  continuousUpdate: boolean;
  /** @default false */
  disabled: boolean;
  /** @default "horizontal" */
  orientation: "horizontal" | "vertical";
  /** Whether the value stands beside the slider. @default true */
  readout: boolean;
  /** How, in d3's format language. @default "d", and ".2f" for a FloatSlider */
  readoutFormat: string;
  /** What drags and taps do. @default "drag-tap" */
  behavior: "drag-tap" | "drag-snap" | "tap" | "drag" | "snap";
}

/** What can be chosen: values, or `[label, value]` for all, or `{ label: value }`. */
export type Choices<T> = readonly (T | readonly [label: string, value: T])[] | Readonly<Record<string, T>>;

export interface DropdownState<T> extends DescriptionState<DescriptionStyle> {
  options: Choices<T>;
  /** What is chosen; null for nothing. @default the first */
  value: T | null;
  /** Its label. */
  label: string | null;
  /** Its place among the options, from 0. */
  index: number | null;
  /** @default false */
  disabled: boolean;
}

export interface BoxState extends DomState {
  children: readonly Widget[];
  /** The box's colour. @default "" */
  boxStyle: "success" | "info" | "warning" | "danger" | "";
}

export interface PagesState extends BoxState {
  /** One a child; missing ones are empty. */
  titles: readonly string[];
  /** The child that is shown; null for none. */
  selectedIndex: number | null;
}

/** One output, as in a notebook file. @see https://nbformat.readthedocs.io/en/latest/format_description.html#code-cell-outputs */
export type NotebookOutput = Readonly<Record<string, unknown>> & {
  readonly output_type: "stream" | "display_data" | "execute_result" | "error" | "update_display_data";
};

export interface OutputState extends DomState {
  /** What it shows. */
  outputs: readonly NotebookOutput[];
  /** A request whose outputs the front end is to show in it; {@link Output.capture} needs none. */
  msgId: string;
}
