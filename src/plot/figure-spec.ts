import type { Json } from "../data/batch-function";

/** A Plotly trace, as JSON. @see https://plotly.com/javascript/reference/ */
export type Trace = { readonly type: string } & { readonly [key: string]: Json | undefined };

/** A Plotly layout, as JSON. @see https://plotly.com/javascript/reference/layout/ */
export type Layout = { readonly [key: string]: Json | undefined };

/** What makes a figure: Plotly's JSON, and a sentence for readers who do not see it. */
export interface FigureSpec {
  readonly data: readonly Trace[];
  readonly layout: Layout;
  /** Plotly's configuration. @default { displaylogo: false, responsive: true } */
  readonly config?: { readonly [key: string]: Json | undefined };
  /** What the figure shows, in one sentence: its alternative text, and its text in a terminal. */
  readonly summary: string;
}
