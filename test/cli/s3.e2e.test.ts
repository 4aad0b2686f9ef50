import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PCAModel } from "../../src/ml";
import { imageGrid } from "../../src/plot";
import { Session } from "../../src/session/session";
import { copyTree } from "../../src/storage/copy-tree";
import { type Url, urlOf } from "../../src/storage/location";
import { storagesFrom } from "../../src/storage/storages";
import { writeNotebook } from "../support/notebook-file";
import { startFaultProxy } from "../support/s3-fault-proxy";
import { type S3Fault, s3Errors } from "../support/s3-faults";
import { type S3Server, startS3 } from "../support/s3-server";
import { expectError, filesIn, QUICK, resultOf, until, workplace } from "./command-line";
import { heldAfter } from "./held-tasks";
import { cellsOf, errorsOf, textOf } from "./notebooks";

const at = workplace();
let server: S3Server;
const pomona = (...args: string[]) => at.pomona(args, { env: server.env });

beforeAll(async () => {
  server = await startS3({ buckets: ["fruits", "left", "notebooks"] });
});
afterAll(() => server.stop());

/** Rows by the last two names of their path, since the first ones differ. */
async function rowsAt(path: string): Promise<Map<string, unknown>> {
  const outcome = await pomona("show", path, "--json", "-n", "1000", "-q");
  expect(outcome.code, outcome.stderr).toBe(0);
  const rows = outcome.stdout.split("\n").filter(Boolean);
  return new Map(
    rows.map((line) => {
      const { path: from, ...values } = JSON.parse(line) as { path: string };
      return [from.split("/").slice(-2).join("/"), values];
    }),
  );
}

describe("the commands in S3", () => {
  it("give what they give on disk, bit for bit", async () => {
    const fruits = await at.fruits("fruits", { classes: 6, perClass: 17 });
    const s3 = storagesFrom(server.settings);
    expect(await copyTree(fruits, "s3://fruits/Test", { storages: s3 })).toMatchObject({ copied: 102 });

    const sampled = resultOf(await pomona("sample", "fruits", "sample", "-n", "96", "-q", "--json"));
    const inS3 = ["sample", "s3a://fruits/Test", "s3://fruits/sample", "-n", "96", "-q", "--json"];
    const sampledThere = await pomona(...inS3);
    expect(resultOf(sampledThere)).toEqual(sampled);
    // A hundred requests under one signal are no leak.
    expect(sampledThere.stderr).not.toContain("Warning");
    expect((await server.keys("fruits")).filter((key) => key.startsWith("sample/")).map((key) => key.slice(7))).toEqual(
      filesIn(at.path("sample")),
    );
    expect(resultOf(await pomona(...inS3))).toMatchObject({ copied: 0, skipped: 96 });

    const featurize = (from: string, to: string, ...more: string[]) =>
      pomona("featurize", from, to, ...QUICK, "--partitions", "4", "--json", ...more);
    expect(resultOf(await featurize("sample", "features"))).toMatchObject({ rows: 96 });
    expect(resultOf(await featurize("s3://fruits/sample", "s3a://fruits/features"))).toMatchObject({ rows: 96 });
    const features = await rowsAt("features");
    expect(features.size).toBe(96);
    expect(await rowsAt("s3n://fruits/features")).toEqual(features);
    expectError(await featurize("s3://fruits/sample", "s3://fruits/features"), "PathAlreadyExistsError", [/s3:/]);
    // Globs and lists, as of local folders.
    const some = resultOf(await featurize("s3://fruits/{sample,none}/A*", "s3://fruits/some"));
    expect(some.rows).toBe([...features.keys()].filter((name) => name.startsWith("A")).length);
    expect((await rowsAt("s3://fruits/so*")).size).toBe(some.rows);

    const reduced = ["--k", "5", "-q", "--json", "--save-model"];
    const { explainedVariance } = resultOf(await pomona("pca", "features", "pca", ...reduced, "models"));
    const there = await pomona("pca", "s3://fruits/features", "s3://fruits/pca", ...reduced, "s3://fruits/models");
    expect(resultOf(there).explainedVariance).toEqual(explainedVariance);
    expect(await rowsAt("s3://fruits/pca")).toEqual(await rowsAt("pca"));
    const valid = await pomona("validate", "s3://fruits/features", "--rows", "96", "--dimension", "1280", "-q");
    expect([valid.code, valid.stdout]).toEqual([0, expect.stringMatching(/: valid\n/)]);

    const session = await Session.builder().master("local[1]").config(server.settings).getOrCreate();
    try {
      const model = await PCAModel.load("s3://fruits/models/pca");
      expect([...model.explainedVariance]).toEqual(explainedVariance);
      const paths = (await server.keys("fruits")).filter((key) => key.startsWith("sample/")).slice(0, 2);
      const grid = await imageGrid(paths.map((key) => `s3://fruits/${key}`));
      expect(JSON.stringify(grid)).toContain("data:image");
    } finally {
      await session.stop();
    }
    expect((await server.keys("fruits")).filter((key) => key.includes("_temporary"))).toEqual([]);
    expect(await server.uploads("fruits")).toEqual([]);
  });

  it("take settings by --conf, and never show a secret", async () => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL_S3, ...env } = server.env;
    await server.put("fruits/plain/a.csv", "a\n1\n");
    const conf = Object.entries(server.settings).flatMap(([name, value]) => ["--conf", `${name}=${value}`]);
    const shown = await at.pomona(["clean", "s3://fruits/plain", "--dry-run", ...conf], { env });
    expect([shown.code, shown.stdout]).toEqual([0, "Nothing is left over at s3://fruits/plain.\n"]);
    const wrong = ["--conf", "spark.hadoop.fs.s3a.secret.key=hush-hush-1", "--conf", "fs.s3a.connection.maximum=many"];
    const refused = await at.pomona(["show", "s3://fruits/plain", ...conf, ...wrong], { env });
    expect(refused.code).not.toBe(0);
    for (const secret of ["hush-hush-1", AWS_SECRET_ACCESS_KEY as string])
      expect(refused.stderr + refused.stdout).not.toContain(secret);
    const none = await at.pomona(["show", "s3://fruits/plain", "--conf", "hush-hush-2"], { env });
    expect(none.stderr).not.toContain("hush-hush-2");
    expectError(none, "UsageError", [/--conf takes NAME=VALUE/], 2);
  });
});

describe("pomona clean", () => {
  const featurize = (dst: string) => [
    "featurize",
    "fruits",
    dst,
    ...QUICK,
    "--master",
    "local[1]",
    "--partitions",
    "10",
  ];

  it.each([["s3://left/out"], ["out"]])(
    "removes what a killed run left at %s, and nothing of one that runs",
    async (dst) => {
      await at.fruits("fruits", { classes: 2, perClass: 10 });
      const isS3 = dst.startsWith("s3:");
      const names = async () => (isS3 ? server.keys("left") : (filesIn(at.path("out")) ?? []));
      const running = at.start(featurize(dst), { env: server.env, ...heldAfter(at, 6) });
      const finished = async () => (await names()).filter((name) => /\/task-\d+\.json$/.test(name)).length;
      await expect.poll(finished).toBe(3);
      running.process.kill("SIGSTOP");
      const before = await names();
      const busy = await pomona("clean", dst, "--older-than", "0s");
      expect([busy.code, busy.stderr]).toEqual([0, ""]);
      expect(busy.stdout).toMatch(/^kept .*\/_temporary\/.* is writing /m);
      expect(busy.stdout).toMatch(/^0 leftovers removed/m);
      expect((await names()).filter((name) => !name.includes("clock-"))).toEqual(before);

      running.process.kill("SIGKILL");
      await running.ended;
      const state = await names();
      const dry = await pomona("clean", dst, "--dry-run");
      expect(dry.stdout).toMatch(
        isS3
          ? /^would remove .*unfinished write, \d+ files, \d+ uploads of unknown size, .* old/m
          : /^would remove .*unfinished write, \d+ files, /m,
      );
      expect(await names()).toEqual(state);
      const done = JSON.parse((await pomona("clean", dst, "--json")).stdout) as {
        removed: number;
        leftovers: object[];
      };
      expect(done).toMatchObject({ removed: 1, leftovers: [{ kind: "write" }] });
      expect(await names()).toEqual([]);
      if (isS3) expect(await server.uploads("left")).toEqual([]);
      else expect(existsSync(at.path("out"))).toBe(false);
    },
  );

  it("leaves an interrupted commit to the write that finishes it, and judges what has no lock by its age", async () => {
    const s3 = storagesFrom(server.settings).for(urlOf("s3://left/x"));
    await server.put("left/mixed/_temporary/job-1/job.json", "{}");
    await server.put("left/mixed/_temporary/job-1/commit.json", "{}");
    await server.put("left/mixed/part-00000-job-1-c000.snappy.parquet", "x");
    const draft = (name: string) => {
      const url = `s3://left/mixed/${name}` as Url;
      return s3.drafts.write(
        { url, heldAt: url },
        (async function* () {
          yield Buffer.from("x");
        })(),
      );
    };
    await draft("part-00001-job-1-c000.snappy.parquet");
    await draft("alone.bin");
    const young = await pomona("clean", "s3://left");
    expect(young.code).toBe(1);
    expect(young.stdout).toMatch(/^kept .*job-1 \(interrupted commit, 2 files, 1 upload .*run the same write again/m);
    expect(young.stdout).toMatch(/^kept .*alone\.bin \(unfinished upload, size not known, .*may still be written/m);
    const old = await pomona("clean", "s3://left", "--older-than", "0s", "-q");
    expect([old.code, old.stdout]).toEqual([1, expect.stringMatching(/^removed .*alone\.bin/m)]);
    expect(await server.uploads("left")).toEqual(["mixed/part-00001-job-1-c000.snappy.parquet"]);
    expect(await server.keys("left")).toHaveLength(3);

    // On disk: a file on its way to a name, and what Spark has left.
    const file = at.path("data", ".0b9f2c1e-1111-2222-3333-444455556666.tmp");
    mkdirSync(at.path("data", "_temporary", "0"), { recursive: true });
    writeFileSync(file, "half");
    writeFileSync(at.path("data", "_temporary", "0", "part"), "half");
    writeFileSync(at.path("data", "kept.csv"), "whole");
    expect((await pomona("clean", "data")).stdout).toMatch(/^0 leftovers removed, 0 bytes in files; 2 kept/m);
    const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000);
    for (const name of [file, at.path("data", "_temporary", "0", "part")]) utimesSync(name, twoDaysAgo, twoDaysAgo);
    expect((await pomona("clean", "data")).stdout).toMatch(/^2 leftovers removed, 8 bytes in files\./m);
    expect(filesIn(at.path("data"))).toEqual(["kept.csv"]);
    expectError(await pomona("clean", "nowhere"), "PathNotFoundError", [/nowhere/]);
    expectError(await pomona("clean", "data", "--older-than", "soon"), "UsageError", [/such as 90m, 12h or 7d/], 2);
  });
});

describe("pomona run in S3", () => {
  it("reads and writes notebooks there, those of failed runs too", async () => {
    const env = { ...server.env, HOME: process.env.HOME ?? "" };
    const run = (...args: string[]) => at.pomona(["run", ...args], { env });
    const path = writeNotebook(at.path("in.ipynb"), ["1 + 1", 'throw new Error("no such fruit");']);
    await server.put("notebooks/a/in.ipynb", readFileSync(path));
    const failed = await run("s3://notebooks/a/in.ipynb", "s3a://notebooks/b/out.ipynb");
    expectError(failed, "NotebookFailedError", [
      /In \[2\] of in\.ipynb failed/,
      /in it: s3a:\/\/notebooks\/b\/out\.ipynb/,
    ]);
    expect(failed.stderr).toMatch(/The notebook runs in .*; what lies beside it in S3 is not there\./);
    const executed = await (await server.request({ key: "notebooks/b/out.ipynb" })).text();
    const cells = cellsOf(at.file("got.ipynb", executed));
    expect(textOf(cells[0])).toBe("2");
    expect(errorsOf(cells[1])[0]).toMatch(/no such fruit/);

    expectError(await run("s3://notebooks/a/none.ipynb"), "PathNotFoundError", [/There is no notebook s3:/]);
    expectError(await run("s3://notebooks/a/in.ipynb", "s3://nowhere-at-all/out.ipynb"), "PathNotFoundError", [
      /there is no bucket nowhere-at-all/,
    ]);
    const check = await run("s3://notebooks/b/out.ipynb", "--check-order");
    expect([check.code, check.stdout]).toEqual([0, expect.stringMatching(/^The outputs of the 2 cells/)]);
    const fine = writeNotebook(at.path("fine.ipynb"), ["3"]);
    const done = resultOf(await run(fine, "s3://notebooks/fine.ipynb", "--html", "-q", "--json"));
    expect(done).toMatchObject({ output: "s3://notebooks/fine.ipynb", html: "s3://notebooks/fine.html" });
    expect(await server.keys("notebooks")).toEqual(["a/in.ipynb", "b/out.ipynb", "fine.html", "fine.ipynb"]);
  });

  it("keeps the executed notebook here where the last write fails or is stopped, over nothing, and says where", async () => {
    const proxy = await startFaultProxy(server.endpoint);
    try {
      const env = { ...server.env, AWS_ENDPOINT_URL_S3: proxy.endpoint, HOME: process.env.HOME ?? "" };
      const quick = ["-q", "--conf", "fs.s3a.retry.limit=1", "--conf", "fs.s3a.retry.interval=1ms"];
      const run = (input: string, key: string) => at.start(["run", input, `s3://notebooks/${key}`, ...quick], { env });
      const failing = writeNotebook(at.path("in.ipynb"), ["1 + 1", 'throw new Error("no such fruit");']);
      const lost = async (key: string, fault: S3Fault, why: RegExp) => {
        proxy.fault({ operation: "PutObject", key: new RegExp(key), fault });
        const { code, stderr, stdout } = await run(failing, key).ended;
        expect([code, stdout], stderr).toEqual([1, ""]);
        expect(stderr).toMatch(/^NotebookNotSavedError: In \[2\] of in\.ipynb failed [\s\S]*no such fruit/);
        expect(stderr).toMatch(why);
        return keptBy(stderr);
      };
      at.file("out/out.ipynb", "somebody's");
      const kept = await Promise.all([
        lost("denied/out.ipynb", s3Errors.accessDenied, /is not saved at s3:[\s\S]*s3:PutObject/),
        lost("gone/out.ipynb", s3Errors.noSuchBucket, /there is no bucket notebooks/),
      ]);
      expect(kept.sort()).toEqual([at.path("out", "out-2.ipynb"), at.path("out", "out-3.ipynb")]);
      expect(readFileSync(at.path("out", "out.ipynb"), "utf8")).toBe("somebody's");

      // From here on nothing can be made in the current folder.
      rmSync(at.path("out"), { recursive: true });
      at.file("out", "a file");
      const dead = lost("dead.ipynb", { kind: "drop" }, /is not saved at s3:/);

      const waiting = at.path("waiting");
      const loop = `require("node:fs").writeFileSync(${JSON.stringify(waiting)}, ""); while (true);`;
      const looping = run(writeNotebook(at.path("loop.ipynb"), ["1 + 1", loop]), "stopped.ipynb");
      await until(() => existsSync(waiting), "the cell that loops");
      looping.process.kill("SIGINT");
      expect((await looping.ended).code).toBe(130);
      const stopped = cellsOf(
        at.file("got.ipynb", await (await server.request({ key: "notebooks/stopped.ipynb" })).text()),
      );
      expect([textOf(stopped[0]), errorsOf(stopped[1])[0]]).toEqual(["2", expect.stringMatching(/^KeyboardInterrupt/)]);

      const silent = proxy.fault({ operation: "PutObject", key: /silent/, fault: { kind: "stall" } });
      const writing = run(failing, "silent.ipynb");
      await until(() => silent() > 0, "the write that nobody answers");
      writing.process.kill("SIGINT");
      const ended = await writing.ended;
      expect(ended.code).toBe(130);
      for (const path of [keptBy(ended.stderr), await dead]) expect(path).toContain(at.path("tmp"));
    } finally {
      await proxy.stop();
    }
  });

  /** Where an error says that the notebook is; looks at it. */
  function keptBy(stderr: string): string {
    const path = /^It is kept here: (.*)$/m.exec(stderr)?.[1] ?? stderr;
    expect(textOf(cellsOf(path)[0])).toBe("2");
    expect(errorsOf(cellsOf(path)[1])[0]).toMatch(/no such fruit/);
    return path;
  }

  it("refuses what is no notebook, and an output that is a folder, before anything runs", async () => {
    await server.put("notebooks/odd/text.ipynb", "no notebook");
    await server.put("notebooks/odd/old.ipynb", '{"nbformat":3,"worksheets":[]}');
    const run = (...args: string[]) => pomona("run", ...args);
    const fine = writeNotebook(at.path("fine.ipynb"), ["3"]);
    const [text, old, folder, bucket, ...outputs] = await Promise.all([
      run("s3://notebooks/odd/text.ipynb"),
      run("s3a://notebooks/odd/old.ipynb"),
      run("s3://notebooks/odd"),
      run("s3://notebooks"),
      run(fine, "s3://notebooks/odd/"),
      run(fine, "s3://notebooks"),
      run(fine, "tmp"),
    ]);
    expectError(text, "NotebookFormatError", [/s3:\/\/notebooks\/odd\/text\.ipynb is not a notebook: it is not JSON/]);
    expectError(old, "NotebookFormatError", [/s3a:\/\/.*is not a notebook of nbformat 4/]);
    for (const outcome of [folder, bucket]) expectError(outcome, "PathNotFoundError", [/There is no notebook s3:/]);
    for (const outcome of outputs) expectError(outcome, "UsageError", [/The output .* is a folder/], 2);
    expect(existsSync(at.path("out"))).toBe(false);
  });
});
