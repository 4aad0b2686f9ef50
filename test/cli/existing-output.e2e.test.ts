import { cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { expectError, filesIn, QUICK, type Running, resultOf, stateOf, until, workplace } from "./command-line";

const at = workplace();
const featurize = (src: string, dst: string, ...more: string[]) => ["featurize", src, dst, ...QUICK, ...more];
const pca = (src: string, dst: string, ...more: string[]) => ["pca", src, dst, "--k", "2", "-q", ...more];

describe("an output inside an input", () => {
  it("is refused either way round, through links too, and nothing is touched", async () => {
    await at.fruits("fruits", { classes: 2, perClass: 2 });
    symlinkSync(at.path("fruits"), at.path("link"));
    const [first = ""] = readdirSync(at.path("fruits"));
    const before = stateOf(at.path("fruits"));
    const refusals = [
      ["fruits", "fruits/out", /out lies inside the input/],
      [`fruits/${first}`, "fruits", /fruits contains the input/],
      ["fruits", "fruits/", /fruits is also read/],
      ["fruits", "link/out", /out lies inside the input/],
      ["link", "fruits/out", /out lies inside the input/],
      ["fruits", ".", /contains the input/],
    ] as const;
    for (const [src, dst, says] of refusals) {
      const outcome = await at.pomona(featurize(src, dst, "--mode", "overwrite"));
      expectError(outcome, "OutputInsideInputError", [says, /Write to a folder outside/]);
    }
    expect(stateOf(at.path("fruits"))).toEqual(before);
    expect(readdirSync(at.path()).sort()).toEqual(["fruits", "link", "tmp"]);
  });

  it("pca never overwrites what it reads", async () => {
    await at.fruits("fruits", { classes: 2, perClass: 2 });
    resultOf(await at.pomona(featurize("fruits", "features", "--json")));
    symlinkSync(at.path("features"), at.path("link"));
    const before = stateOf(at.path("features"));
    for (const dst of ["features", "link", "features/pca"]) {
      const outcome = await at.pomona(pca("features", dst, "--mode", "overwrite"));
      expectError(outcome, "OutputInsideInputError", [/features/]);
    }
    expect(stateOf(at.path("features"))).toEqual(before);
  });
});

describe("an output that exists", () => {
  it("featurize: errorifexists, ignore, append, overwrite", async () => {
    await at.fruits("fruits", { classes: 2, perClass: 2 });
    const run = (...more: string[]) => at.pomona(featurize("fruits", "out", "--partitions", "2", ...more));
    expect(resultOf(await run("--json"))).toMatchObject({ rows: 4, files: 2, skipped: false });
    const before = stateOf(at.path("out"));

    expectError(await run(), "PathAlreadyExistsError", [/out exists and holds 3 files/, /"overwrite", "append"/]);
    expect(resultOf(await run("--json", "--mode", "ignore"))).toMatchObject({ rows: 0, files: 0, skipped: true });
    expect((await run("--mode", "ignore")).stdout).toBe("out holds data already; nothing was written (mode ignore).\n");
    expect(stateOf(at.path("out"))).toEqual(before);

    resultOf(await run("--json", "--mode", "append"));
    expect(await at.rowsOf("out")).toHaveLength(8);
    expect(stateOf(at.path("out"))).toEqual(expect.arrayContaining(before.filter((file) => file.startsWith("part-"))));

    resultOf(await run("--json", "--mode", "overwrite"));
    expect(await at.rowsOf("out")).toHaveLength(4);
    expect(filesIn(at.path("out"))).toEqual(["_SUCCESS", expect.any(String), expect.any(String)]);
    expect(readdirSync(at.path("tmp"))).toEqual([]);
  });

  it("pca: errorifexists, ignore, append, overwrite; it looks before it fits", async () => {
    await at.fruits("fruits", { classes: 3, perClass: 2 });
    resultOf(await at.pomona(featurize("fruits", "features", "--json")));
    const run = (...more: string[]) => at.pomona(pca("features", "out", ...more));
    expect(resultOf(await run("--json"))).toMatchObject({ rows: 6, k: 2 });
    const before = stateOf(at.path("out"));

    expectError(await run(), "PathAlreadyExistsError", [/out exists and holds \d+ files/, /"overwrite", "append"/]);
    expectError(await at.pomona(pca("nowhere", "out")), "PathAlreadyExistsError", [/out exists/]);
    expect(resultOf(await run("--json", "--mode", "ignore"))).toMatchObject({ rows: 0, skipped: true });
    expect(stateOf(at.path("out"))).toEqual(before);

    resultOf(await run("--json", "--mode", "append"));
    expect(await at.rowsOf("out")).toHaveLength(12);
    resultOf(await run("--json", "--mode", "overwrite"));
    expect(await at.rowsOf("out")).toHaveLength(6);
  });

  it("other columns are not appended: nothing could read the mixture", async () => {
    await at.fruits("fruits", { classes: 2, perClass: 2 });
    resultOf(await at.pomona(featurize("fruits", "features", "--json")));
    resultOf(await at.pomona(pca("features", "out", "--json")));
    const before = stateOf(at.path("out"));
    const outcome = await at.pomona(featurize("fruits", "out", "--mode", "append"));
    const says = [/out has the columns path string, label string, pca array<double>/, /has .*features array<float>/];
    expectError(outcome, "SchemaMismatchError", says);
    expect(stateOf(at.path("out"))).toEqual(before);

    // Where something else made the mixture, a column that a file lacks is null, as Spark reads it, and validate says so.
    const part = filesIn(at.path("features"))?.find((name) => name.startsWith("part-")) ?? "";
    cpSync(at.path("features", part), at.path("out", "part-99999-foreign.parquet"));
    const report = await at.pomona(["validate", "out", "-q"]);
    expect(report.code).toBe(1);
    expect(report.stdout).toMatch(/problem: pca is null in \d+ rows?/);
  });

  it("pca does not begin where the models could not be saved", async () => {
    await at.fruits("fruits", { classes: 2, perClass: 2 });
    resultOf(await at.pomona(featurize("fruits", "features", "--json")));
    at.file("models/pca/precious.txt", "mine");
    const refused = await at.pomona(pca("features", "out", "--save-model", "models"));
    expectError(refused, "PathAlreadyExistsError", [/something at models\/pca already/, /--mode overwrite/]);
    at.expectNothing();
    expect(filesIn(at.path("models"))).toEqual(["pca/precious.txt"]);
    resultOf(await at.pomona(pca("features", "out", "--save-model", "models2", "--json")));
    expect(filesIn(at.path("models2"))).toContain("pca/metadata.json");
  });

  it("a file, or a folder below a file, is no place for a data set", async () => {
    await at.fruits("fruits", { classes: 1, perClass: 1 });
    at.file("note.txt", "mine");
    const file = await at.pomona(featurize("fruits", "note.txt", "--mode", "overwrite"));
    expectError(file, "PathAlreadyExistsError", [/note\.txt is a file/, /another path/]);
    const below = await at.pomona(featurize("fruits", "note.txt/out"));
    expectError(below, "StorageError", [/note\.txt\/out/, /is a file, not a folder/, /another one/]);
    expect(filesIn(at.path())?.filter((name) => !name.startsWith("fruits/"))).toEqual(["note.txt"]);
  });

  it("overwriting foreign files is refused by both commands, and nothing is deleted", async () => {
    await at.fruits("fruits", { classes: 2, perClass: 2 });
    resultOf(await at.pomona(featurize("fruits", "features", "--json")));
    for (const name of ["out/thesis.docx", "out/notes/part-of-my-life.txt", "out/data.csv"]) at.file(name, "precious");
    const before = stateOf(at.path("out"));
    for (const args of [
      featurize("fruits", "out", "--mode", "overwrite"),
      pca("features", "out", "--mode", "overwrite"),
    ]) {
      const says = [/out holds 2 files that no write made/, /data\.csv/, /thesis\.docx/, /move those files away/];
      expectError(await at.pomona(args), "ForeignFilesError", says);
    }
    expect(stateOf(at.path("out"))).toEqual(before);
  });

  it("an empty folder is an output like any other, and stays when the job fails", async () => {
    await at.fruits("fruits", { classes: 1, perClass: 1 });
    at.file("bad/A/zero.jpg", "");
    mkdirSync(at.path("out"));
    expectError(await at.pomona(featurize("bad", "out")), "CorruptImageError", [/zero\.jpg/]);
    expect(readdirSync(at.path("out"))).toEqual([]);
    expect(resultOf(await at.pomona(featurize("fruits", "out", "--json")))).toMatchObject({ rows: 1 });
  });
});

describe("two processes and one output", () => {
  const started: Running[] = [];
  afterEach(() => {
    for (const { process } of started.splice(0)) process.kill("SIGKILL");
  });
  const start = (...args: Parameters<typeof at.start>) => {
    const running = at.start(...args);
    started.push(running);
    return running;
  };

  it("the second is refused while the first writes, whatever its mode; the first ends undisturbed", async () => {
    await at.fruits("fruits", { classes: 4, perClass: 10 });
    const first = start(featurize("fruits", "out", "--json", "--master", "local[1]", "--partitions", "20"));
    await until(() => (filesIn(at.path("out")) ?? []).some((name) => name.endsWith("job.json")), "the first job");
    first.process.kill("SIGSTOP");
    for (const mode of ["errorifexists", "overwrite", "append", "ignore"]) {
      const second = await at.pomona(featurize("fruits", "out", "--mode", mode));
      expectError(second, "ConcurrentWriteError", [`Process ${first.process.pid} on `, /Wait for it to end, stop it/]);
    }
    first.process.kill("SIGCONT");
    expect(resultOf(await first.ended)).toMatchObject({ rows: 40, files: 20 });
    expect((await at.pomona(["validate", "out", "--rows", "40", "-q"])).code).toBe(0);
  });

  it("of several started at once exactly one writes", async () => {
    await at.fruits("fruits", { classes: 2, perClass: 5 });
    const all = Array.from({ length: 4 }, () => start(featurize("fruits", "out", "--json", "--master", "local[1]")));
    const outcomes = await Promise.all(all.map((running) => running.ended));
    expect(outcomes.filter((outcome) => outcome.code === 0)).toHaveLength(1);
    for (const outcome of outcomes.filter(({ code }) => code !== 0)) {
      expect(outcome.stderr).toMatch(/^(ConcurrentWriteError|PathAlreadyExistsError): /);
      expect(outcome.code).toBe(1);
    }
    expect((await at.pomona(["validate", "out", "--rows", "10", "-q"])).code).toBe(0);
  });
});
