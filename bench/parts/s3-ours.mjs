// Ours, as a process of its own like its peers: copies a tree, lists a folder, or reads a Parquet file's first row.
import { createRequire } from "node:module";
import { inRoot } from "../../scripts/setup/paths.mjs";

const [job, from, to] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const peak = () => process.resourceUsage().maxRSS / 1024;
const print = (result) => console.log(JSON.stringify(result));

if (job === "copy") {
  const { copyTree } = require(inRoot("dist", "storage", "copy-tree.js"));
  print(await copyTree(from, to, { overwrite: true }));
} else if (job === "list") {
  const { storagesFrom } = require(inRoot("dist", "storage"));
  const { storage, url } = storagesFrom().at(from);
  // The SDK is loaded, and a connection made: what grows from here on is the listing's.
  await storage.stat(url);
  const before = peak();
  let keys = 0;
  for await (const _ of storage.list(url)) keys++;
  print({ keys, megabytes: peak() - before, peak: peak() });
} else {
  const { Session } = require(inRoot("dist"));
  const session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
  const started = performance.now();
  const rows = await session.read.parquet(from).take(1);
  print({ rows: rows.length, seconds: (performance.now() - started) / 1000 });
  await session.stop();
}
