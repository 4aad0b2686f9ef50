import { IllegalArgumentError } from "../errors";
import { type Figure, figure } from "./figure";
import type { Trace } from "./figure-spec";
import { classStyles } from "./palette";
import { sixDigits } from "./rounding";

/** Points, as columns of equal length. */
export interface ScatterPoints {
  /** Across, such as the first principal component. */
  readonly x: ArrayLike<number>;
  /** Upwards, such as the second. */
  readonly y: ArrayLike<number>;
  /** The class of each point: one colour and one legend entry each. Absent: all points are alike. */
  readonly label?: ArrayLike<string | null>;
  /** What to show under the pointer, such as the file's name. */
  readonly text?: ArrayLike<string>;
}

export interface Scatter2dOptions {
  /** @default "Principal components" */
  readonly title?: string;
  /** @default "component 1" */
  readonly xTitle?: string;
  /** @default "component 2" */
  readonly yTitle?: string;
  /** Pixels. @default 560 */
  readonly height?: number;
}

/**
 * Points in the plane, coloured by class; a click on a legend entry hides its class, a double click shows it alone.
 * Points that are not finite cannot be drawn; the title says how many there are.
 * @throws IllegalArgumentError if the columns differ in length
 */
export function scatter2d(points: ScatterPoints, options: Scatter2dOptions = {}): Figure {
  const { title = "Principal components", xTitle = "component 1", yTitle = "component 2", height = 560 } = options;
  checkLengths(points);
  const { groups, undrawn } = groupByLabel(points);
  const styles = classStyles(groups.length);
  const drawn = groups.reduce((sum, { rows }) => sum + rows.length, 0);
  const many = groups.length > 30;
  const data = groups.map(({ label, rows }, i): Trace => {
    const { colour, symbol } = styles[i] as (typeof styles)[number];
    return {
      // SVG shows everywhere; WebGL is for what would make SVG slow.
      type: drawn > 50_000 ? "scattergl" : "scatter",
      mode: "markers",
      name: escapeMarkup(label ?? "(null)"),
      x: rows.map((row) => sixDigits(points.x[row] as number)),
      y: rows.map((row) => sixDigits(points.y[row] as number)),
      ...(points.text ? { text: rows.map((row) => escapeMarkup(points.text?.[row] ?? "")) } : {}),
      hovertemplate: `${points.text ? "%{text}<br>" : ""}(%{x}, %{y})<extra>${escapeMarkup(label ?? "(null)")}</extra>`,
      marker: { color: colour, symbol, size: drawn > 2_000 ? 5 : 7, opacity: 0.8 },
    };
  });
  const note = undrawn > 0 ? ` (${undrawn} not finite, not drawn)` : "";
  return figure({
    data,
    layout: {
      title: { text: `${title}${note}` },
      height,
      xaxis: { title: { text: xTitle }, zeroline: true },
      yaxis: { title: { text: yTitle }, zeroline: true },
      showlegend: points.label !== undefined,
      legend: { font: { size: many ? 9 : 11 }, itemsizing: "constant", tracegroupgap: 0 },
      hovermode: "closest",
      plot_bgcolor: "#fafafa",
    },
    summary: `${title}: ${drawn} points${points.label ? ` in ${groups.length} classes` : ""}${note}.`,
  });
}

function checkLengths({ x, ...others }: ScatterPoints): void {
  for (const [name, column] of Object.entries(others) as [string, ArrayLike<unknown> | undefined][]) {
    if (column !== undefined && column.length !== x.length) {
      throw new IllegalArgumentError(`${name} has ${column.length} values, x has ${x.length}.`);
    }
  }
}

interface Group {
  readonly label: string | null;
  readonly rows: number[];
}

/** Rows by label, labels in order, null last; rows without a place in the plane are counted apart. */
function groupByLabel({ x, y, label }: ScatterPoints): { groups: Group[]; undrawn: number } {
  const byLabel = new Map<string | null, number[]>();
  let undrawn = 0;
  for (let row = 0; row < x.length; row++) {
    if (!Number.isFinite(x[row]) || !Number.isFinite(y[row])) {
      undrawn++;
      continue;
    }
    const name = label ? (label[row] ?? null) : "points";
    const rows = byLabel.get(name);
    if (rows) rows.push(row);
    else byLabel.set(name, [row]);
  }
  const groups = Array.from(byLabel, ([name, rows]) => ({ label: name, rows }));
  groups.sort((a, b) => (a.label === null ? 1 : b.label === null ? -1 : a.label < b.label ? -1 : 1));
  return { groups, undrawn };
}

/** Plotly reads texts as its own small markup and `%{...}` as a template; names of files are neither. */
function escapeMarkup(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/%\{/g, "%&#123;");
}
