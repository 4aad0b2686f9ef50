export {
  type Abbreviation,
  type Arguments,
  type Controls,
  type Fixed,
  fixed,
  type ValueWidget,
} from "./abbreviations";
export { Accordion, HBox, Tab, VBox } from "./boxes";
export {
  Button,
  Checkbox,
  HTML,
  Label,
  Text,
} from "./controls";
export type { DescriptionState, DomState } from "./dom";
export { Dropdown, type DropdownOptions } from "./dropdown";
export { UnknownWidgetOptionError, WidgetValueError } from "./errors";
export { Interactive, interact, interactive } from "./interact";
export { Layout, type LayoutState } from "./layout";
export {
  FloatProgress,
  FloatSlider,
  IntProgress,
  IntSlider,
} from "./numbers";
export { Output } from "./output";
export type {
  BarStyle,
  BoxState,
  ButtonState,
  CheckboxState,
  Choices,
  DropdownState,
  HTMLState,
  LabelState,
  NotebookOutput,
  OutputState,
  PagesState,
  ProgressState,
  SliderState,
  TextState,
} from "./states";
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
