#!/usr/bin/env node
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { inRoot } from "../scripts/setup/paths.mjs";
import { run } from "../scripts/setup/processes.mjs";
import { pomona } from "./parts/runs.mjs";
import { inWorkFolder } from "./parts/work-folder.mjs";

const help = `npm run bench:spark-bridge [-- options]

Sends rows of bytes through a function beside Spark's executors and tells how fast that went, and the memory of the session, the Spark Connect server,
the executors, their Python and Node while it went: flat, whatever goes through. A cluster of this machine, two executors of one core (on Linux).

  --gigabytes N     bytes that go through                     [10]
  --row N           bytes of a row                            [10240]
  --json            one JSON object instead of lines
  --help            this text`;

const { values } = parseArgs({
  options: {
    gigabytes: { type: "string", default: "10" },
    row: { type: "string", default: "10240" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
});

/** How often memory is looked at. */
const LOOK_MS = 1000;

/** Who a process is, by its command line. */
const ROLES = [
  ["executors", /CoarseGrainedExecutorBackend/],
  ["server", /SparkConnectServer/],
  ["python", /pyspark[./]daemon/],
  ["node", /pomona-program|program\.cjs|arrow-program/],
];

if (values.help) console.log(help);
else await inWorkFolder("spark-bridge", bench);

async function bench(work) {
  const require = createRequire(import.meta.url);
  const { Session } = require(inRoot("dist"));
  const { col, lit, repeat } = require(inRoot("dist", "functions"));
  const start = [
    "--workers",
    "2",
    "--cores",
    "1",
    "--memory",
    "1g",
    "--port",
    "0",
    "--conf",
    "spark.eventLog.enabled=false",
  ];
  const server = await pomona(["spark", "start", "--json", "--quiet", ...start], work);
  const session = await Session.builder()
    .master(server.url)
    .config({ "pomona.progress": "off", "spark.eventLog.enabled": false })
    .getOrCreate();
  const seen = [];
  const started = performance.now();
  const looking = setInterval(() => seen.push({ seconds: (performance.now() - started) / 1000, ...memory() }), LOOK_MS);
  try {
    const row = Number(values.row);
    const rows = Math.ceil((Number(values.gigabytes) * 1e9) / row);
    const payload = repeat(lit("0123456789abcdef"), Math.ceil(row / 16)).cast("binary");
    const measured = session
      .range(rows)
      .select(col("id"), payload.alias("payload"))
      .mapBatches(({ id, payload }) => ({ id, bytes: payload.map((each) => each.length) }), {
        schema: { id: "long", bytes: "integer" },
      });
    const { rows: written } = await measured.write.mode("overwrite").parquet(join(work, "out"));
    const seconds = (performance.now() - started) / 1000;
    clearInterval(looking);
    if (written !== rows) throw new Error(`${written} rows of ${rows} were written.`);
    report({ rows, gigabytes: (rows * row) / 1e9, seconds, seen });
  } finally {
    clearInterval(looking);
    await session.stop();
    await run(process.execPath, [inRoot("dist", "cli", "main.js"), "spark", "stop", "--port", String(server.port)]);
  }
}

/** Resident bytes by role; of several processes, of all together. */
function memory() {
  const found = { session: process.memoryUsage.rss() };
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      const role = ROLES.find(([, pattern]) => pattern.test(command))?.[0];
      const pages = role && Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
      if (pages) found[role] = (found[role] ?? 0) + pages * 4096;
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

/** What each took at most, over tenths of the time: what grows shows. */
function report({ rows, gigabytes, seconds, seen }) {
  const names = ["session", ...ROLES.map(([name]) => name)];
  const tenths = Array.from({ length: 10 }, (_, i) => {
    const part = seen.slice(Math.floor((i * seen.length) / 10), Math.floor(((i + 1) * seen.length) / 10));
    return Object.fromEntries(names.map((name) => [name, Math.max(0, ...part.map((each) => each[name] ?? 0))]));
  });
  if (values.json) return console.log(JSON.stringify({ rows, gigabytes, seconds, tenths }));
  console.log(
    `${gigabytes.toFixed(1)} GB in ${rows} rows, ${seconds.toFixed(0)} s: ${((1000 * gigabytes) / seconds).toFixed(0)} MB/s`,
  );
  console.log(`MB at most, by tenths of the time`);
  for (const name of names)
    console.log(`${name.padEnd(10)}${tenths.map((each) => String(Math.round(each[name] / 1e6)).padStart(7)).join("")}`);
}
