export {
  type Abbreviation,
  type Arguments,
  type Controls,
  type Fixed,
  fixed,
  type ValueWidget,
} from "./abbreviations";
export { Accordion, type BoxState, HBox, type PagesState, Tab, VBox } from "./boxes";
export {
  Button,
  type ButtonState,
  Checkbox,
  type CheckboxState,
  HTML,
  type HTMLState,
  Label,
  type LabelState,
  Text,
  type TextState,
} from "./controls";
export type { DescriptionState, DomState } from "./dom";
export { type Choices, Dropdown, type DropdownOptions, type DropdownState } from "./dropdown";
export { UnknownWidgetOptionError, WidgetValueError } from "./errors";
export { Interactive, interact, interactive } from "./interact";
export { Layout, type LayoutState } from "./layout";
export {
  type BarStyle,
  FloatProgress,
  FloatSlider,
  IntProgress,
  IntSlider,
  type ProgressState,
  type SliderState,
} from "./numbers";
export { type NotebookOutput, Output, type OutputState } from "./output";
export {
  ButtonStyle,
  CheckboxStyle,
  DescriptionStyle,
  HTMLStyle,
  LabelStyle,
  ProgressStyle,
  SliderStyle,
  TextStyle,
} from "./styles";
export { type Change, type Observable, Widget, type WidgetOptions } from "./widget";
