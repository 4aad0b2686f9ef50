import { descriptionTraits } from "./dom";
import { WidgetValueError } from "./errors";
import type { BoundedState, ProgressState, SliderState } from "./states";
import { progressPicture, sliderPicture } from "./static-html";
import { ProgressStyle, SliderStyle } from "./styles";
import { decimal, flag, integer, oneOf, type Traits, text } from "./trait";
import { widgetClass } from "./widget";

/** A progress bar over decimal numbers. */
export class FloatProgress extends widgetClass<ProgressState>({
  model: "FloatProgressModel",
  view: "ProgressView",
  traits: progressTraits(decimal),
  settle: (next) => bounded("FloatProgress", next),
  picture: progressPicture,
}) {}

/** A progress bar over whole numbers. */
export class IntProgress extends widgetClass<ProgressState>({
  model: "IntProgressModel",
  view: "ProgressView",
  traits: progressTraits(integer),
  settle: (next) => bounded("IntProgress", next),
  picture: progressPicture,
}) {}

/** A slider over whole numbers. */
export class IntSlider extends widgetClass<SliderState>({
  model: "IntSliderModel",
  view: "IntSliderView",
  traits: { ...sliderTraits(integer), step: integer(1), readoutFormat: text("d") },
  settle: (next) => bounded("IntSlider", next),
  picture: sliderPicture,
}) {}

/** A slider over decimal numbers. */
export class FloatSlider extends widgetClass<SliderState>({
  model: "FloatSliderModel",
  view: "FloatSliderView",
  traits: { ...sliderTraits(decimal), step: decimal(0.1), readoutFormat: text(".2f") },
  settle: (next) => bounded("FloatSlider", next),
  picture: sliderPicture,
}) {}

type Numeric = (initial: number) => Traits<BoundedState>["value"];

function boundedTraits(numeric: Numeric): Traits<BoundedState> {
  return { value: numeric(0), min: numeric(0), max: numeric(100) };
}

function progressTraits(numeric: Numeric): Traits<ProgressState> {
  return {
    ...descriptionTraits(ProgressStyle),
    ...boundedTraits(numeric),
    barStyle: oneOf(["success", "info", "warning", "danger", ""], ""),
    orientation: oneOf(["horizontal", "vertical"], "horizontal"),
  };
}

function sliderTraits(numeric: Numeric): Omit<Traits<SliderState>, "step" | "readoutFormat"> {
  return {
    ...descriptionTraits(SliderStyle),
    ...boundedTraits(numeric),
    continuousUpdate: flag(true),
    disabled: flag(false),
    orientation: oneOf(["horizontal", "vertical"], "horizontal"),
    readout: flag(true),
    behavior: oneOf(["drag-tap", "drag-snap", "tap", "drag", "snap"], "drag-tap"),
  };
}

/** Like ipywidgets: the value gives way, the bounds do not. */
function bounded<S extends BoundedState>(name: string, next: S): S {
  const { value, min, max } = next;
  if (min > max)
    throw new WidgetValueError(`${name}.min is above its max: ${min} > ${max}.`, {
      remedy: "Give both, or set both at once by set({ min, max }).",
    });
  return { ...next, value: Math.min(Math.max(value, min), max) };
}
