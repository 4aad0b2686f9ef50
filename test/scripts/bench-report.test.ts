import { expect, it } from "vitest";

interface Report {
  median(values: number[]): number;
  summarize(rounds: unknown[]): {
    peer: { featurizeImagesPerSecond: number; runs: number } | null;
    backends: Record<string, Record<string, number | null>>;
  };
  formatTable(summary: unknown): string;
}

const report = () => import("../../bench/parts/report.mjs" as string) as Promise<Report>;
const peer = (rate: number, reduce: number) => ({
  featurizeImagesPerSecond: rate,
  reduceSeconds: reduce,
  totalSeconds: 99,
});
const backend = (rate: number, bare: number, reduce: number) => ({
  ours: { featurize: { stageImagesPerSecond: rate }, pca: { seconds: reduce } },
  bare: { imagesPerSecond: bare },
});

it("takes ratios within a round and medians over rounds", async () => {
  const { summarize, median } = await report();
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
  // The machine is half as fast in the second round, on both sides: the ratios stay.
  const python = (multiprocessing: number, daft: number) => ({
    multiprocessing: { imagesPerSecond: multiprocessing },
    daft: { imagesPerSecond: daft },
  });
  const { backends, peer: peers } = summarize([
    { peer: peer(30, 12), python: python(200, 160), backends: { x: backend(240, 300, 2) } },
    { peer: peer(15, 24), python: python(80, 100), backends: { x: backend(120, 150, 4) } },
  ]);
  expect(backends.x).toMatchObject({ featurizeOverPeer: 8, featurizeOverBare: 0.8, reduceOverPeer: 6 });
  // Against the faster one of each round.
  expect(backends.x).toMatchObject({ featurizeOverPython: 1.2 });
  expect(peers).toMatchObject({ featurizeImagesPerSecond: 22.5, runs: 2 });
});

it("works without the peer", async () => {
  const { summarize, formatTable } = await report();
  const summary = summarize([{ backends: { x: backend(240, 300, 2) } }]);
  expect(summary.peer).toBeNull();
  expect(summary.backends.x).toMatchObject({
    featurizeOverPeer: null,
    featurizeOverPython: null,
    featurizeOverBare: 0.8,
  });
  expect(formatTable(summary)).toMatch(/Pomona, x\s+240\.0\s+80 %/);
});
