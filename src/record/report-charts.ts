import type { Layout, Trace } from "../plot";
import { bytesText, countText, durationText, shortDurationText } from "../showing/quantities";
import type { StageRecord } from "./jobs";
import { clockText } from "./report-text";
import { type RunReport, type RunState, type StageReport, statusIn } from "./run-report";
import type { Bar } from "./timeline";

/** A chart of a report. Its colours that depend on light and dark are set by the page. */
export interface Chart {
  /** Of the element that it stands in. */
  readonly id: string;
  readonly height: number;
  readonly data: readonly Trace[];
  readonly layout: Layout;
  /** For readers who do not see it. */
  readonly summary: string;
}

/** Told apart on white and on black, also by those who see no red and green; red and grey mean something else here. */
const STAGE_COLOURS = ["#4c8bf5", "#f2a33a", "#3aa981", "#a97ee0", "#3db7c9", "#c9b037", "#b07a5e", "#e58bb0"];
const FAILED = "#e5484d";
const LOST = "#8f1d3f";
const CANCELLED = "#8b929c";

/** Space for one worker's bar. */
const WORKER_PIXELS = 24;

/** Stages that the chart of durations has; the longest ones. */
const MOST_BOXES = 30;

/** More lines for pauses than these only hide the rest. */
const MOST_PAUSES = 40;

export function chartsOf(report: RunReport): Chart[] {
  return [timelineChart(report), ratesChart(report), ...durationsChart(report)];
}

function timelineChart(report: RunReport): Chart {
  const { timeline, clock } = report;
  const colours = stageColours(report);
  const groups = new Map<string, { colour: string; bars: Bar[] }>();
  for (const bar of timeline.bars) {
    const [name, colour] = kindOf(bar, colours);
    const group = groups.get(name);
    if (group) group.bars.push(bar);
    else groups.set(name, { colour, bars: [bar] });
  }
  // Stages in their order; what went wrong stands above what it interrupted.
  const places = new Map([...colours.keys()].map((stage, i) => [stage, i]));
  const orderOf = ([first]: readonly Bar[]) =>
    first === undefined || isTrouble(first) ? Number.POSITIVE_INFINITY : (places.get(first.stage) ?? 0);
  const inOrder = [...groups]
    .map(([name, group]) => ({ name, ...group, order: orderOf(group.bars) }))
    .sort((a, b) => (a.order === b.order ? 0 : a.order - b.order));
  const traces = inOrder.map(
    ({ name, colour, bars }): Trace => ({
      type: "bar",
      orientation: "h",
      name: name.length > 40 ? `${name.slice(0, 39)}…` : name,
      y: bars.map(({ worker }) => worker),
      base: bars.map(({ from }) => rounded(from)),
      x: bars.map(({ seconds }) => rounded(Math.max(seconds, clock.seconds / 2_000))),
      customdata: bars.map((bar) => barText(bar, report.state)),
      hovertemplate: "%{customdata}<extra></extra>",
      marker: { color: colour, line: { width: 0 } },
    }),
  );
  const { losses } = timeline;
  if (losses.length > 0) {
    traces.push({
      type: "scatter",
      mode: "markers",
      name: "worker lost",
      x: losses.map(({ time }) => rounded(clock.at(time))),
      y: losses.map(({ worker }) => worker),
      customdata: losses.map(({ time, worker, error }) => hover(`${worker} was lost at ${clockText(time)}`, error)),
      hovertemplate: "%{customdata}<extra></extra>",
      marker: { color: FAILED, symbol: "x", size: 11, line: { width: 1, color: "#ffffff" } },
    });
  }
  const rows = Math.max(1, timeline.workers.length);
  return {
    id: "timeline",
    height: 110 + rows * WORKER_PIXELS,
    data: traces,
    layout: {
      ...overTime(report),
      barmode: "overlay",
      bargap: 0.25,
      height: 110 + rows * WORKER_PIXELS,
      xaxis: timeAxis(report),
      yaxis: {
        ...{
          type: "category",
          categoryorder: "array",
          categoryarray: [...timeline.workers],
          range: [rows - 0.5, -0.5],
        },
        ...{ automargin: true, dtick: rows > 32 ? Math.ceil(rows / 32) : 1 },
      },
    },
    summary: `${countText(timeline.attempts)} attempts of tasks on ${countText(timeline.workers.length)} workers over ${durationText(clock.seconds)}`,
  };
}

function ratesChart(report: RunReport): Chart {
  const { rates, totals, clock } = report;
  const { binSeconds } = rates;
  const at = rates.rows.map((_, i) => rounded((i + 0.5) * binSeconds));
  const line = (
    name: string,
    values: readonly number[],
    axis: string,
    colour: string,
    hovertemplate: string,
  ): Trace => ({
    ...{ type: "scatter", mode: "lines", name, x: at, y: values.map((value) => rounded(value / binSeconds)) },
    ...{ yaxis: axis, hovertemplate, line: { color: colour, width: 1.5, shape: "hvh" }, fill: "tozeroy" },
  });
  return {
    id: "rates",
    height: 430,
    data: [
      line("rows/s", rates.rows, "y", "#4c8bf5", "%{y:,.1f} rows/s<extra></extra>"),
      line("bytes/s", rates.bytes, "y2", "#3aa981", "%{y:.3s}B/s<extra></extra>"),
      line("tasks at once", rates.taskSeconds, "y3", "#f2a33a", "%{y:.1f} tasks at once<extra></extra>"),
    ],
    layout: {
      ...overTime(report),
      ...{ height: 430, showlegend: false, hovermode: "x unified" },
      xaxis: { ...timeAxis(report), anchor: "y3" },
      yaxis: { title: { text: "rows/s" }, domain: [0.7, 1], rangemode: "tozero", automargin: true },
      yaxis2: {
        title: { text: "bytes/s" },
        domain: [0.36, 0.64],
        rangemode: "tozero",
        automargin: true,
        ...{ tickformat: "~s", ticksuffix: "B" },
      },
      yaxis3: { title: { text: "tasks" }, domain: [0, 0.3], rangemode: "tozero", automargin: true },
    },
    summary: `${countText(totals.rows)} rows and ${bytesText(totals.bytes)} over ${durationText(clock.seconds)}`,
  };
}

function durationsChart(report: RunReport): Chart[] {
  const longest = report.stages
    .filter((stage): stage is StageReport & Required<Pick<StageReport, "seconds">> => (stage.done ?? 0) > 1)
    .sort((a, b) => (b.seconds?.most ?? 0) - (a.seconds?.most ?? 0))
    .slice(0, MOST_BOXES);
  if (longest.length === 0) return [];
  const colours = stageColours(report);
  const of = (pick: "least" | "lowerQuartile" | "median" | "upperQuartile" | "most") =>
    longest.map(({ seconds }) => rounded(seconds?.[pick] ?? 0));
  const traces = longest.map(
    ({ stage, done }, i): Trace => ({
      ...{
        type: "box",
        orientation: "h",
        name: stageName(stage),
        y: [`${stageName(stage)} · ${countText(done)} tasks`],
      },
      ...{ q1: [of("lowerQuartile")[i] ?? 0], median: [of("median")[i] ?? 0], q3: [of("upperQuartile")[i] ?? 0] },
      ...{ lowerfence: [of("least")[i] ?? 0], upperfence: [of("most")[i] ?? 0], hoverinfo: "x" },
      marker: { color: colours.get(stage) ?? CANCELLED },
    }),
  );
  const height = 90 + 34 * longest.length;
  return [
    {
      id: "durations",
      height,
      data: traces,
      layout: {
        ...base(),
        ...{ height, showlegend: false },
        xaxis: { title: { text: "seconds that a task took" }, rangemode: "tozero", zeroline: false },
        yaxis: { automargin: true, autorange: "reversed" },
      },
      summary: `How long tasks took in ${longest.length} stages`,
    },
  ];
}

function isTrouble({ status }: Bar): boolean {
  return status !== "succeeded" && status !== "running";
}

/** `job 2, image.features`. */
export function stageName({ job, name }: StageRecord): string {
  return `job ${job}, ${name}`;
}

function stageColours({ stages }: RunReport): Map<StageRecord, string> {
  return new Map(stages.map(({ stage }, i) => [stage, STAGE_COLOURS[i % STAGE_COLOURS.length] as string]));
}

/** Most stages that the legend names. */
const MOST_NAMED = 12;

function kindOf({ status, stage }: Bar, colours: ReadonlyMap<StageRecord, string>): [name: string, colour: string] {
  switch (status) {
    case "failed":
      return ["failed", FAILED];
    case "lost":
      return ["lost with its worker", LOST];
    case "cancelled":
      return ["not needed any more", CANCELLED];
    case "running":
    case "succeeded": {
      const colour = colours.get(stage) ?? CANCELLED;
      const place = [...colours.keys()].indexOf(stage);
      return [place < MOST_NAMED ? stageName(stage) : `other stages ${(place % STAGE_COLOURS.length) + 1}`, colour];
    }
  }
}

function barText({ worker, stage, status, seconds, attempts, rows, first }: Bar, state: RunState): string {
  const what =
    attempts > 1
      ? `${countText(attempts)} tasks from ${first.partition} on`
      : `task ${first.partition}, attempt ${first.attempt + 1}`;
  return hover(
    `${worker} · ${statusIn(status, state)}`,
    `${what} of ${stageName(stage)}`,
    `${clockText(first.start)}, ${shortDurationText(seconds)}, ${countText(rows)} rows`,
  );
}

/** Lines for a hover text, in which Plotly reads some HTML. */
function hover(...lines: readonly string[]): string {
  const short = (text: string) => (text.length > 160 ? `${text.slice(0, 159)}…` : text);
  return lines.map((line) => short(line).replace(/&/g, "&amp;").replace(/</g, "&lt;")).join("<br>");
}

/** The same on each chart over time, so that what stands below each other was at the same time. */
function timeAxis({ clock, rates }: RunReport) {
  return {
    ...{ title: { text: secondsTitle({ clock }) }, range: [0, Math.max(clock.seconds, rates.binSeconds)] },
    zeroline: false,
  };
}

/** What charts over time share: where they begin and end, and the times in which nothing could run. */
function overTime(report: RunReport): Layout {
  const { timeline, clock, facts } = report;
  const label = Math.max(0, ...timeline.workers.map(({ length }) => length));
  const margin = { ...MARGIN, l: Math.min(280, Math.max(60, 20 + 7 * label)) };
  const none = facts.withoutWorkers.slice(0, MOST_PAUSES).map(({ start, end }) => ({
    ...{ type: "rect", layer: "below", xref: "x", yref: "paper", y0: 0, y1: 1, line: { width: 0 } },
    ...{ x0: rounded(clock.at(start)), x1: rounded(clock.at(end)), fillcolor: FAILED, opacity: 0.12 },
  }));
  return { ...base(), margin, shapes: [...pauseShapes(report), ...none] };
}

function pauseShapes({ clock }: Pick<RunReport, "clock">) {
  return clock.pauses.slice(0, MOST_PAUSES).map(({ at }) => ({
    ...{ type: "line", xref: "x", yref: "paper", x0: rounded(at), x1: rounded(at), y0: 0, y1: 1 },
    line: { width: 1, dash: "dot", color: CANCELLED },
  }));
}

function secondsTitle({ clock }: Pick<RunReport, "clock">): string {
  return clock.pauses.length > 0 ? "seconds of work (dotted: nothing ran there for a while)" : "seconds of work";
}

/** On the right there is room for the tool bar. */
const MARGIN = { l: 60, r: 48, t: 16, b: 48 };

function base(): Layout {
  return {
    margin: MARGIN,
    modebar: { orientation: "v", bgcolor: "rgba(0,0,0,0)" },
    ...{ paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" },
    font: { family: "system-ui, sans-serif", size: 12 },
    legend: { orientation: "h", y: 1, yanchor: "bottom", x: 0 },
    // What a reader has zoomed into stays while the page refreshes itself.
    uirevision: "run",
  };
}

/** Four digits after the point are a tenth of a millisecond. */
function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
