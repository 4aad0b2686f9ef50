/** What the project wants to reach; the benchmark reports what it gets. */
export const targets = { featurizeOverPeer: 7, featurizeOverBare: 0.8, reduceOverPeer: 3 };

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The figures of all runs: medians, and ratios of what ran in the same round, so that a slow minute of the machine
 * falls on both sides.
 * @param rounds each `{ peer?, backends: { [name]: { ours: { featurize, pca }, bare } } }`
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
    backends: Object.fromEntries(names.map((name) => [name, summarizeBackend(rounds, peers, name)])),
  };
}

function summarizeBackend(rounds, peers, name) {
  const runs = rounds.map((round) => ({ peer: round.peer ?? peers[0], ...round.backends[name] }));
  const withPeer = runs.filter(({ peer }) => peer);
  const ratio = (list, of) => (list.length ? median(list.map(of)) : null);
  return {
    featurizeImagesPerSecond: median(runs.map(({ ours }) => ours.featurize.stageImagesPerSecond)),
    bareImagesPerSecond: median(runs.map(({ bare }) => bare.imagesPerSecond)),
    reduceSeconds: median(runs.map(({ ours }) => ours.pca.seconds)),
    featurizeOverPeer: ratio(
      withPeer,
      ({ ours, peer }) => ours.featurize.stageImagesPerSecond / peer.featurizeImagesPerSecond,
    ),
    featurizeOverBare: ratio(runs, ({ ours, bare }) => ours.featurize.stageImagesPerSecond / bare.imagesPerSecond),
    reduceOverPeer: ratio(withPeer, ({ ours, peer }) => peer.reduceSeconds / ours.pca.seconds),
    runs: runs.length,
  };
}

/** The figures as a table for people. */
export function formatTable({ peer, backends }) {
  const rows = [["featurize", "images/s", "x PySpark", "of bare inference"]];
  if (peer) rows.push(["PySpark + Keras", peer.featurizeImagesPerSecond.toFixed(1), "1.0", ""]);
  for (const [name, figures] of Object.entries(backends)) {
    const share = `${(figures.featurizeOverBare * 100).toFixed(0)} %`;
    rows.push([
      `Pomona, ${name}`,
      figures.featurizeImagesPerSecond.toFixed(1),
      times(figures.featurizeOverPeer),
      share,
    ]);
    rows.push([`  bare ${name}`, figures.bareImagesPerSecond.toFixed(1), "", "100 %"]);
  }
  rows.push([], ["scale + PCA", "seconds", "x Spark", ""]);
  if (peer) rows.push(["Spark ML", peer.reduceSeconds.toFixed(2), "1.0", ""]);
  for (const [name, figures] of Object.entries(backends)) {
    rows.push([`Pomona, after ${name}`, figures.reduceSeconds.toFixed(2), times(figures.reduceOverPeer), ""]);
  }
  const { featurizeOverPeer, featurizeOverBare, reduceOverPeer } = targets;
  const wanted = `Targets: ${featurizeOverPeer} x PySpark, ${featurizeOverBare * 100} % of bare inference, ${reduceOverPeer} x Spark.`;
  return `${rows.map(formatRow).join("\n")}\n\n${wanted}`;
}

const times = (ratio) => (ratio === null ? "" : ratio.toFixed(1));

function formatRow([first = "", ...others]) {
  return `${first.padEnd(28)}${others.map((text) => text.padStart(12)).join("  ")}`.trimEnd();
}
