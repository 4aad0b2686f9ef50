import { escapeHtml } from "../kernel/mime-bundle";
import type { DescriptionState } from "./dom";
import { layoutCss } from "./layout";
import type {
  BoxState,
  ButtonState,
  CheckboxState,
  DropdownState,
  HTMLState,
  LabelState,
  OutputState,
  PagesState,
  ProgressState,
  SliderState,
  TextState,
} from "./states";
import type { DescriptionStyle } from "./styles";
import type { Widget } from "./widget";

/**
 * Still pictures of widgets, for a page without widgets: inline styles alone, with colours that stand out on white and on
 * black, no scripts.
 */

/** JupyterLab's colours for what goes well, badly, and in between. */
const COLOURS: Readonly<Record<string, string>> = {
  "": "#2196f3",
  primary: "#2196f3",
  info: "#00bcd4",
  success: "#43a047",
  warning: "#fb8c00",
  danger: "#e53935",
};
const GREY = "rgba(128,128,128,0.3)";
const FRAME = "border:1px solid rgba(128,128,128,0.6);border-radius:2px;padding:1px 8px";

export function progressPicture(state: ProgressState): string {
  const colour = state.style.barColor ?? COLOURS[state.barStyle];
  const bar = element("div", `width:${percent(state)}%;height:100%;background:${colour}`, "");
  return described(state, element("div", `width:200px;height:16px;background:${GREY}`, bar));
}

export function sliderPicture(state: SliderState): string {
  const at = percent(state);
  const handle = `position:absolute;left:${at}%;top:-6px;width:14px;height:14px;margin-left:-7px;border-radius:50%`;
  const colour = state.style.handleColor ?? COLOURS[""];
  const track = element(
    "div",
    `position:relative;width:160px;height:4px;margin:0 10px;border-radius:2px;background:${GREY}`,
    element("div", `${handle};background:${colour}`, ""),
  );
  return described(state, track + (state.readout ? element("span", "", escapeHtml(String(state.value))) : ""));
}

export function htmlPicture(state: HTMLState): string {
  const { background, fontSize, textColor } = state.style;
  const css = styles({ background, "font-size": fontSize, color: textColor });
  return described(state, element("div", css, withoutScripts(state.value)));
}

export function labelPicture(state: LabelState): string {
  const { background, fontSize, textColor, fontWeight, fontStyle } = state.style;
  const css = styles({
    background,
    "font-size": fontSize,
    color: textColor,
    "font-weight": fontWeight,
    "font-style": fontStyle,
  });
  return described(state, element("span", css, escapeHtml(state.value)));
}

export function textPicture(state: TextState): string {
  const shown =
    state.value === "" ? element("span", "opacity:0.5", escapeHtml(state.placeholder)) : escapeHtml(state.value);
  return described(state, element("span", `${FRAME};min-width:120px;display:inline-block`, shown));
}

export function checkboxPicture(state: CheckboxState): string {
  const box = `${state.value ? "☑" : "☐"} ${label(state)}`;
  return element("div", `${state.indent ? "padding-left:90px;" : ""}${layoutCss(state.layout)}`, box);
}

export function buttonPicture(state: ButtonState): string {
  const { buttonColor, textColor, fontWeight } = state.style;
  const background = buttonColor ?? (state.buttonStyle === "" ? GREY : COLOURS[state.buttonStyle]);
  const css = styles({ background, color: textColor, "font-weight": fontWeight });
  const faint = state.disabled ? "opacity:0.5;" : "";
  return element(
    "div",
    `display:inline-block;padding:4px 16px;border-radius:2px;${faint}${css}${layoutCss(state.layout)}`,
    escapeHtml(state.description),
  );
}

export function dropdownPicture(state: DropdownState<unknown>): string {
  const chosen = element("span", `${FRAME};min-width:120px;display:inline-block`, `${escapeHtml(state.label ?? "")} ▾`);
  return described(state, chosen);
}

export function boxPicture(state: BoxState, direction: "row" | "column"): string {
  const css = `display:flex;flex-direction:${direction};${direction === "row" ? "align-items:center;" : ""}gap:4px`;
  return element("div", `${css};${layoutCss(state.layout)}`, state.children.map(picture).join(""));
}

export function pagesPicture(state: PagesState): string {
  const pages = state.children.map((child, i) => {
    const isShown = i === state.selectedIndex;
    const title = element(
      "div",
      isShown ? "font-weight:bold" : "opacity:0.7",
      escapeHtml(state.titles[i] || `${i + 1}`),
    );
    return title + (isShown ? element("div", "padding:4px 12px", picture(child)) : "");
  });
  return element("div", `${FRAME};${layoutCss(state.layout)}`, pages.join(""));
}

export function outputPicture(state: Pick<OutputState, "layout" | "outputs">): string {
  return element("div", layoutCss(state.layout), state.outputs.map(outputHtml).join(""));
}

function outputHtml(output: OutputState["outputs"][number]): string {
  const pre = (text: unknown) => element("pre", "margin:0", escapeHtml(joined(text)));
  switch (output.output_type) {
    case "stream":
      return pre(output.text);
    case "error":
      return pre(`${output.ename}: ${output.evalue}`);
    default: {
      const data = (output.data ?? {}) as Readonly<Record<string, unknown>>;
      const html = data["text/html"];
      return html === undefined ? pre(data["text/plain"]) : element("div", "", withoutScripts(joined(html)));
    }
  }
}

/** In a notebook file, a text may be an array of lines. */
function joined(text: unknown): string {
  return Array.isArray(text) ? text.join("") : String(text ?? "");
}

function picture(widget: Widget): string {
  return widget.toHtml();
}

function percent({ value, min, max }: { value: number; min: number; max: number }): number {
  return max > min ? Math.round(((value - min) / (max - min)) * 1000) / 10 : 0;
}

function described(state: DescriptionState<DescriptionStyle>, inner: string): string {
  const width = state.style.descriptionWidth || "80px";
  const before = element("span", `min-width:${width};margin-right:8px;text-align:right`, label(state));
  const css = `display:flex;align-items:center;min-height:28px;${layoutCss(state.layout)}`;
  return element("div", css, `${state.description === "" ? "" : before}${inner}`);
}

function label(state: Pick<DescriptionState<DescriptionStyle>, "description" | "descriptionAllowHtml">): string {
  return state.descriptionAllowHtml ? withoutScripts(state.description) : escapeHtml(state.description);
}

function styles(css: Readonly<Record<string, string | null | undefined>>): string {
  return Object.entries(css)
    .map(([name, value]) => (value ? `${name}:${value};` : ""))
    .join("");
}

function element(name: string, css: string, inner: string): string {
  return `<${name}${css === "" ? "" : ` style="${escapeHtml(css)}"`}>${inner}</${name}>`;
}

/** As in the front end, where scripts inside a widget's HTML do not run. */
function withoutScripts(html: string): string {
  return html
    .replace(/<script\b[\s\S]*?(?:<\/script\s*>|$)/gi, "")
    .replace(/\son\w+\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)/gi, "");
}
