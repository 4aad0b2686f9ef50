import { text, textOrNull } from "./trait";
import { BASE, widgetClass } from "./widget";

export interface DescriptionStyleState {
  /** Such as `120px`, or `initial` for as wide as it is; empty for the page's. */
  descriptionWidth: string;
}

export interface ProgressStyleState extends DescriptionStyleState {
  /** Any CSS colour. */
  barColor: string | null;
}

export interface SliderStyleState extends DescriptionStyleState {
  /** Any CSS colour. */
  handleColor: string | null;
}

export interface CheckboxStyleState extends DescriptionStyleState {
  background: string | null;
}

/** The style of `HTML` and `Text`. */
export interface TextStyleState extends DescriptionStyleState {
  background: string | null;
  fontSize: string | null;
  textColor: string | null;
}

interface FontState {
  fontFamily: string | null;
  fontSize: string | null;
  fontStyle: string | null;
  fontVariant: string | null;
  fontWeight: string | null;
  textColor: string | null;
  textDecoration: string | null;
}

export interface LabelStyleState extends DescriptionStyleState, FontState {
  background: string | null;
}

export interface ButtonStyleState extends FontState {
  /** Any CSS colour. */
  buttonColor: string | null;
}

const view = { view: "StyleView", viewModule: BASE };
const css = textOrNull();
const description = { descriptionWidth: text() };
const font = {
  fontFamily: css,
  fontSize: css,
  fontStyle: css,
  fontVariant: css,
  fontWeight: css,
  textColor: css,
  textDecoration: css,
};
const textTraits = { ...description, background: css, fontSize: css, textColor: css };

export class DescriptionStyle extends widgetClass<DescriptionStyleState>({
  ...view,
  model: "DescriptionStyleModel",
  traits: description,
}) {}

export class ProgressStyle extends widgetClass<ProgressStyleState>({
  ...view,
  model: "ProgressStyleModel",
  traits: { ...description, barColor: css },
}) {}

export class SliderStyle extends widgetClass<SliderStyleState>({
  ...view,
  model: "SliderStyleModel",
  traits: { ...description, handleColor: css },
}) {}

export class CheckboxStyle extends widgetClass<CheckboxStyleState>({
  ...view,
  model: "CheckboxStyleModel",
  traits: { ...description, background: css },
}) {}

export class HTMLStyle extends widgetClass<TextStyleState>({
  ...view,
  model: "HTMLStyleModel",
  traits: textTraits,
}) {}

export class TextStyle extends widgetClass<TextStyleState>({
  ...view,
  model: "TextStyleModel",
  traits: textTraits,
}) {}

export class LabelStyle extends widgetClass<LabelStyleState>({
  ...view,
  model: "LabelStyleModel",
  traits: { ...description, ...font, background: css },
}) {}

export class ButtonStyle extends widgetClass<ButtonStyleState>({
  ...view,
  model: "ButtonStyleModel",
  traits: { ...font, buttonColor: css },
}) {}
