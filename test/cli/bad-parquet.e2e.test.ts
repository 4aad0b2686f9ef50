import { mkdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runPython } from "../support/python";
import { expectError, resultOf, workplace } from "./command-line";

const at = workplace();

describe("Parquet that is not as it should be", () => {
  const commands = (src: string) => [
    ["pca", src, "out", "--k", "2", "-q"],
    ["validate", src, "-q"],
    ["show", src, "-q"],
  ];

  it("a part cut short at any place, or empty, is named by each command", async () => {
    vectors("data", "rows");
    const whole = readFileSync(at.path("data/a.parquet"));
    for (const keep of [0, 3, whole.length >> 1, whole.length - 1]) {
      const part = at.file("data/a.parquet", whole.subarray(0, keep));
      for (const args of commands("data")) {
        expectError(await at.pomona(args), "CorruptParquetError", [`file:${part}`, /cut short/, /write or fetch/]);
      }
    }
    at.expectNothing();
  });

  it("damage inside a part is found by the command that reads there", async () => {
    vectors("data", "rows * 50");
    const damaged = readFileSync(at.path("data/a.parquet"));
    damaged.fill(0x5a, damaged.length >> 1, (damaged.length >> 1) + 200);
    const part = at.file("data/a.parquet", damaged);
    expectError(await at.pomona(["pca", "data", "out", "--k", "2", "-q"]), "CorruptParquetError", [`file:${part}`]);
    expectError(await at.pomona(["validate", "data", "-q"]), "CorruptParquetError", [`file:${part}`]);
    at.expectNothing();
  });

  it("no such path, no Parquet in it, no such column: named, with the nearest", async () => {
    vectors("data", "rows");
    mkdirSync(at.path("empty"));
    for (const args of commands("nowhere")) {
      expectError(await at.pomona(args), "PathNotFoundError", [at.path("nowhere"), /Check the path/]);
    }
    for (const args of commands("empty")) {
      expectError(await at.pomona(args), "PathNotFoundError", [/no Parquet file in empty/, /Check the path/]);
    }
    const pca = await at.pomona(["pca", "data", "out", "--column", "featurs", "-q"]);
    expectError(pca, "UnresolvedColumnError", [/name `featurs` cannot be resolved/, /following\? \[`features`/]);
    const validate = await at.pomona(["validate", "data", "--column", "feature", "-q"]);
    expectError(validate, "UnresolvedColumnError", [/name `feature` cannot be resolved/, /following\? \[`features`/]);
    const text = await at.pomona(["pca", "data", "out", "--column", "path", "-q"]);
    expectError(text, "IllegalArgumentError", [
      /Column path is string, and StandardScaler takes vectors or arrays of numbers/,
    ]);
    at.expectNothing();
  });

  it("no column of vectors at all", async () => {
    runPython(
      `import pyarrow, pyarrow.parquet, sys
pyarrow.parquet.write_table(pyarrow.table({"size": [1, 2]}), sys.argv[1])`,
      [at.path("plain.parquet")],
    );
    const pca = await at.pomona(["pca", "plain.parquet", "out", "-q"]);
    expectError(pca, "UnresolvedColumnError", [/name `features` cannot be resolved/, /following\? \[`size`/]);
    const validate = await at.pomona(["validate", "plain.parquet", "-q"]);
    expectError(validate, "AnalysisError", [/No column is an array of numbers or a vector/, /size bigint/]);
    at.expectNothing();
  });

  it.each([
    [
      "ragged vectors",
      "rows + [[1.0, 2.0]]",
      "(VectorRowError|IllegalArgumentError)",
      /array of 2 values where the first row has 6|values and others/,
    ],
    ["empty vectors", "[[], []]", "VectorRowError", /an empty array/],
    ["NaN", "rows + [[1, 2, float('nan'), 4, 5, 6]]", "VectorRowError", /features holds NaN inside an array/],
    ["infinity", "rows + [[1, 2, float('inf'), 4, 5, 6]]", "VectorRowError", /features holds Infinity inside/],
    ["null in a vector", "rows + [[1, 2, None, 4, 5, 6]]", "VectorRowError", /features holds null inside an array/],
    ["a null vector", "rows + [None]", "NullVectorsError", /features is null in 1 of 21 rows/],
    ["no rows", "[]", "IllegalArgumentError", /no rows to fit on in column features/],
    ["one row", "rows[:1]", "IllegalArgumentError", /at least two rows, not 1/],
    ["equal rows", "rows[:1] * 5", "IllegalArgumentError", /All rows are equal/],
  ])("pca names %s, and validate calls it a problem", async (_what, rows, name, reason) => {
    vectors("data", rows);
    expectError(await at.pomona(["pca", "data", "out", "--k", "2", "-q"]), name, [reason]);
    at.expectNothing();
    const report = await at.pomona(["validate", "data", "--rows", "20", "--dimension", "6", "-q"]);
    expect(report.stdout).toMatch(/problem: (features|There are)/);
    expect(report.code).toBe(1);
  });

  it("more components than values are refused; more than rows are there, without variance", async () => {
    vectors("data", "rows[:4]");
    const refused = await at.pomona(["pca", "data", "out", "--k", "7", "-q"]);
    expectError(refused, "IllegalArgumentError", [/k is 7, but the vectors have only 6 values/, /at most 6/]);
    at.expectNothing();
    const result = resultOf(await at.pomona(["pca", "data", "out", "--k", "6", "-q", "--json"]));
    const variance = result.explainedVariance as number[];
    expect(variance).toHaveLength(6);
    for (const none of variance.slice(3)) expect(Math.abs(none)).toBeLessThan(1e-12);
    expect((await at.pomona(["validate", "out", "--rows", "4", "--dimension", "6", "-q"])).code).toBe(0);
  });

  it("validate tells rows and dimension that are not as expected, and exits with 1", async () => {
    vectors("data", "rows");
    const text = await at.pomona(["validate", "data", "--rows", "21", "--dimension", "5", "-q"]);
    expect(text.stdout).toMatch(/There are 20 rows where 21 are expected/);
    expect(text.stdout).toMatch(/features has not 5 values in 20 rows, such as p0, p1, p2/);
    expect(text.code).toBe(1);
    const json = await at.pomona(["validate", "data", "--rows", "20", "--dimension", "6", "-q", "--json"]);
    // pyarrow leaves no _SUCCESS; that is the only thing to say.
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      rows: 20,
      problems: [/_SUCCESS is missing/].map((r) => expect.stringMatching(r)),
    });
    expect(json.code).toBe(1);
    const file = await at.pomona(["validate", "data/a.parquet", "--rows", "20", "--dimension", "6", "-q"]);
    expect(file.code).toBe(0);
  });

  /** Writes `<name>/a.parquet` by pyarrow; `rows` is a Python expression over 20 rows of 6 numbers. */
  function vectors(name: string, rows: string) {
    mkdirSync(at.path(name), { recursive: true });
    runPython(
      `import numpy, pyarrow, pyarrow.parquet, sys
rows = numpy.random.default_rng(0).normal(size=(20, 6)).tolist()
rows = ${rows}
table = pyarrow.table({
    "path": [f"p{i}" for i in range(len(rows))],
    "features": pyarrow.array(rows, pyarrow.list_(pyarrow.float32())),
})
pyarrow.parquet.write_table(table, sys.argv[1], use_dictionary=False)`,
      [at.path(name, "a.parquet")],
    );
  }
});
