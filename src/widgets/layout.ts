import { textOrNull } from "./trait";
import { BASE, stateOf, widgetClass } from "./widget";

/** CSS of a widget's box, under ipywidgets' names; null leaves it to the page. */
export interface LayoutState {
  alignContent: string | null;
  alignItems: string | null;
  alignSelf: string | null;
  /** All four borders, such as `1px solid grey`; null where they differ. */
  border: string | null;
  borderBottom: string | null;
  borderLeft: string | null;
  borderRight: string | null;
  borderTop: string | null;
  bottom: string | null;
  display: string | null;
  flex: string | null;
  flexFlow: string | null;
  gridArea: string | null;
  gridAutoColumns: string | null;
  gridAutoFlow: string | null;
  gridAutoRows: string | null;
  gridColumn: string | null;
  gridGap: string | null;
  gridRow: string | null;
  gridTemplateAreas: string | null;
  gridTemplateColumns: string | null;
  gridTemplateRows: string | null;
  height: string | null;
  justifyContent: string | null;
  justifyItems: string | null;
  left: string | null;
  margin: string | null;
  maxHeight: string | null;
  maxWidth: string | null;
  minHeight: string | null;
  minWidth: string | null;
  objectFit: string | null;
  objectPosition: string | null;
  order: string | null;
  overflow: string | null;
  padding: string | null;
  right: string | null;
  top: string | null;
  visibility: string | null;
  width: string | null;
}

const css = textOrNull();
const SIDES = ["borderBottom", "borderLeft", "borderRight", "borderTop"] as const;

/** How a widget is laid out; several widgets can share one. */
export class Layout extends widgetClass<LayoutState>({
  model: "LayoutModel",
  view: "LayoutView",
  module: BASE,
  traits: {
    alignContent: css,
    alignItems: css,
    alignSelf: css,
    border: { ...css, local: true },
    borderBottom: css,
    borderLeft: css,
    borderRight: css,
    borderTop: css,
    bottom: css,
    display: css,
    flex: css,
    flexFlow: css,
    gridArea: css,
    gridAutoColumns: css,
    gridAutoFlow: css,
    gridAutoRows: css,
    gridColumn: css,
    gridGap: css,
    gridRow: css,
    gridTemplateAreas: css,
    gridTemplateColumns: css,
    gridTemplateRows: css,
    height: css,
    justifyContent: css,
    justifyItems: css,
    left: css,
    margin: css,
    maxHeight: css,
    maxWidth: css,
    minHeight: css,
    minWidth: css,
    objectFit: css,
    objectPosition: css,
    order: css,
    overflow: css,
    padding: css,
    right: css,
    top: css,
    visibility: css,
    width: css,
  },
  settle(next, given) {
    const sides = Object.fromEntries(SIDES.map((side) => [side, given[side] ?? given.border ?? next[side]]));
    if (given.border === null) for (const side of SIDES) sides[side] = given[side] ?? null;
    const all = { ...next, ...sides };
    const [first] = SIDES;
    return { ...all, border: SIDES.every((side) => all[side] === all[first]) ? all[first] : null };
  },
}) {}

/** The layout as the inside of a `style` attribute, not yet escaped. */
export function layoutCss(layout: Layout): string {
  return Object.entries(stateOf(layout))
    .filter(([name, value]) => name !== "border" && typeof value === "string")
    .map(([name, value]) => `${name.replace(/[A-Z]/g, (upper) => `-${upper.toLowerCase()}`)}:${value};`)
    .join("");
}
