import type { Json } from "../data/batch-function";
import { kernelHost } from "../kernel/kernel-host";
import { type Displayable, JUPYTER_DISPLAY, type MimeBundle } from "../kernel/mime-bundle";
import { figureFragment, figurePage } from "./figure-html";
import type { FigureSpec, Layout, Trace } from "./figure-spec";

/** A Plotly figure. Ending a notebook cell with it, or passing it to `display`, shows it. */
export interface Figure extends Required<FigureSpec>, Displayable {
  /** The figure as a whole HTML page that needs no network, with Plotly inside (2 MB). */
  toHtml(): string;
}

/** The mime type that JupyterLab's Plotly extension draws. */
export const PLOTLY_MIME = "application/vnd.plotly.v1+json";

/**
 * A figure from Plotly's JSON. In JupyterLab the extension that comes with the pip package `plotly` draws it, in trusted
 * and untrusted notebooks; in an HTML export Plotly's script does, which the first figure of a notebook carries; where
 * no script runs, a static drawing stands in its place.
 */
export function figure(spec: FigureSpec): Figure {
  const { summary } = spec;
  const data = spec.data.map((trace) => withTitles(trace as Json) as unknown as Trace);
  const layout = withTitles(spec.layout as Json) as unknown as Layout;
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

/** The figure that carries Plotly's script for all others of the notebook. */
interface Carrier {
  /** The cell that showed it, and the request by which it ran; undefined outside of a notebook and for a widget's callback. */
  readonly cell: string | undefined;
  readonly run: string | undefined;
  readonly displayId: string | undefined;
  /** Its kinds and title, which tell it apart where nothing else does. */
  readonly look: string;
}

let carrier: Carrier | undefined;
let showing: string | undefined;

/** Makes the bundle of a value that is shown under a `display_id`, or takes the place of what was. */
export function underDisplayId<T>(displayId: string | undefined, make: () => T): T {
  const before = showing;
  showing = displayId;
  try {
    return make();
  } finally {
    showing = before;
  }
}

/** The outputs of the cell that runs are gone: where one of them carried the script, the cell's next figure does. */
export function forgetCleared(): void {
  if (carrier && carrier.run === kernelHost()?.parentId) carrier = { ...carrier, run: undefined };
}

/** One figure carries the script for all, and what takes its place: that of its cell run again, that of its `display_id`. */
function carriesLibrary({ data, layout }: Required<FigureSpec>): boolean {
  const host = kernelHost();
  const { cellKey: cell, parentId: run } = host ?? {};
  const look = JSON.stringify([data.map((trace) => trace.type), layout.title ?? null]);
  const takesPlace = (of: Carrier) => {
    if (showing !== undefined && showing === of.displayId) return true;
    return cell === undefined ? look === of.look : cell === of.cell && run !== of.run;
  };
  if (carrier && !takesPlace(carrier)) return false;
  carrier = { cell: cell ?? carrier?.cell, run: cell === undefined ? carrier?.run : run, displayId: showing, look };
  return true;
}

/** Plotly's titles were texts until its version 3, which shows none of those: `title: "x"` is `title: { text: "x" }`. */
function withTitles<T extends Json | undefined>(value: T): T {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const parts = Object.entries(value).map(([name, part]) => [
    name,
    name === "title" && typeof part === "string" ? { text: part } : withTitles(part),
  ]);
  return Object.fromEntries(parts) as T;
}
