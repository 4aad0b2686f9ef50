// Writes 4000 slow rows in 8 parts to argv[3], by a session on argv[2]; functions tell of each row in the file argv[4]. Run by a test that kills it.
const { Session } = require("../../../dist");
const { col, lit, udf } = require("../../../dist/functions");

async function main() {
  const [, , master, output, marks] = process.argv;
  const session = await Session.builder().master(master).config("pomona.progress", "off").getOrCreate();
  const slow = udf(
    (id, marks) => {
      require("node:fs").appendFileSync(marks, `${process.pid}\n`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
      return id;
    },
    { returns: "long" },
  );
  const rows = session.range(0, 4000).repartition(8);
  await rows.select(slow(col("id"), lit(marks)).alias("id")).write.parquet(output);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
