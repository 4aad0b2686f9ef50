// Writes 400 rows in 8 parts to argv[2], in place of what is there. Run by s3-crash.e2e.test.ts, which kills it.
const { Session } = require("../../dist");
const { udf } = require("../../dist/functions");

async function main() {
  const session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
  const label = udf((id) => `fruit ${id}`, { returns: "string" });
  await session
    .range(0, 400)
    .repartition(8)
    .select("id", label("id").alias("label"))
    .write.mode("overwrite")
    .parquet(process.argv[2]);
  await session.stop();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
