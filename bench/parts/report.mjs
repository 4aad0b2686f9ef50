import { PYTHON_PEERS } from "./runs.mjs";

/** What the project wants to reach; the benchmark reports what it gets. */
export const targets = { featurizeOverPeer: 7, featurizeOverPython: 1.1, featurizeOverBare: 0.95, reduceOverPeer: 3 };

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The figures of all runs: medians, and ratios of what ran in the same round, so that a slow minute of the machine
 * falls on both sides.
 * @param rounds each `{ peer?, python?: { [name]: { imagesPerSecond } }, backends: { [name]: { ours: { featurize, pca }, bare } } }`
 */
export function summarize(rounds) {
  const peers = rounds.flatMap(({ peer }) => (peer ? [peer] : []));
  const names = Object.keys(rounds[0].backends);
  return {
    targets,
    peer: peers.length
      ? {
          featurizeImagesPerSecond: median(peers.map((peer) => peer.featurizeImagesPerSecond)),
          reduceSeconds: median(peers.map((peer) => peer.reduceSeconds)),
          totalSeconds: median(peers.map((peer) => peer.totalSeconds)),
          runs: peers.length,
        }
      : null,
    python: Object.fromEntries(
      Object.keys(rounds[0].python ?? {}).map((name) => [
        name,
        { featurizeImagesPerSecond: median(rounds.map(({ python }) => python[name].imagesPerSecond)) },
      ]),
    ),
    backends: Object.fromEntries(names.map((name) => [name, summarizeBackend(rounds, peers, name)])),
  };
}

function summarizeBackend(rounds, peers, name) {
  const runs = rounds.map((round) => ({ peer: round.peer ?? peers[0], ...round.backends[name] }));
  const withPeer = runs.filter(({ peer }) => peer);
  // Against the faster of the two in each round.
  const withPython = rounds
    .map(({ python = {}, backends }) => ({
      ours: backends[name].ours.featurize.stageImagesPerSecond,
      fastest: Math.max(...Object.values(python).map(({ imagesPerSecond }) => imagesPerSecond)),
    }))
    .filter(({ fastest }) => Number.isFinite(fastest));
  const ratio = (list, of) => (list.length ? median(list.map(of)) : null);
  return {
    featurizeImagesPerSecond: median(runs.map(({ ours }) => ours.featurize.stageImagesPerSecond)),
    bareImagesPerSecond: median(runs.map(({ bare }) => bare.imagesPerSecond)),
    reduceSeconds: median(runs.map(({ ours }) => ours.pca.seconds)),
    featurizeOverPeer: ratio(
      withPeer,
      ({ ours, peer }) => ours.featurize.stageImagesPerSecond / peer.featurizeImagesPerSecond,
    ),
    featurizeOverPython: ratio(withPython, ({ ours, fastest }) => ours / fastest),
    featurizeOverBare: ratio(runs, ({ ours, bare }) => ours.featurize.stageImagesPerSecond / bare.imagesPerSecond),
    reduceOverPeer: ratio(withPeer, ({ ours, peer }) => peer.reduceSeconds / ours.pca.seconds),
    runs: runs.length,
  };
}

/** The figures as a table for people. */
export function formatTable({ peer, python = {}, backends }) {
  const rows = [["featurize", "images/s", "x PySpark", "x Python", "of bare inference"]];
  if (peer) rows.push(["PySpark + Keras", peer.featurizeImagesPerSecond.toFixed(1), "1.0", ""]);
  for (const [name, { featurizeImagesPerSecond: rate }] of Object.entries(python)) {
    const overPeer = peer ? rate / peer.featurizeImagesPerSecond : null;
    rows.push([PYTHON_PEERS[name]?.title ?? name, rate.toFixed(1), times(overPeer), ""]);
  }
  for (const [name, figures] of Object.entries(backends)) {
    const share = `${(figures.featurizeOverBare * 100).toFixed(0)} %`;
    rows.push([
      `Pomona, ${name}`,
      figures.featurizeImagesPerSecond.toFixed(1),
      times(figures.featurizeOverPeer),
      figures.featurizeOverPython === null ? "" : figures.featurizeOverPython.toFixed(2),
      share,
    ]);
    rows.push([`  bare ${name}`, figures.bareImagesPerSecond.toFixed(1), "", "", "100 %"]);
  }
  rows.push([], ["scale + PCA", "seconds", "x Spark", ""]);
  if (peer) rows.push(["Spark ML", peer.reduceSeconds.toFixed(2), "1.0", ""]);
  for (const [name, figures] of Object.entries(backends)) {
    rows.push([`Pomona, after ${name}`, figures.reduceSeconds.toFixed(2), times(figures.reduceOverPeer), ""]);
  }
  const { featurizeOverPeer, featurizeOverPython, featurizeOverBare, reduceOverPeer } = targets;
  const wanted = `Targets: ${featurizeOverPeer} x PySpark, ${featurizeOverPython} x the faster peer in Python, ${featurizeOverBare * 100} % of bare inference, ${reduceOverPeer} x Spark.`;
  return `${rows.map(formatRow).join("\n")}\n\n${wanted}`;
}

const times = (ratio) => (ratio === null ? "" : ratio.toFixed(1));

function formatRow([first = "", ...others]) {
  return `${first.padEnd(38)}${others.map((text) => text.padStart(12)).join("  ")}`.trimEnd();
}
