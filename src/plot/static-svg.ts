import { escapeHtml } from "../kernel/mime-bundle";
import type { FigureSpec, Trace } from "./figure-spec";

/**
 * A still drawing of a figure, for readers where no script runs: bars, lines and points on linear axes with title, ticks
 * and legend. What Pomona's own plots use of Plotly, no more; of many points an even selection is drawn.
 */
export function staticSvg(figure: FigureSpec): string {
  const { layout } = figure;
  const traces = figure.data.map(readTrace).filter((trace) => trace.points.length > 0);
  const height = typeof layout.height === "number" ? layout.height : 450;
  const legend = layout.showlegend === false ? [] : traces.slice(0, Math.floor((height - TOP - BOTTOM) / LEGEND_LINE));
  const right = legend.length > 0 ? 190 : 20;
  const area = { left: 64, top: TOP, right: WIDTH - right, bottom: height - BOTTOM };
  const x = axis(
    layout.xaxis,
    traces.flatMap(({ points }) => points.map((p) => p.x)),
    area.left,
    area.right,
  );
  const withZero = traces.some((trace) => trace.kind === "bar") ? [0] : [];
  const ys = [...traces.flatMap(({ points }) => points.map((p) => p.y)), ...withZero];
  const y = axis(layout.yaxis, ys, area.bottom, area.top);
  const title = titleOf(layout);

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12" fill="#2a3f5f">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="${area.left}" y="32" font-size="17">${escapeHtml(title)}</text>
${x.ticks.map((t) => `<text x="${x.at(t)}" y="${area.bottom + 18}" text-anchor="middle">${x.label(t)}</text>`).join("")}
${y.ticks.map((t) => `<path d="M${area.left} ${num(y.at(t))}H${area.right}" stroke="#e5e9f0"/><text x="${area.left - 8}" y="${num(y.at(t) + 4)}" text-anchor="end">${y.label(t)}</text>`).join("")}
<path d="M${area.left} ${area.top}V${area.bottom}H${area.right}" fill="none" stroke="#8a94a6"/>
<text x="${(area.left + area.right) / 2}" y="${height - 12}" text-anchor="middle">${escapeHtml(titleOf(layout.xaxis))}</text>
<text transform="translate(16 ${(area.top + area.bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(titleOf(layout.yaxis))}</text>
${traces.map((trace) => drawTrace(trace, x.at, y.at)).join("\n")}
${legend.map((trace, i) => legendEntry(trace, area.right + 16, area.top + 8 + i * LEGEND_LINE)).join("")}
${legend.length < traces.length && legend.length > 0 ? `<text x="${area.right + 16}" y="${area.bottom + 12}">and ${traces.length - legend.length} more</text>` : ""}
</svg>`;
}

const WIDTH = 860;
const TOP = 52;
const BOTTOM = 56;
const LEGEND_LINE = 16;

/** More points than this make the drawing heavier than it is worth. */
const MOST_POINTS = 3_000;

interface Point {
  readonly x: number;
  readonly y: number;
}

interface StaticTrace {
  readonly kind: "bar" | "line" | "points";
  readonly name: string;
  readonly points: readonly Point[];
  readonly colour: string;
  readonly dashed: boolean;
}

function readTrace(trace: Trace): StaticTrace {
  const [xs, ys] = [numbers(trace.x), numbers(trace.y)];
  const points = xs.map((x, i) => ({ x, y: ys[i] ?? Number.NaN }));
  const mode = typeof trace.mode === "string" ? trace.mode : "markers";
  const kind = trace.type === "bar" ? "bar" : mode.includes("lines") ? "line" : "points";
  return {
    kind,
    name: plain(typeof trace.name === "string" ? trace.name : ""),
    points: points.filter((p) => Number.isFinite(p.x) && Number.isFinite(p.y)),
    colour: stringAt(kind === "line" ? trace.line : trace.marker, "color") ?? "#1f77b4",
    dashed: stringAt(trace.line, "dash") !== undefined,
  };
}

function drawTrace(trace: StaticTrace, x: (v: number) => number, y: (v: number) => number): string {
  const { points, colour, kind } = trace;
  switch (kind) {
    case "bar": {
      const width = points.length > 1 ? Math.max(1, (x(points[1]!.x) - x(points[0]!.x)) * 0.85) : 40;
      return points
        .map(
          (p) =>
            `<rect x="${num(x(p.x) - width / 2)}" y="${num(y(p.y))}" width="${num(width)}" height="${num(y(0) - y(p.y))}" fill="${colour}"/>`,
        )
        .join("");
    }
    case "line": {
      const path = points.map((p) => `${num(x(p.x))} ${num(y(p.y))}`).join("L");
      return `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="1.8"${trace.dashed ? ' stroke-dasharray="6 4"' : ""}/>`;
    }
    case "points": {
      const step = Math.ceil(points.length / MOST_POINTS);
      const radius = points.length === 1 ? 6 : 3;
      return points
        .filter((_, i) => i % step === 0)
        .map(
          (p) => `<circle cx="${num(x(p.x))}" cy="${num(y(p.y))}" r="${radius}" fill="${colour}" fill-opacity="0.8"/>`,
        )
        .join("");
    }
  }
}

function legendEntry({ name, colour }: StaticTrace, x: number, y: number): string {
  const short = name.length > 24 ? `${name.slice(0, 23)}…` : name;
  return `<rect x="${x}" y="${y - 4}" width="9" height="9" fill="${colour}"/><text x="${x + 15}" y="${y + 4}" font-size="11">${escapeHtml(short)}</text>`;
}

interface Axis {
  at(value: number): number;
  label(tick: number): string;
  readonly ticks: readonly number[];
}

function axis(layout: unknown, values: readonly number[], start: number, end: number): Axis {
  const given = numbers(member(layout, "range"));
  let low = given[0] ?? values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  let high = given[1] ?? values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(low) || !Number.isFinite(high)) [low, high] = [0, 1];
  if (given.length < 2) {
    const margin = (high - low || Math.abs(high) || 1) * 0.05;
    [low, high] = [low - margin, high + margin];
  }
  const inPercent = stringAt(layout, "tickformat")?.endsWith("%") ?? false;
  const ticks = niceTicks(low, high);
  return {
    ticks,
    at: (value) => start + ((value - low) / (high - low)) * (end - start),
    label: (tick) => (inPercent ? `${Math.round(tick * 100)}%` : String(Number(tick.toPrecision(6)))),
  };
}

/** About six ticks at 1, 2 or 5 times a power of ten. */
function niceTicks(low: number, high: number): number[] {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((m) => m * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => (first + i) * step);
}

function titleOf(layout: unknown): string {
  return plain(stringAt(member(layout, "title"), "text") ?? "");
}

/** Plotly's text without its markup. */
function plain(text: string): string {
  const entities: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&#123;": "{" };
  return text.replace(/<[^>]*>/g, " ").replace(/&(?:lt|gt|amp|#123);/g, (entity) => entities[entity] as string);
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function stringAt(value: unknown, name: string): string | undefined {
  const found = member(value, name);
  return typeof found === "string" ? found : undefined;
}

function numbers(value: unknown): number[] {
  return Array.isArray(value) ? value.map((v) => (typeof v === "number" ? v : Number.NaN)) : [];
}

function num(value: number): string {
  return value.toFixed(1);
}
