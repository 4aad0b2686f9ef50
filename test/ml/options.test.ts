import { describe, expect, it } from "vitest";
import * as F from "../../src/functions";
import * as ml from "../../src/ml";

const PCA = 'new PCA({ k: 100, inputCol: "features", outputCol: "pca" })';
const given = { inputCol: "a", outputCol: "b" };

describe("parameters as PySpark writes them are errors that say the line to write", () => {
  const pca = new ml.PCA({ k: 3, ...given });
  const models = [
    new ml.StringIndexerModel({ uid: "x", handleInvalid: "error", ...given }, ["a"]),
    new ml.PipelineModel("x", []),
  ];
  const untyped = (value: unknown) => value as Record<string, (...values: unknown[]) => unknown>;
  const made = (type: unknown, ...values: unknown[]) => Reflect.construct(type as new () => unknown, values);

  it.each<[call: string, run: () => unknown, message: string]>([
    ["new PCA()", () => made(ml.PCA), `PCA takes its parameters in one object.\nWrite ${PCA}.`],
    ["values in a row", () => made(ml.PCA, 3, "a", "b"), `PCA takes its parameters in one object.\nWrite ${PCA}.`],
    [
      "snake case",
      () => made(ml.PCA, { k: 3, input_col: "a" }),
      `PCA has no parameter "input_col".\nDid you mean inputCol? It has inputCol, outputCol, k: ${PCA}.`,
    ],
    [
      "setK",
      () => untyped(pca).setK?.(3),
      `PCA has no setK.\nParameters are given in one object when it is made: ${PCA}.`,
    ],
    ["getK", () => untyped(pca).getK?.(), "PCA has no getK.\nRead the property k."],
    ["setParams", () => untyped(pca).setParams?.({ k: 3 }), "PCA has no setParams."],
    ["a model's setter", () => untyped(models[0]).setOutputCol?.("x"), "StringIndexerModel has no setOutputCol."],
    ["a model's getter", () => untyped(models[1]).getStages?.(), "Read the property stages."],
    ["new StandardScaler()", () => made(ml.StandardScaler), "new StandardScaler({"],
    ["with_mean", () => made(ml.StandardScaler, { ...given, with_mean: true }), "Did you mean withMean?"],
    ["KMeans().setK(2)", () => untyped(new ml.KMeans()).setK?.(2), "new KMeans({ k: 3"],
    ["KMeans(k, …)", () => made(ml.KMeans, 3), "KMeans takes its parameters in one object."],
    ["max_iter", () => made(ml.KMeans, { max_iter: 3 }), "Did you mean maxIter?"],
    ["new StringIndexer()", () => made(ml.StringIndexer), "new StringIndexer({"],
    ["inputCols", () => made(ml.StringIndexer, { inputCols: ["a"] }), 'StringIndexer has no parameter "inputCols".'],
    ["new IndexToString()", () => made(ml.IndexToString), "new IndexToString({"],
    ["new VectorAssembler()", () => made(ml.VectorAssembler), "new VectorAssembler({"],
    ["VectorAssembler([…])", () => made(ml.VectorAssembler, ["a"], "b"), "in one object"],
    ["new Pipeline()", () => made(ml.Pipeline), "new Pipeline({ stages: [scaler, pca] })"],
    ["Pipeline([…])", () => made(ml.Pipeline, []), "Pipeline takes its parameters in one object."],
    ["Pipeline({})", () => made(ml.Pipeline, {}), "Pipeline needs stages."],
    ["F.expr", () => F.expr("b + 1"), "There are no columns of SQL text here"],
  ])("%s", (_call, run, message) => {
    expect(run).toThrow(message);
  });

  it("and what is spread from another is taken", () => {
    expect(new ml.PCA({ ...pca, k: 5 }).k).toBe(5);
    expect(Object.keys(pca)).toEqual(["uid", "inputCol", "outputCol", "k"]);
  });
});
