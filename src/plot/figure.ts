import { type Displayable, JUPYTER_DISPLAY, type MimeBundle } from "../kernel/mime-bundle";
import { figureFragment, figurePage } from "./figure-html";
import type { FigureSpec } from "./figure-spec";

/** A Plotly figure. Ending a notebook cell with it, or passing it to `display`, shows it. */
export interface Figure extends Required<FigureSpec>, Displayable {
  /** The figure as a whole HTML page that needs no network, with Plotly inside (2 MB). */
  toHtml(): string;
}

/** The mime type that JupyterLab's Plotly extension draws. */
export const PLOTLY_MIME = "application/vnd.plotly.v1+json";

/**
 * A figure from Plotly's JSON. In JupyterLab the extension that comes with the pip package `plotly` draws it, in trusted
 * and untrusted notebooks; in an HTML export Plotly's script does, which the first figure of the process carries; where
 * no script runs, a static drawing stands in its place.
 */
export function figure(spec: FigureSpec): Figure {
  const { data, layout, summary } = spec;
  const config = spec.config ?? { displaylogo: false, responsive: true };
  const whole = { data, layout, config, summary };
  return {
    ...whole,
    toHtml: () => figurePage(whole),
    [JUPYTER_DISPLAY]: (): MimeBundle => ({
      [PLOTLY_MIME]: { data, layout, config },
      "text/html": figureFragment(whole, carriesLibrary(whole)),
      "text/plain": summary,
    }),
  };
}

/** The figures that have carried Plotly's script into this process's notebook, by what tells them apart. */
const carriers = new Set<string>();

/**
 * One figure carries the script for all. A cell that is run again replaces its output, so the figure that carried it
 * once, known by its kind and title, carries it every time.
 */
function carriesLibrary({ data, layout }: Required<FigureSpec>): boolean {
  const key = JSON.stringify([data.map((trace) => trace.type), layout.title ?? null]);
  if (carriers.size > 0) return carriers.has(key);
  carriers.add(key);
  return true;
}
