// Writes 400 slow rows in 40 parts, or 40 in 4 where argv[5] is "brief", to argv[3], by the workers of the endpoints in argv[2], in place of what is there; argv[4] has
// settings as JSON. Run by tests that kill or stop it.
const { setTimeout: sleep } = require("node:timers/promises");
const { Session } = require("../../dist");
const { udf } = require("../../dist/functions");

async function main() {
  const [, , endpoints, output, settings = "{}", length] = process.argv;
  const parts = length === "brief" ? 4 : 40;
  const session = await Session.builder()
    .master("jupyter")
    .config("pomona.progress", "off")
    .config("pomona.endpoints", endpoints)
    .config("pomona.endpoints.leaseSeconds", 4)
    .config(JSON.parse(settings))
    .getOrCreate();
  // What goes wrong with a machine is to go wrong with one that takes tasks.
  while (session.workers().some(({ state }) => state !== "ready")) await sleep(50);
  session.onEvent((event) => {
    if (event.type === "taskEnded") console.log("a task ended");
    if (event.type === "message") console.log(event.text);
  });
  const slow = udf(
    (id) => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
      return id;
    },
    { returns: "long" },
  );
  const rows = session
    .range(0, parts * 10)
    .repartition(parts)
    .select(slow("id").alias("id"));
  await rows.write.mode("overwrite").parquet(output);
  // Without session.stop(): a program that comes to its end ends its kernels too.
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
