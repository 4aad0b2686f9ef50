import { IllegalArgumentError } from "../errors";
import { type Figure, figure } from "./figure";
import type { Trace } from "./figure-spec";
import { sixDigits } from "./rounding";

/** Shares of variance, largest first, or a fitted PCA model that has them. */
export type ExplainedVariance = ArrayLike<number> | { readonly explainedVariance: ArrayLike<number> };

export interface ScreePlotOptions {
  /** The share of variance to reach; the first number of components that reaches it is marked. @default 0.9 */
  readonly threshold?: number;
  /** @default "Explained variance" */
  readonly title?: string;
  /** Pixels. @default 420 */
  readonly height?: number;
}

/**
 * The plot on which k is chosen: a bar for each component's share of the variance, a line for the shares added up, and a
 * mark where the line reaches `threshold`.
 * @param variance shares between 0 and 1, as `PCAModel.explainedVariance` in Spark ML
 * @throws IllegalArgumentError if there is no component, or a share or the threshold is not between 0 and 1
 */
export function screePlot(variance: ExplainedVariance, options: ScreePlotOptions = {}): Figure {
  const { threshold = 0.9, title = "Explained variance", height = 420 } = options;
  const shares = Array.from("explainedVariance" in variance ? variance.explainedVariance : variance);
  checkShares(shares, threshold);
  const k = Array.from(shares, (_, i) => i + 1);
  let sum = 0;
  const cumulative = shares.map((share) => {
    sum += share;
    return sum;
  });
  const reached = componentsFor(cumulative, threshold);
  const wanted = percent(threshold);
  const found =
    reached === undefined
      ? `${shares.length} components hold ${percent(sum)}, less than ${wanted}`
      : `${reached} of ${shares.length} components hold ${wanted}`;

  const traces: Trace[] = [
    {
      type: "bar",
      name: "each",
      x: k,
      y: shares.map(sixDigits),
      marker: { color: "#9ecae1" },
      hovertemplate: "component %{x}: %{y:.2%}<extra></extra>",
    },
    {
      type: "scatter",
      mode: shares.length > 60 ? "lines" : "lines+markers",
      name: "added up",
      x: k,
      y: cumulative.map(sixDigits),
      line: { color: "#08519c" },
      marker: { color: "#08519c", size: 5 },
      hovertemplate: "first %{x}: %{y:.2%}<extra></extra>",
    },
    {
      type: "scatter",
      mode: "lines",
      name: wanted,
      x: [0.5, shares.length + 0.5],
      y: [threshold, threshold],
      line: { color: "#999999", dash: "dash", width: 1 },
      hoverinfo: "skip",
    },
  ];
  if (reached !== undefined) {
    traces.push({
      type: "scatter",
      mode: "markers",
      name: `k = ${reached}`,
      x: [reached],
      y: [sixDigits(cumulative[reached - 1] as number)],
      marker: { color: "#d62728", size: 12, symbol: "diamond" },
      hovertemplate: "k = %{x}: %{y:.2%}<extra></extra>",
    });
  }
  return figure({
    data: traces,
    layout: {
      title: { text: `${title}: ${found}` },
      height,
      xaxis: { title: { text: "principal component" }, range: [0.5, shares.length + 0.5] },
      yaxis: { title: { text: "share of variance" }, range: [0, 1.04], tickformat: ".0%" },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
      bargap: 0.15,
      plot_bgcolor: "#ffffff",
    },
    summary: `${title}: ${found}.`,
  });
}

function checkShares(shares: readonly number[], threshold: number): void {
  if (shares.length === 0) throw new IllegalArgumentError("There is no component to plot.");
  const bad = shares.findIndex((share) => !(share >= 0 && share <= 1));
  if (bad >= 0) {
    throw new IllegalArgumentError(`The share of component ${bad + 1} is ${shares[bad]}, not between 0 and 1.`, {
      remedy: "Pass shares of the total variance (PCAModel.explainedVariance), not variances.",
    });
  }
  if (!(threshold > 0 && threshold <= 1)) {
    throw new IllegalArgumentError(`threshold must be above 0 and at most 1, not ${threshold}.`);
  }
}

/** The first number of components whose shares add up to the threshold, but for rounding. */
function componentsFor(cumulative: readonly number[], threshold: number): number | undefined {
  const index = cumulative.findIndex((sum) => sum >= threshold - 1e-12);
  return index < 0 ? undefined : index + 1;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
