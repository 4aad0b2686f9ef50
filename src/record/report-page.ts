import { escapeHtml } from "../kernel/mime-bundle";
import { plotlyLoader, scriptJson } from "../plot/figure-html";
import { type ReportBody, reportBody } from "./report-body";
import { type RunReport, runReport } from "./run-report";
import type { RunFacts } from "./run-tally";

export interface PageOptions {
  /** Where the page asks for its content anew while the run goes on; without it, it stays what it is. */
  readonly refreshFrom?: string;
  /** HTML above the report, such as a way back. */
  readonly above?: string;
}

/** A run's report as one HTML page that needs nothing else: neither a network nor another file. */
export function reportPage(facts: RunFacts, options: PageOptions = {}): string {
  const report = runReport(facts);
  const body = reportBody(report);
  return page({
    title: body.title,
    main: body.html,
    above: options.above ?? "",
    scripts: [
      `window.pomonaReport = ${scriptJson({ charts: body.charts, state: report.state, refreshFrom: options.refreshFrom ?? null })};`,
      DRAW,
      plotlyLoader(),
    ],
  });
}

/** What a page asks for to refresh itself. */
export function reportUpdate(report: RunReport): ReportBody & Pick<RunReport, "state"> {
  return { ...reportBody(report), state: report.state };
}

export function page(parts: {
  readonly title: string;
  readonly main: string;
  readonly above?: string;
  readonly scripts?: readonly string[];
}): string {
  const scripts = (parts.scripts ?? []).map((code) => `<script>${code}</script>`).join("\n");
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">
<title>${escapeHtml(parts.title)}</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body>${parts.above ?? ""}<main>${parts.main}</main>
${scripts}
</body></html>
`;
}

/** Draws the charts in the colours of the page, again where those change, and refreshes what it shows while the run goes on. */
const DRAW = `(function () {
  var report = window.pomonaReport;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  var plotly;
  function colours() {
    var style = getComputedStyle(document.documentElement);
    return { text: style.getPropertyValue("--text").trim(), soft: style.getPropertyValue("--soft").trim(), grid: style.getPropertyValue("--grid").trim(), panel: style.getPropertyValue("--panel").trim() };
  }
  function draw() {
    if (!plotly) return;
    var now = colours();
    report.charts.forEach(function (chart) {
      var place = document.getElementById(chart.id);
      if (!place) return;
      var layout = JSON.parse(JSON.stringify(chart.layout));
      layout.font.color = now.text;
      layout.modebar.color = now.grid;
      layout.modebar.activecolor = now.soft;
      layout.hoverlabel = { bgcolor: now.panel, bordercolor: now.grid, font: { color: now.text }, align: "left" };
      ["xaxis", "yaxis", "yaxis2", "yaxis3"].forEach(function (name) {
        if (layout[name]) { layout[name].gridcolor = now.grid; layout[name].linecolor = now.grid; }
      });
      if (!place.dataset.drawn) place.replaceChildren();
      place.dataset.drawn = "true";
      plotly.react(place, chart.data, layout, { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"] });
    });
  }
  /** Puts new content in, with the charts' elements of before, so that what was zoomed into stays. */
  function update(body) {
    report.charts = body.charts;
    report.state = body.state;
    var main = document.querySelector("main");
    var fresh = document.createElement("main");
    fresh.innerHTML = body.html;
    fresh.querySelectorAll(".chart").forEach(function (place) {
      var before = document.getElementById(place.id);
      if (!before) return;
      before.style.minHeight = place.style.minHeight;
      before.setAttribute("aria-label", place.getAttribute("aria-label"));
      place.replaceWith(before);
    });
    main.replaceWith(fresh);
    draw();
  }
  var tag = "";
  function refresh() {
    var began = performance.now();
    fetch(report.refreshFrom, { cache: "no-store", headers: { "If-None-Match": tag } }).then(function (answer) {
      if (answer.status === 304) return undefined;
      if (!answer.ok) throw new Error(answer.status + " " + answer.statusText);
      tag = answer.headers.get("ETag") || "";
      return answer.json();
    }).then(function (body) {
      document.body.classList.remove("cut-off");
      if (body) update(body);
    }).catch(function (error) {
      document.body.classList.add("cut-off");
      console.warn("The run's page could not be refreshed:", error);
    }).finally(function () {
      // A long run takes longer to put together: it is asked for less often.
      var pause = Math.max(2000, 10 * (performance.now() - began));
      if (report.state !== "ended" && report.state !== "broken off") setTimeout(refresh, pause);
    });
  }
  var shared = window.pomonaPlotly;
  if (!shared) {
    shared = window.pomonaPlotly = {};
    shared.ready = new Promise(function (resolve) { shared.resolve = resolve; });
  }
  shared.ready.then(function (found) { plotly = found; draw(); });
  dark.addEventListener("change", draw);
  if (report.refreshFrom && report.state !== "ended" && report.state !== "broken off") setTimeout(refresh, 1000);
})();`;

const STYLE = `
:root { --page: #f6f7f9; --panel: #ffffff; --text: #1c2430; --soft: #5d6878; --line: #e1e5eb; --grid: #e1e5eb; --accent: #2f6fdc; --good: #2c8a5d; --warn: #a85f00; --bad: #c62f35; --warn-back: #fff4e0; --bad-back: #fdeaea; --info-back: #eaf1fd; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171c; --panel: #1d2127; --text: #e3e7ed; --soft: #99a3b1; --line: #2f353e; --grid: #333a44; --accent: #7aa9f8; --good: #5cc494; --warn: #efb056; --bad: #f2777b; --warn-back: #35290f; --bad-back: #3b1d20; --info-back: #1b2a42; }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 3.2rem; }
body { margin: 0; background: var(--page); color: var(--text); font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 20px 20px 60px; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
h1 { font-size: 24px; margin: 6px 0 2px; display: flex; align-items: center; gap: 12px; flex-wrap: wrap; }
h2 { font-size: 16px; margin: 0 0 10px; } h3 { font-size: 13px; margin: 18px 0 6px; color: var(--soft); }
.sub { margin: 0 0 14px; color: var(--soft); overflow-wrap: anywhere; }
.badge { font-size: 12px; font-weight: 600; padding: 2px 10px; border-radius: 10px; background: var(--info-back); color: var(--accent); }
.badge.broken-off { background: var(--bad-back); color: var(--bad); } .badge.unknown { background: var(--warn-back); color: var(--warn); }
.badge.running::before { content: "● "; }
.tiles { display: grid; grid-template-columns: repeat(9, minmax(0, 1fr)); gap: 10px; }
@media (max-width: 1079px) { .tiles { grid-template-columns: repeat(5, minmax(0, 1fr)); } }
@media (max-width: 599px) { .tiles { grid-template-columns: repeat(3, minmax(0, 1fr)); } }
.tile, section { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; }
.tile { padding: 9px 9px; color: var(--soft); font-size: 12px; }
.tile b { display: block; font-size: 17px; color: var(--text); font-variant-numeric: tabular-nums; white-space: nowrap; }
.tile.warn b { color: var(--warn); } .tile.error b { color: var(--bad); }
nav { position: sticky; top: 0; z-index: 5; background: var(--page); padding: 10px 0; margin: 6px 0; display: flex; gap: 4px 18px; flex-wrap: wrap; font-size: 13px; }
section { padding: 14px 18px 16px; margin-bottom: 14px; }
.findings { margin: 0; padding: 0; list-style: none; } .findings li { padding: 6px 10px; margin-top: 6px; border-radius: 5px; background: var(--info-back); overflow-wrap: anywhere; }
.findings .warn { background: var(--warn-back); color: var(--warn); } .findings .error { background: var(--bad-back); color: var(--bad); }
.note { color: var(--soft); font-size: 12px; margin: 6px 0 0; }
.chart { width: 100%; margin-bottom: 8px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th { text-align: left; color: var(--soft); font-weight: 600; font-size: 12px; white-space: nowrap; }
th, td { padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: none; }
td { white-space: nowrap; } td.long { white-space: normal; overflow-wrap: anywhere; min-width: 14em; } td.text { white-space: pre-wrap; } td.master { white-space: normal; overflow-wrap: anywhere; min-width: 8em; }
.number { text-align: right; font-variant-numeric: tabular-nums; padding-left: 10px; }
th.number { text-align: right; } .number + :not(.number) { padding-left: 8px; }
td.warn { color: var(--warn); font-weight: 600; }
tr.job td { font-weight: 600; } .stage { padding-left: 16px; } .why { font-weight: 400; color: var(--bad); white-space: pre-wrap; }
tr.warn td { color: var(--warn); } tr.error td { color: var(--bad); } .times { color: var(--soft); }
.status { font-weight: 400; color: var(--soft); } .status.succeeded { color: var(--good); } .status.failed, .status.lost, .status.broken-off { color: var(--bad); } .status.no-end { color: var(--warn); } .status.running { color: var(--accent); }
summary { cursor: pointer; color: var(--soft); font-size: 12px; margin-bottom: 6px; }
.top { max-width: 1180px; margin: 0 auto; padding: 12px 20px 0; font-size: 13px; }
.cut-off main::before { content: "No answer from pomona history serve: this is the state of before."; display: block; padding: 8px 12px; margin-bottom: 10px; border-radius: 6px; background: var(--warn-back); color: var(--warn); }
@media print { nav, .top { display: none; } section { break-inside: avoid; } }
`;
