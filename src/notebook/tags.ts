import { type Displayable, escapeHtml, JUPYTER_DISPLAY, type MimeBundle } from "../kernel/mime-bundle";

/** Text of a markup language that a notebook shows as such; in a string it is its own source. */
export interface Markup extends Displayable {
  readonly source: string;
  toString(): string;
}

/** A template's parts, or a text that is markup already. */
type Source = TemplateStringsArray | string;

/**
 * HTML for a notebook: html`<b>${name}</b>`. What is put in is escaped, but for other `html` and `svg` values; arrays are
 * joined. A text that is HTML already, such as a chart library's, goes in as it is by html(text). It shows nothing by itself:
 * end a cell with it, or `display` it.
 */
export function html(parts: Source, ...values: readonly unknown[]): Markup {
  return markup("text/html", typeof parts === "string" ? parts : joined(parts, values, htmlOf));
}

/**
 * An SVG picture for a notebook: svg`<svg ...>...</svg>`, or svg(text) of a picture that is there already. What is put in is
 * escaped as in {@link html}.
 */
export function svg(parts: Source, ...values: readonly unknown[]): Markup {
  return markup("image/svg+xml", typeof parts === "string" ? parts : joined(parts, values, htmlOf));
}

/**
 * Markdown for a notebook: markdown`# ${title}`, or markdown(text). Values go in as they are; indentation that all lines share
 * is removed.
 */
export function markdown(parts: Source, ...values: readonly unknown[]): Markup {
  return markup("text/markdown", joined(dedented(typeof parts === "string" ? [parts] : parts), values, String));
}

/** Short for {@link markdown}. */
export const md = markdown;

class MarkupText implements Markup {
  constructor(
    readonly type: string,
    readonly source: string,
  ) {}

  [JUPYTER_DISPLAY](): MimeBundle {
    return { [this.type]: this.source, "text/plain": this.source };
  }

  toString(): string {
    return this.source;
  }
}

function markup(type: string, source: string): Markup {
  return new MarkupText(type, source);
}

function joined(parts: readonly string[], values: readonly unknown[], text: (value: unknown) => string): string {
  return parts.map((part, i) => (i === 0 ? part : text(values[i - 1]) + part)).join("");
}

function htmlOf(value: unknown): string {
  if (value instanceof MarkupText && value.type !== "text/markdown") return value.source;
  if (Array.isArray(value)) return value.map(htmlOf).join("");
  return value === null || value === undefined || value === false ? "" : escapeHtml(String(value));
}

/** Indented Markdown is a block of code, and a template in a function is indented. */
function dedented(parts: readonly string[]): string[] {
  const indents = parts
    .flatMap((part, i) =>
      part
        .split("\n")
        .slice(1)
        .filter((line, j, lines) => line.trim() !== "" || (j === lines.length - 1 && i < parts.length - 1)),
    )
    .map((line) => /^[ \t]*/.exec(line)?.[0].length ?? 0);
  const least = indents.length > 0 ? Math.min(...indents) : 0;
  const cut = new RegExp(`\\n[ \\t]{1,${Math.max(1, least)}}`, "g");
  const trimmed = least > 0 ? parts.map((part) => part.replace(cut, "\n")) : [...parts];
  if (trimmed[0]?.startsWith("\n")) trimmed[0] = trimmed[0].slice(1);
  return trimmed;
}
