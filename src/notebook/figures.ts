import { JUPYTER_DISPLAY, type MimeBundle } from "../kernel/mime-bundle";
import { figure } from "../plot/figure";
import type { Layout, Trace } from "../plot/figure-spec";
import { isPlainObject } from "./inspection";
import { plainJson } from "./mime-data";

/** A Plotly figure as a plain object, `{ data: [...], layout: {...} }`; undefined for any other value. */
export function plotlyBundle(value: unknown): MimeBundle | undefined {
  if (!isPlainObject(value) || !Array.isArray(value.data) || !isPlainObject(value.layout)) return undefined;
  if (value.data.length === 0 || !value.data.every(isPlainObject)) return undefined;
  const data = (plainJson(value.data) as Partial<Trace>[]).map((trace) => ({ type: "scatter", ...trace }) as Trace);
  const layout = plainJson(value.layout) as Layout;
  const config = isPlainObject(value.config) ? { config: plainJson(value.config) as Layout } : {};
  return figure({ data, layout, ...config, summary: summary(data, layout) })[JUPYTER_DISPLAY]();
}

function summary(data: readonly Trace[], layout: Layout): string {
  const title = layout.title as string | { text?: unknown } | null | undefined;
  const text = typeof title === "string" ? title : title?.text;
  const kinds = [...new Set(data.map((trace) => trace.type))].join(", ");
  const traces = `${data.length} ${data.length === 1 ? "trace" : "traces"} (${kinds})`;
  return `Plotly figure${typeof text === "string" ? ` "${text}"` : ""}, ${traces}`;
}
