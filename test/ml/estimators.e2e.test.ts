import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataFrame } from "../../src/frame/dataframe";
import type { EngineEvent, Session } from "../../src/index";
import { uniform } from "../numerics/data-sets";
import { elementwiseDifference, relativeDifference } from "../numerics/numeric";
import { golden } from "../support/golden";
import { ml, pomona } from "./built";

let session: Session;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-estimator-"));
  session = await pomona.Session.builder().master("local[2]").getOrCreate();
});
afterAll(async () => {
  await session?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Rows of 4 values that vary along two directions, with an id. */
function vectors(rows: number): DataFrame {
  const list = Array.from({ length: rows }, (_, id) => {
    const a = Math.sin(id * 1.7) * 3;
    const b = Math.cos(id * 0.9);
    return { id, features: [a, a + b, 2 * b + 100, 7] };
  });
  return session.createDataFrame(list, "id INT, features ARRAY<DOUBLE>") as unknown as DataFrame;
}

async function fitted(df: DataFrame, k = 2) {
  const scaler = await new ml.StandardScaler({ inputCol: "features", outputCol: "scaled", withMean: true }).fit(df);
  const pca = await new ml.PCA({ inputCol: "scaled", outputCol: "pca", k }).fit(scaler.transform(df));
  return { scaler, pca };
}

describe("fit and transform", () => {
  it("agree with numpy on float32 vectors in many partitions", async () => {
    const data = golden<Record<"mean" | "std" | "explained" | "components", readonly number[]>>("scaled-pca");
    const [u, a, b] = [uniform(260 * 40), uniform(260 * 2, 7), uniform(2 * 40, 11)];
    const rows = Array.from({ length: 260 }, (_, i) => ({
      features: Array.from({ length: 40 }, (_, j) =>
        Math.fround(Math.max((a[2 * i]! * b[j]! + a[2 * i + 1]! * b[40 + j]!) * 8 + u[40 * i + j]!, 0)),
      ),
    }));
    const df = session.createDataFrame(rows, "features ARRAY<FLOAT>").repartition(9) as unknown as DataFrame;
    const scaler = await new ml.StandardScaler({ inputCol: "features", outputCol: "scaled", withMean: true }).fit(df);
    expect(relativeDifference(scaler.mean, data.mean)).toBeLessThan(1e-12);
    expect(relativeDifference(scaler.std, data.std)).toBeLessThan(1e-12);
    const pca = await new ml.PCA({ inputCol: "scaled", outputCol: "pca", k: 0.7 }).fit(scaler.transform(df));
    expect(pca.k).toBe(data.explained.length);
    expect(elementwiseDifference(pca.explainedVariance, data.explained)).toBeLessThan(1e-10);
    expect(relativeDifference(pca.pc.values, data.components)).toBeLessThan(1e-9);
  });

  it("give the same to the last bit each time", async () => {
    const df = vectors(500).repartition(11);
    const [first, second] = [await fitted(df), await fitted(df)];
    expect(second.scaler.mean).toEqual(first.scaler.mean);
    expect(second.scaler.std).toEqual(first.scaler.std);
    expect(second.pca.pc.values).toEqual(first.pca.pc.values);
  });

  it("scale in the same stage that gathers co-moments, and keep plans small", async () => {
    const df = vectors(50);
    const { scaler, pca } = await fitted(df);
    const stages: string[] = [];
    const off = session.onEvent((event: EngineEvent) => {
      if (event.type === "stageStarted") stages.push(event.name);
    });
    await new ml.PCA({ inputCol: "scaled", outputCol: "pca", k: 1 }).fit(scaler.transform(df));
    off();
    expect(stages).toEqual(["ml.standardScale + ml.scatter"]);
    const small = session.createDataFrame([{ features: [1, 2, 3, 4] }]);
    expect(JSON.stringify(pca.transform(scaler.transform(small)).plan).length).toBeLessThan(2000);
  });

  it("name the column of a null vector, and the remedy", async () => {
    const rows = [{ features: [1, 2] }, { features: null }, { features: [3, 4] }];
    const df = session.createDataFrame(rows, "features ARRAY<DOUBLE>");
    const fitting = new ml.StandardScaler({ inputCol: "features", outputCol: "scaled" }).fit(df);
    await expect(fitting).rejects.toThrow(/features holds null/);
  });

  it("name a column that is not there before work starts", async () => {
    const fitting = new ml.PCA({ inputCol: "feature", outputCol: "pca", k: 1 }).fit(vectors(5));
    await expect(fitting).rejects.toThrow(/feature.*features/s);
  });

  it("say that there are no rows", async () => {
    const fitting = new ml.StandardScaler({ inputCol: "features", outputCol: "scaled" }).fit(vectors(9).limit(0));
    await expect(fitting).rejects.toThrow(/no rows to fit on in column features/);
  });

  it("say so where components are asked for that rows cannot have, and only there", async () => {
    const said: string[] = [];
    const off = session.onEvent((event: EngineEvent) => event.type === "message" && said.push(event.text));
    const rows = (count: number) =>
      session.createDataFrame(
        Array.from({ length: count }, (_, i) => ({ features: [i, i * i, Math.sin(i), 1] })),
        "features ARRAY<DOUBLE>",
      ) as unknown as DataFrame;
    const pca = new ml.PCA({ inputCol: "features", outputCol: "pca", k: 3 });
    expect((await pca.fit(rows(4))).k).toBe(3);
    expect(said).toEqual([]);
    expect((await pca.fit(rows(3))).explainedVariance[2]).toBeCloseTo(0, 12);
    off();
    expect(said).toEqual([expect.stringMatching(/^PCA: 3 components of 3 rows\. .* Ask for k: 2 at most/)]);
  });

  it("check their options", () => {
    for (const k of [0, -1, 1.5, Number.NaN]) {
      expect(() => new ml.PCA({ inputCol: "a", outputCol: "b", k })).toThrow(/PCA cannot have k/);
    }
    expect(() => new ml.PCA({ inputCol: "", outputCol: "b", k: 2 })).toThrow(/PCA needs inputCol/);
  });

  it("stop when asked to", async () => {
    const abort = new AbortController();
    const scaler = new ml.StandardScaler({ inputCol: "features", outputCol: "scaled" });
    const fitting = scaler.fit(vectors(2000).repartition(200), { signal: abort.signal });
    // In the middle of it, however fast it is.
    const off = session.onEvent((event: EngineEvent) => event.type === "taskStarted" && abort.abort());
    await expect(fitting).rejects.toMatchObject({ name: "CancelledError" });
    off();
  });
});

describe("saved models", () => {
  it("come back with the same numbers and transform alike", async () => {
    const df = vectors(60);
    const { scaler, pca } = await fitted(df);
    await scaler.save(join(folder, "scaler"));
    await pca.save(join(folder, "pca"));
    const scaler2 = await ml.StandardScalerModel.load(join(folder, "scaler"), df);
    const pca2 = await ml.PCAModel.load(join(folder, "pca"), df);
    expect(scaler2).toMatchObject({ uid: scaler.uid, inputCol: "features", outputCol: "scaled", withMean: true });
    expect(scaler2.mean).toEqual(scaler.mean);
    expect(scaler2.std).toEqual(scaler.std);
    expect(pca2).toMatchObject({ uid: pca.uid, k: 2, pc: pca.pc, explainedVariance: pca.explainedVariance });
    const before = await pca.transform(scaler.transform(df)).collect();
    expect(await pca2.transform(scaler2.transform(df)).collect()).toEqual(before);
    expect(JSON.parse(readFileSync(join(folder, "pca", "metadata.json"), "utf8"))).toMatchObject({
      class: "PCAModel",
      uid: pca.uid,
      pomonaVersion: pomona.VERSION,
      paramMap: { inputCol: "scaled", outputCol: "pca", k: 2 },
    });
  });

  it("are not written over unless asked, and then leave nothing of the old one", async () => {
    const path = join(folder, "twice");
    const [first, second] = [await fitted(vectors(30)), await fitted(vectors(40))];
    await first.pca.save(path);
    await expect(second.pca.save(path)).rejects.toMatchObject({ name: "PathAlreadyExistsError" });
    expect((await ml.PCAModel.load(path)).pc).toEqual(first.pca.pc);
    await second.pca.save(path, { mode: "overwrite" });
    expect((await ml.PCAModel.load(path)).pc).toEqual(second.pca.pc);
    expect(readdirSync(path)).toHaveLength(2);
  });

  it("are refused by name where they are damaged", async () => {
    const { scaler } = await fitted(vectors(30));
    const damaged = async (name: string, damage: (path: string, data: string) => void) => {
      const path = join(folder, name);
      await scaler.save(path);
      damage(path, join(path, readdirSync(path).find((file) => file.startsWith("data-"))!));
      return ml.StandardScalerModel.load(path);
    };
    const refused = (problem: RegExp) => ({ name: "ModelFormatError", message: expect.stringMatching(problem) });
    await expect(damaged("cut", (_, data) => truncateSync(data, 40))).rejects.toMatchObject(refused(/cut short/));
    await expect(damaged("lost", (_, data) => rmSync(data))).rejects.toMatchObject(refused(/data-.* is missing/));
    await expect(damaged("bare", (path) => rmSync(join(path, "metadata.json")))).rejects.toMatchObject(
      refused(/metadata.json is missing/),
    );
    await expect(damaged("garbled", (path) => writeFileSync(join(path, "metadata.json"), "{"))).rejects.toMatchObject(
      refused(/metadata.json is not whole/),
    );
    await expect(ml.PCAModel.load(join(folder, "cut"))).rejects.toMatchObject(refused(/not a PCAModel/));
    await expect(ml.PCAModel.load(join(folder, "nowhere"))).rejects.toMatchObject({ name: "PathNotFoundError" });
  });

  it("say how to use them where they have not been sent to the session", async () => {
    const df = vectors(30);
    const { scaler } = await fitted(df);
    const path = join(folder, "unsent");
    await scaler.save(path);
    const loaded = await ml.StandardScalerModel.load(path);
    expect(() => loaded.transform(df)).toThrow(/load it with StandardScalerModel.load\(path, session\)/);
    expect(await (await loaded.broadcast(df)).transform(df).count()).toBe(30);
  });
});

describe("balancedSample", () => {
  const classes = (sizes: Readonly<Record<string, number>>) =>
    session.createDataFrame(
      Object.entries(sizes).flatMap(([label, size]) =>
        Array.from({ length: size }, (_, i) => ({ path: `${label}/${i}`, label })),
      ),
    );
  const sizesOf = async (df: { collect(): Promise<{ label: string }[]> }) => {
    const sizes: Record<string, number> = {};
    for (const { label } of await df.collect()) sizes[label] = (sizes[label] ?? 0) + 1;
    return sizes;
  };

  it.each([
    [{ a: 20, b: 500, c: 700 }, 300, [20, 140, 140]],
    [{ a: 100, b: 100, c: 100 }, 30, [10, 10, 10]],
    [{ a: 3, b: 5, c: 1000 }, 100, [3, 5, 92]],
    [{ a: 4, b: 4 }, 100, [4, 4]],
    [{ a: 9, b: 9, c: 9 }, 2, [1, 1]],
    [{ a: 9, b: 9, c: 9 }, 10, [3, 3, 4]],
  ])("shares out %o, %i rows, as evenly as it goes", async (sizes, n, expected) => {
    const sample = ml.balancedSample(classes(sizes), { by: "label", n, seed: 1 });
    expect(Object.values(await sizesOf(sample)).sort((a, b) => a - b)).toEqual(expected);
  });

  it("takes the same rows for the same seed, others for another, and none twice", async () => {
    const df = classes({ a: 50, b: 60, c: 70 });
    const paths = async (seed: number) =>
      (await ml.balancedSample(df, { by: "label", n: 30, seed }).collect()).map((row) => row.path).sort();
    const first = await paths(7);
    expect(new Set(first).size).toBe(30);
    expect(await paths(7)).toEqual(first);
    expect(await paths(8)).not.toEqual(first);
  });

  it("refuses a number of rows that makes no sense", () => {
    expect(() => ml.balancedSample(classes({ a: 1 }), { by: "label", n: 0 })).toThrow(/cannot take 0 rows/);
  });
});
