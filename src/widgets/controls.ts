import { type Callback, callback } from "./callbacks";
import { descriptionTraits, domTraits, widgetTrait } from "./dom";
import type { ButtonState, CheckboxState, HTMLState, LabelState, TextState } from "./states";
import { buttonPicture, checkboxPicture, htmlPicture, labelPicture, textPicture } from "./static-html";
import { ButtonStyle, CheckboxStyle, HTMLStyle, LabelStyle, TextStyle } from "./styles";
import { flag, oneOf, text } from "./trait";
import { widgetClass } from "./widget";

/** ipywidgets' placeholder: the widget keeps its height while it is empty. */
const EMPTY = "\u200b";

/** Shows HTML. */
export class HTML extends widgetClass<HTMLState>({
  model: "HTMLModel",
  view: "HTMLView",
  traits: { ...descriptionTraits(HTMLStyle), value: text(), placeholder: text(EMPTY) },
  picture: htmlPicture,
}) {}

/** Shows text, and mathematics between `$`. */
export class Label extends widgetClass<LabelState>({
  model: "LabelModel",
  view: "LabelView",
  traits: { ...descriptionTraits(LabelStyle), value: text(), placeholder: text(EMPTY) },
  picture: labelPicture,
}) {}

/** A field for one line of text. */
export class Text extends widgetClass<TextState>({
  model: "TextModel",
  view: "TextView",
  traits: {
    ...descriptionTraits(TextStyle),
    value: text(),
    placeholder: text(EMPTY),
    continuousUpdate: flag(true),
    disabled: flag(false),
  },
  picture: textPicture,
}) {
  readonly #listeners = new Set<Callback<[Text]>>();

  /** Calls `listener` when the user presses Enter. @returns a function that ends it */
  onSubmit(listener: (field: Text) => unknown): () => void {
    return added(this.#listeners, callback(listener, "Text.onSubmit"));
  }

  protected override async receiveCustom(content: unknown): Promise<void> {
    if (eventOf(content) === "submit") await callAll(this.#listeners, this);
  }
}

export class Checkbox extends widgetClass<CheckboxState>({
  model: "CheckboxModel",
  view: "CheckboxView",
  traits: { ...descriptionTraits(CheckboxStyle), value: flag(false), disabled: flag(false), indent: flag(true) },
  picture: checkboxPicture,
}) {}

export class Button extends widgetClass<ButtonState>({
  model: "ButtonModel",
  view: "ButtonView",
  traits: {
    ...domTraits,
    description: text(),
    buttonStyle: oneOf(["primary", "success", "info", "warning", "danger", ""], ""),
    disabled: flag(false),
    icon: text(),
    style: widgetTrait(ButtonStyle),
  },
  picture: buttonPicture,
}) {
  readonly #listeners = new Set<Callback<[Button]>>();

  /**
   * Calls `listener` on each click. What it prints appears below the cell that called `onClick`.
   * @returns a function that ends it
   */
  onClick(listener: (button: Button) => unknown): () => void {
    return added(this.#listeners, callback(listener, "Button.onClick"));
  }

  /** Does what a click does; done when the listeners are. */
  async click(): Promise<void> {
    await callAll(this.#listeners, this);
  }

  protected override async receiveCustom(content: unknown): Promise<void> {
    if (eventOf(content) === "click") await this.click();
  }
}

function added<W>(listeners: Set<Callback<[W]>>, listener: Callback<[W]>): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

async function callAll<W>(listeners: ReadonlySet<Callback<[W]>>, widget: W): Promise<void> {
  const running: Promise<void>[] = [];
  for (const listener of listeners) running.push(listener.call(widget));
  await Promise.all(running);
}

function eventOf(content: unknown): unknown {
  return typeof content === "object" && content !== null ? (content as { event?: unknown }).event : undefined;
}
