/**
 * Which form of an output an HTML copy shows, the best first. nbconvert's own order has widgets first, and loads what draws
 * them from the Internet; ours carry their picture as HTML. Widgets of other kernels, which carry none, come before text.
 * @see https://nbconvert.readthedocs.io/en/latest/config_options.html
 */
export const HTML_PRIORITY = {
  /** nbconvert's setting for HTML alone. */
  setting: "WidgetsDataTypeFilter.display_data_priority",
  types: [
    "text/html",
    "application/javascript",
    "text/markdown",
    "image/svg+xml",
    "text/vnd.mermaid",
    "text/latex",
    "image/png",
    "image/jpeg",
    "application/vnd.jupyter.widget-view+json",
    "text/plain",
  ],
} as const;
