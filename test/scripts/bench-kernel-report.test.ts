import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(__dirname, "..", "..");
const run = (ready: number, seconds: number | null, touches = {}) => ({
  ready,
  firstCell: ready + 1,
  roundTrip: 0.005,
  mebibytes: 100,
  touches,
  output: { seconds, lines: seconds === null ? 507 : 20_000 },
});

it("takes ratios within a round, and medians over the rounds", () => {
  const rounds = [
    { stock: run(2, null), ours: run(1, 0.2, { col: 2, session: 3 }) },
    { stock: run(6, null), ours: run(1.5, 0.4, { col: 4, session: 5 }) },
    { stock: run(3, 0.5), ours: run(3, 0.3, { col: 3, session: 4 }) },
  ];
  const program = `
    import { formatKernels, summarizeKernels } from "./bench/parts/kernel-report.mjs";
    const summary = summarizeKernels(JSON.parse(process.argv[1]), "stock");
    console.log(JSON.stringify([summary, formatKernels(summary, { base: "stock", lines: 20000 })]));`;
  const ended = spawnSync(process.execPath, ["--input-type=module", "-e", program, JSON.stringify(rounds)], {
    cwd: root,
    encoding: "utf8",
  });
  expect(ended.status, ended.stderr).toBe(0);
  const [summary, table] = JSON.parse(ended.stdout);
  expect(summary.ours.figures.ready).toEqual({ median: 1.5, overBase: 0.5 });
  expect(summary.ours.figures["first cell with col"].median).toBe(3);
  expect(summary.stock.figures["first cell with col"]).toBeUndefined();
  expect(summary.ours.figures["lines to idle"]).toEqual({ median: 0.3, overBase: null });
  expect(summary.stock.linesReceived).toBe(507);
  expect(table).toMatch(/^ready +3\.00 s +1\.50 s {2}x 0\.50$/m);
  expect(table).toMatch(/^20000 lines to idle +never +0\.30 s$/m);
  expect(table).toMatch(/^of 20000 lines received +507 +20000$/m);
  expect(table).toMatch(/^first cell with session +4\.00 s$/m);
});
