import { median } from "./report.mjs";

/** What is measured: how a round's result tells it, and how it is shown. Less is better in each. */
const figures = [
  { name: "ready", of: (run) => run.ready, show: seconds },
  { name: "first cell done", of: (run) => run.firstCell, show: seconds },
  { name: "first cell with col", of: (run) => run.touches.col, show: seconds },
  { name: "first cell with session", of: (run) => run.touches.session, show: seconds },
  { name: "lines to idle", of: (run) => run.output.seconds ?? Number.POSITIVE_INFINITY, show: seconds },
  { name: "cell round trip", of: (run) => run.roundTrip, show: (value) => `${(value * 1000).toFixed(1)} ms` },
  { name: "memory", of: (run) => run.mebibytes, show: (value) => `${value.toFixed(0)} MiB` },
];

/**
 * Medians over the rounds, and medians of the ratios to `base` within a round.
 * @param rounds each `{ [kernel]: what kernel_client.py printed }`
 * @param {string} base the kernel that ratios are taken to
 */
export function summarizeKernels(rounds, base) {
  const kernels = Object.keys(rounds[0]);
  return Object.fromEntries(
    kernels.map((kernel) => [
      kernel,
      {
        linesReceived: median(rounds.map((round) => round[kernel].output.lines)),
        figures: Object.fromEntries(
          figures.flatMap(({ name, of }) => {
            const values = rounds.map((round) => of(round[kernel]));
            if (values.some((value) => value === undefined)) return [];
            // No ratio to what never ends.
            const pairs = rounds.map((round) => [of(round[kernel]), of(round[base])]);
            const finite = pairs.every((pair) => pair.every(Number.isFinite));
            const ratio = finite ? median(pairs.map(([own, theirs]) => own / theirs)) : null;
            return [[name, { median: median(values), overBase: ratio }]];
          }),
        ),
      },
    ]),
  );
}

/** The figures as a table for people: a column a kernel, with its ratio to the base behind it. */
export function formatKernels(summary, { base, lines }) {
  const kernels = Object.keys(summary);
  const rows = [["", ...kernels]];
  for (const { name, show } of figures) {
    const cells = kernels.map((kernel) => {
      const figure = summary[kernel].figures[name];
      if (figure === undefined) return "";
      if (!Number.isFinite(figure.median)) return "never";
      const ratio = kernel === base || figure.overBase === null ? "" : `  x ${figure.overBase.toFixed(2)}`;
      return show(figure.median) + ratio;
    });
    rows.push([name === "lines to idle" ? `${lines} lines to idle` : name, ...cells]);
  }
  rows.push([`of ${lines} lines received`, ...kernels.map((kernel) => String(summary[kernel].linesReceived))]);
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => row.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join("   "))
    .join("\n");
}

function seconds(value) {
  return `${value.toFixed(2)} s`;
}
