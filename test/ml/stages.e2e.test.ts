import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataFrame } from "../../src/frame/dataframe";
import type { Session } from "../../src/index";
import { uniform } from "../numerics/data-sets";
import { relativeDifference } from "../numerics/numeric";
import { golden } from "../support/golden";
import { ml, pomona } from "./built";

/** What Spark ML answers, by test/golden/spark-ml.py. */
interface Answer {
  readonly indexer: Readonly<
    Record<string, readonly string[] | readonly (readonly [string | null, number])[] | string>
  >;
  readonly assembler: readonly string[];
  readonly clusters: Readonly<
    Record<
      "euclidean" | "cosine",
      { readonly centers: readonly (readonly number[])[]; readonly cost: number; readonly sizes: readonly number[] }
    >
  >;
}

const spark = golden<Answer>("spark-ml");
let session: Session;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-stages-"));
  session = await pomona.Session.builder().master("local[2]").getOrCreate();
});
afterAll(async () => {
  await session?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const TEXTS = ["b", "a", "c", "a", "b", null, "", "é", "B", "d", "\u{1f600}", "\uffee"];
const texts = () =>
  session
    .createDataFrame(
      TEXTS.map((s) => ({ s })),
      "s string",
    )
    .repartition(3);
const attempt = async <T>(run: () => Promise<T>) => run().catch(() => "error");

describe("StringIndexer", () => {
  it.each(["frequencyDesc", "frequencyAsc", "alphabetDesc", "alphabetAsc"] as const)(
    "orders labels as Spark: %s",
    async (order) => {
      const indexer = new ml.StringIndexer({ inputCol: "s", outputCol: "i", stringOrderType: order });
      expect((await indexer.fit(texts())).labels).toEqual(spark.indexer[order]);
    },
  );

  it.each(["error", "skip", "keep"] as const)("does with unseen labels what Spark does: %s", async (handleInvalid) => {
    const model = await new ml.StringIndexer({ inputCol: "s", outputCol: "i", handleInvalid }).fit(texts());
    const seen = session.createDataFrame([{ s: "zz" }, { s: "a" }, { s: null }], "s string");
    const rows = await attempt(async () => (await model.transform(seen).collect()).map(({ s, i }) => [s, i]));
    expect(rows).toEqual(spark.indexer[handleInvalid]);
  });

  it.each([
    ["int", "SELECT unnest([1, 2, 10, 2, NULL])::INT AS s"],
    ["double", "SELECT unnest([1.0, 2.5, 1e10, 'NaN'::DOUBLE, '-0'::DOUBLE])::DOUBLE AS s"],
    ["float", "SELECT unnest([0.1, 1e-5])::FLOAT AS s"],
    ["decimal", "SELECT unnest([1.50, 2.00])::DECIMAL(3,2) AS s"],
    ["boolean", "SELECT true AS s"],
    ["array", "SELECT [1] AS s"],
  ])("takes %s as Spark does", async (type, query) => {
    const indexer = new ml.StringIndexer({ inputCol: "s", outputCol: "i", stringOrderType: "alphabetAsc" });
    const labels = await attempt(async () => (await indexer.fit(session.sql(query))).labels);
    expect(labels).toEqual(spark.indexer[type]);
  });

  it("goes back with IndexToString", async () => {
    const back = new ml.IndexToString({ inputCol: "i", outputCol: "o", labels: ["x", "y"] });
    for (const index of ["0.0", "1.7", "2.0", "-1.0"]) {
      const df = session.createDataFrame([{ i: Number(index) }], "i double");
      const label = await attempt(async () => (await back.transform(df).first())!.o);
      expect(label, index).toEqual(spark.indexer[`index ${index}`]);
    }
    const none = new ml.IndexToString({ inputCol: "i", outputCol: "o" });
    expect(() => none.transform(texts())).toThrow(/no labels/);
  });

  it("names a row that it cannot index", async () => {
    const model = await new ml.StringIndexer({ inputCol: "s", outputCol: "i" }).fit(texts());
    const df = session.createDataFrame([{ path: "x.jpg", s: "zz" }]);
    await expect(model.transform(df).collect()).rejects.toThrow(/x\.jpg: s holds the label "zz"/);
    const options = { inputCol: "s", outputCol: "i", handleInvalid: "x" as "keep" };
    expect(() => new ml.StringIndexer(options)).toThrow(/handleInvalid given invalid value x/);
  });
});

describe("VectorAssembler", () => {
  it("puts together what Spark does", async () => {
    const df = session.createDataFrame([
      { a: 1, b: 2.5, c: true, v: ml.Vectors.dense(1, 0) },
      { a: 0, b: 0, c: false, v: ml.Vectors.sparse(2, [], []) },
    ] as Record<string, unknown>[]);
    const assembler = new ml.VectorAssembler({ inputCols: ["a", "b", "c", "v"], outputCol: "o" });
    const rows = await assembler.transform(df as unknown as DataFrame).collect();
    expect(rows.map(({ o }) => String(o))).toEqual(spark.assembler);
  });
});

describe("KMeans", () => {
  /** The points of test/golden/spark-ml.py. */
  const u = uniform(120 * 3);
  const points = Array.from({ length: 120 }, (_, i) => ({
    id: i,
    features: [u[3 * i]! + (i % 4) * 3, u[3 * i + 1]! + (i % 2) * 5, u[3 * i + 2]! + 1],
  }));
  const frame = (partitions = 4) =>
    session.createDataFrame(points, "id INT, features ARRAY<DOUBLE>").repartition(partitions) as unknown as DataFrame;

  it.each(["euclidean", "cosine"] as const)("finds Spark's clusters: %s", async (distanceMeasure) => {
    const expected = spark.clusters[distanceMeasure];
    // What Spark finds depends on the seed, too: the best of eight is in the file.
    const model = await new ml.KMeans({ k: 4, seed: 2, distanceMeasure, maxIter: 50, initSteps: 5 }).fit(frame());
    const centers = model
      .clusterCenters()
      .map((c) => Array.from(c))
      .sort((a, b) => a[0]! - b[0]!);
    const { trainingCost, clusterSizes } = model.summary;
    expect(trainingCost).toBeCloseTo(expected.cost, 10);
    expect([...clusterSizes].sort()).toEqual(expected.sizes);
    expect(relativeDifference(centers.flat(), expected.centers.flat())).toBeLessThan(1e-12);
  });

  it("gives each row its nearest center, and the same bits however rows are partitioned", async () => {
    const models = [];
    for (const partitions of [1, 3, 7]) models.push(await new ml.KMeans({ k: 5, seed: 3 }).fit(frame(partitions)));
    const centers = models.map((model) => model.clusterCenters());
    expect(centers[1]).toEqual(centers[0]);
    expect(centers[2]).toEqual(centers[0]);
    const nearest = (x: readonly number[]) => {
      const distances = centers[0]!.map((c) => x.reduce((sum, value, j) => sum + (value - c[j]!) ** 2, 0));
      return distances.indexOf(Math.min(...distances));
    };
    const rows = await models[0]!.transform(frame()).collect();
    for (const { id, prediction } of rows) expect(prediction).toBe(nearest(points[id as number]!.features));
    expect(models[0]!.predict(points[7]!.features)).toBe(nearest(points[7]!.features));
    const cost = points.reduce((sum, { features }) => {
      const c = centers[0]![nearest(features)]!;
      return sum + features.reduce((s, value, j) => s + (value - c[j]!) ** 2, 0);
    }, 0);
    expect(models[0]!.summary.trainingCost).toBeCloseTo(cost, 9);
  });

  it("starts at random points too, and finds fewer clusters where fewer points differ", async () => {
    const random = await new ml.KMeans({ k: 4, seed: 2, initMode: "random", maxIter: 50 }).fit(frame());
    expect(random.clusterCenters()).toHaveLength(4);
    const same = session.createDataFrame(Array.from({ length: 9 }, (_, i) => ({ features: [i % 2, 1] })));
    const two = await new ml.KMeans({ k: 5 }).fit(same);
    expect(two.clusterCenters().map(String).sort()).toEqual(["[0.0,1.0]", "[1.0,1.0]"]);
    expect(two.summary.trainingCost).toBe(0);
  });

  it("checks its parameters and its rows", async () => {
    expect(() => new ml.KMeans({ k: 1 })).toThrow(/parameter k given invalid value 1/);
    expect(() => new ml.KMeans({ maxIter: -1 })).toThrow(/maxIter/);
    expect(() => new ml.KMeans({ tol: -1 })).toThrow(/tol/);
    expect(() => new ml.KMeans({ initMode: "x" as "random" })).toThrow(/initMode given invalid value x/);
    const strings = session.createDataFrame([{ features: ["a"] }]);
    await expect(new ml.KMeans().fit(strings)).rejects.toThrow(/Column features is array<string>, and KMeans takes/);
    const zeros = session.createDataFrame([{ features: [0, 0] }, { features: [1, 0] }]);
    await expect(new ml.KMeans({ distanceMeasure: "cosine" }).fit(zeros)).rejects.toThrow(/nothing but zeros/);
    await expect(new ml.KMeans().fit(frame().limit(0))).rejects.toThrow(/no rows to fit on/);
  });
});

describe("Pipeline", () => {
  it("fits its stages in order, and is the same after save and load", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({
      id: i,
      label: "cab"[i % 3],
      features: [Math.sin(i), Math.cos(i * 2), i % 3],
    }));
    const df = session.createDataFrame(rows, "id INT, label STRING, features ARRAY<DOUBLE>") as unknown as DataFrame;
    const pipeline = new ml.Pipeline({
      stages: [
        new ml.StringIndexer({ inputCol: "label", outputCol: "index", stringOrderType: "alphabetAsc" }),
        new ml.StandardScaler({ inputCol: "features", outputCol: "scaled", withMean: true }),
        new ml.PCA({ inputCol: "scaled", outputCol: "pca", k: 2 }),
        new ml.KMeans({ featuresCol: "pca", k: 3, seed: 1 }),
        new ml.IndexToString({ inputCol: "index", outputCol: "again" }),
        new ml.VectorAssembler({ inputCols: ["index", "pca"], outputCol: "all" }),
      ],
    });
    const model = await pipeline.fit(df);
    // Each stage has its own type: no cast.
    const [indexer, , pca, kmeans] = model.stages;
    expect([indexer.labels, pca.explainedVariance.length, kmeans.k]).toEqual([["a", "b", "c"], 2, 3]);
    const out = await model.transform(df).orderBy("id").collect();
    expect(out).toHaveLength(40);
    for (const row of out as Record<string, unknown>[]) {
      expect(row.again).toBe(row.label);
      expect(row.index).toBe("abc".indexOf(row.label as string));
      expect(Array.from(row.all as Float64Array)).toEqual([row.index, ...(row.pca as Float64Array)]);
    }
    const path = join(folder, "pipeline");
    await model.save(path);
    await expect(model.save(path)).rejects.toMatchObject({ name: "PathAlreadyExistsError" });
    const loaded = await ml.PipelineModel.load(path, df);
    expect(loaded.uid).toBe(model.uid);
    expect(await loaded.transform(df).orderBy("id").collect()).toEqual(out);
  });

  it("refuses what is no stage", () => {
    expect(() => new ml.Pipeline({ stages: ["x" as never] })).toThrow(/x cannot be a stage/);
  });
});
