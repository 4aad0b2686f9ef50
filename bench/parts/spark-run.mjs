// Ours on one master, as a process of its own: featurize, then scaler and PCA, each from the reading to the committed files.
import { createRequire } from "node:module";
import { inRoot } from "../../scripts/setup/paths.mjs";

const { master, images, output, weights, partitions, k } = JSON.parse(process.argv[2]);
const require = createRequire(import.meta.url);
const { Session } = require(inRoot("dist"));
const { col, elementAt, split } = require(inRoot("dist", "functions"));
const { mobileNetV2 } = require(inRoot("dist", "models"));
const { PCA, StandardScaler } = require(inRoot("dist", "ml"));

const session = await Session.builder()
  .master(master)
  .config({ "pomona.progress": "off", "spark.eventLog.enabled": false })
  .getOrCreate();
try {
  const started = performance.now();
  const { rows } = await session.read
    .format("binaryFile")
    .option("pathGlobFilter", "*.jpg")
    .option("recursiveFileLookup", true)
    .load(images)
    .withColumn("label", elementAt(split(col("path"), "/"), -2))
    .repartition(partitions)
    .select(col("path"), col("label"), mobileNetV2({ weights })(col("content")).alias("features"))
    .write.mode("overwrite")
    .parquet(output);
  const featurized = performance.now();
  const data = session.read.parquet(output);
  const scaling = { inputCol: "features", outputCol: "scaled", withMean: true, withStd: true };
  const scaler = await new StandardScaler(scaling).fit(data);
  const scaled = scaler.transform(data);
  const pca = await new PCA({ inputCol: "scaled", outputCol: "pca", k }).fit(scaled);
  await pca.transform(scaled).select("path", "label", "pca").write.mode("overwrite").parquet(`${output}_pca`);
  const reduced = performance.now();
  console.log(
    JSON.stringify({
      rows,
      featurizeSeconds: (featurized - started) / 1000,
      featurizeImagesPerSecond: (1000 * rows) / (featurized - started),
      reduceSeconds: (reduced - featurized) / 1000,
      explainedVariance: [...pca.explainedVariance],
    }),
  );
} finally {
  await session.stop();
}
