import { reference, referenced } from "./connection";
import { Layout } from "./layout";
import { flag, flagOrNull, refuse, type Trait, type Traits, text, textOrNull, texts } from "./trait";
import { Widget } from "./widget";

/** What every widget that can be seen has. */
export interface DomState {
  layout: Layout;
  /** Whether the Tab key reaches it; null leaves it to the browser. */
  tabbable: boolean | null;
  /** Shown while the pointer rests on it. */
  tooltip: string | null;
  /** CSS classes of its element. */
  domClasses: readonly string[];
}

export const domTraits: Traits<DomState> = {
  layout: widgetTrait(Layout),
  tabbable: flagOrNull(),
  tooltip: textOrNull(),
  domClasses: { ...texts(), wire: "_dom_classes" },
};

/** What every widget with a label beside it has. */
export interface DescriptionState<Style extends Widget> extends DomState {
  /** The label beside it. */
  description: string;
  /** Whether the label is HTML rather than text. @default false */
  descriptionAllowHtml: boolean;
  style: Style;
}

export function descriptionTraits<Style extends Widget>(style: new () => Style): Traits<DescriptionState<Style>> {
  return { ...domTraits, description: text(), descriptionAllowHtml: flag(false), style: widgetTrait(style) };
}

/** A trait that is a widget of one class; plain options make one. */
export function widgetTrait<W extends Widget>(make: new () => W): Trait<W> {
  return {
    initial: () => new make(),
    parse(value, where) {
      if (value instanceof make) return value;
      if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Widget)
        return refuse(where, `a ${make.name} or its options`, value);
      return new (make as new (options: object) => W)(value);
    },
    toWire: (widget) => reference(widget.modelId),
    fromWire: referenced,
  };
}
