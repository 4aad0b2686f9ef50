import { randomUUID } from "node:crypto";
import { escapeHtml } from "../kernel/mime-bundle";
import type { FigureSpec } from "./figure-spec";
import { packedPlotly } from "./plotly-library";
import { staticSvg } from "./static-svg";

/**
 * A figure as HTML to stand among others on one page: a static drawing, which a script replaces once Plotly is there.
 * @param withLibrary put Plotly's script in as well; one figure on a page must have it, the first or any other
 */
export function figureFragment(figure: Required<FigureSpec>, withLibrary: boolean): string {
  const id = `pomona-figure-${randomUUID()}`;
  const height = typeof figure.layout.height === "number" ? figure.layout.height : 450;
  const picture = Buffer.from(staticSvg(figure)).toString("base64");
  const parts = [
    `<div id="${id}" style="width: 100%; min-height: ${height}px; background: white">`,
    `<img alt="${escapeHtml(figure.summary)}" src="data:image/svg+xml;base64,${picture}" style="max-width: 100%"></div>`,
    script(drawWhenReady(id, figure)),
    withLibrary ? script(plotlyLoader()) : "",
  ];
  return parts.join("\n");
}

/** A figure as a page of its own. */
export function figurePage(figure: Required<FigureSpec>): string {
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(figure.summary)}</title></head>
<body>${figureFragment(figure, true)}</body></html>
`;
}

/**
 * `window.pomonaPlotly` is a promise of Plotly that all figures of a page share, whichever comes first and whichever
 * brings the script. A Plotly that the page has already is taken as it is.
 */
const SHARED_PLOTLY = `
  var shared = window.pomonaPlotly;
  if (!shared) {
    shared = window.pomonaPlotly = {};
    shared.ready = new Promise(function (resolve) { shared.resolve = resolve; });
    if (window.Plotly) shared.resolve(window.Plotly);
  }`;

function drawWhenReady(id: string, { data, layout, config }: Required<FigureSpec>): string {
  return `(function () {${SHARED_PLOTLY}
  shared.ready.then(function (Plotly) {
    var place = document.getElementById("${id}");
    if (!place || place.dataset.drawn) return;
    place.dataset.drawn = "true";
    place.replaceChildren();
    var figure = ${scriptJson({ data, layout, config })};
    return Plotly.newPlot(place, figure.data, figure.layout, figure.config);
  }).catch(function (error) { console.error("Pomona could not draw a figure:", error); });
})();`;
}

/** A script that brings Plotly to a page, and resolves `window.pomonaPlotly.ready` with it. */
export function plotlyLoader(): string {
  return `(function () {${SHARED_PLOTLY}
  if (shared.loading || window.Plotly) return;
  shared.loading = true;
  var bytes = Uint8Array.from(atob("${packedPlotly()}"), function (char) { return char.charCodeAt(0); });
  var text = new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  text.then(function (code) {
    var element = document.createElement("script");
    element.textContent = code;
    document.head.appendChild(element);
    shared.resolve(window.Plotly);
  }).catch(function (error) { console.error("Pomona could not load Plotly:", error); });
})();`;
}

function script(code: string): string {
  return `<script>${code}</script>`;
}

/** JSON that cannot end the script element it stands in. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(/</g, "\\u003c");
}
