// Ours on one master, as a process of its own: a featurize stage, and a stage of tasks that do nothing, on as many workers as the master has.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { inRoot } from "../../scripts/setup/paths.mjs";

const {
  master,
  endpoints,
  worker,
  job,
  images,
  output,
  weights,
  partitions,
  tasks,
  history,
  record = true,
} = JSON.parse(process.argv[2]);
const require = createRequire(import.meta.url);
const { Session } = require(inRoot("dist"));
const { col, elementAt, split, udf } = require(inRoot("dist", "functions"));
const { mobileNetV2 } = require(inRoot("dist", "models"));

const session = await Session.builder()
  .master(master)
  .config({ "pomona.progress": "off", "pomona.history.dir": history, "spark.eventLog.enabled": record })
  .config(endpoints ? { "pomona.endpoints": JSON.stringify(endpoints) } : {})
  .getOrCreate();
try {
  console.log(JSON.stringify(job === "featurize" ? await featurize() : await giveTasks()));
} finally {
  await session.stop();
  rmSync(output, { recursive: true, force: true });
}

async function featurize() {
  const rows = session.read.format("binaryFile").option("pathGlobFilter", "*.jpg").option("recursiveFileLookup", true);
  const labelled = rows
    .load(images)
    .withColumn("label", elementAt(split(col("path"), "/"), -2))
    .repartition(partitions);
  const features = mobileNetV2({ weights })(col("content")).alias("features");
  const before = cpuOf(worker);
  const { seconds, cpuSeconds, result } = await timed(() =>
    labelled.select(col("path"), col("label"), features).write.mode("overwrite").parquet(output),
  );
  const workerCpuSeconds = cpuOf(worker) - before;
  const digest = createHash("sha256");
  const parts = readdirSync(output).filter((name) => name.startsWith("part-"));
  for (const name of parts.sort()) digest.update(readFileSync(join(output, name)));
  return {
    images: result.rows,
    imagesPerSecond: result.rows / seconds,
    seconds,
    cpuSeconds,
    workerCpuSeconds,
    sha256: digest.digest("hex"),
  };
}

/** One row a task. The first stage loads what the second is timed with. */
async function giveTasks() {
  const same = udf((id) => id, { returns: "long" });
  const run = (count) =>
    session.range(0, count).repartition(count).select(same("id").alias("id")).write.mode("overwrite").parquet(output);
  await run(2 * session.defaultParallelism);
  let [from, to] = [0, 0];
  const stop = session.onEvent((event) => {
    if (event.type === "taskStarted") from ||= performance.now();
    if (event.type === "taskEnded") to = performance.now();
  });
  const { cpuSeconds } = await timed(() => run(tasks));
  stop();
  return { tasks, milliseconds: (to - from) / tasks, cpuMilliseconds: (1000 * cpuSeconds) / tasks };
}

async function timed(work) {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  return { result, seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 };
}

/** Processor time of a process and those below it, in seconds, as Linux tells it. */
function cpuOf(pid) {
  if (!pid || process.platform !== "linux") return 0;
  const ticks = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ").slice(11, 13);
  const below = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
  return below.reduce((sum, child) => sum + cpuOf(child), ticks.reduce((sum, n) => sum + Number(n), 0) / 100);
}
