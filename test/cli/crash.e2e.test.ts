import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { expectError, filesIn, resultOf, stateOf, until, workplace } from "./command-line";
import { heldAfter, STORAGE } from "./held-tasks";

const at = workplace();

/** One worker, a task for each two images. */
const featurize = (...more: string[]) => [
  ...["featurize", "fruits", "out", "--weights", "random"],
  ...["--master", "local[1]", "--partitions", "10", ...more],
];
const pca = (...more: string[]) => ["pca", "features", "out", "--k", "3", "--master", "local[1]", ...more];

const finishedTasks = () => (filesIn(at.path("out")) ?? []).filter((name) => /\/task-\d+\.json$/.test(name));
const parts = (state: string[]) =>
  state.filter((file) => file.includes("part-")).map((file) => file.replace(/^\S*\//, ""));

async function twentyFruits() {
  await at.fruits("fruits", { classes: 2, perClass: 10 });
}

/** Every image once, each with its label, no trace of the way there. */
async function expectWhole(rows = 20) {
  const valid = await at.pomona(["validate", "out", "--rows", String(rows), "-q"]);
  expect(valid.stdout).toMatch(/: valid\n/);
  expect(valid.code).toBe(0);
  expect((filesIn(at.path("out")) ?? []).filter((name) => !/^(part-[^/]*\.parquet|_SUCCESS)$/.test(name))).toEqual([]);
  expect(readdirSync(at.path("tmp"))).toEqual([]);
}

async function expectRefusedByReaders(name: string, says: RegExp) {
  for (const args of [
    ["validate", "out"],
    ["show", "out"],
    ["pca", "out", "reduced", "--k", "2"],
  ]) {
    expectError(await at.pomona([...args, "-q"]), name, [says]);
  }
  expect(existsSync(at.path("reduced"))).toBe(false);
}

describe("a process killed in the middle of its tasks", () => {
  it("shows no data; the same command again does only what is missing", async () => {
    await twentyFruits();
    const killed = at.start(featurize(), heldAfter(at, 8));
    await until(() => finishedTasks().length === 4, "four finished tasks");
    killed.process.kill("SIGKILL");
    await killed.ended;
    const before = parts(stateOf(at.path("out")));
    expect(readdirSync(at.path("out"))).toEqual(["_temporary"]);
    await expectRefusedByReaders("PathNotFoundError", /no Parquet file in out/);

    const again = await at.pomona(featurize("--json"));
    expect(resultOf(again)).toMatchObject({ rows: 20, files: 10, failedRows: 0 });
    expect(again.stderr).toContain("10 tasks, 4 of them done by an earlier run");
    // Taken up as they were: the same files, the same times.
    const after = parts(stateOf(at.path("out")));
    expect(before.filter((part) => after.includes(part)).length).toBe(4);
    await expectWhole();
  });

  it("twice, and the third run is whole; another job begins afresh", async () => {
    await twentyFruits();
    for (const enough of [2, 5]) {
      const killed = at.start(featurize(), heldAfter(at, 2 * (enough - finishedTasks().length)));
      await until(() => finishedTasks().length === enough, `${enough} finished tasks`);
      killed.process.kill("SIGKILL");
      await killed.ended;
    }
    // Other images, so another job: what was done for the first is of no use.
    at.file("fruits/Zucchini/0_100.jpg", readFileSync(at.path("fruits", ...firstFruit())));
    const other = await at.pomona(featurize("--json"));
    expect(other.stderr).not.toMatch(/earlier run/);
    expect(resultOf(other)).toMatchObject({ rows: 21 });
    await expectWhole(21);
  });

  it("keeps the old data of an overwrite readable, and of an append too", async () => {
    await twentyFruits();
    resultOf(await at.pomona(featurize("--json")));
    const before = stateOf(at.path("out"));
    for (const [mode, rows] of [
      ["overwrite", 20],
      ["append", 40],
    ] as const) {
      const killed = at.start(featurize("--mode", mode), heldAfter(at, 6));
      await until(() => finishedTasks().length === 3, "three finished tasks");
      killed.process.kill("SIGKILL");
      await killed.ended;
      expect(await at.rowsOf("out")).toHaveLength(20);
      if (mode === "overwrite") expect(stateOf(at.path("out"))).toEqual(expect.arrayContaining(before));
      const again = await at.pomona(featurize("--mode", mode, "--json"));
      expect(again.stderr).toMatch(/done by an earlier run/);
      resultOf(again);
      expect(await at.rowsOf("out")).toHaveLength(rows);
    }
  });
});

describe("a process killed in the middle of its commit", () => {
  /** Kills the process at one of the steps that make its output visible. */
  const killAt = (step: "journal" | "rename" | "success", count = 1) =>
    at.file(
      "kill.js",
      `const { localStorage } = require(${JSON.stringify(STORAGE)});
      const { rename, writeFile, createFile } = localStorage;
      const die = () => { process.kill(process.pid, "SIGKILL"); return new Promise(() => {}); };
      let renames = 0;
      localStorage.rename = (from, to) => ("${step}" === "rename" && renames++ === ${count} ? die() : rename(from, to));
      localStorage.writeFile = async (url, data) => {
        if ("${step}" === "success" && url.endsWith("/_SUCCESS")) return die();
        await writeFile(url, data);
      };
      localStorage.createFile = async (url, data) => {
        const made = await createFile(url, data);
        return "${step}" === "journal" && url.endsWith("/commit.json") ? die() : made;
      };`,
    );

  it.each([
    ["before its first rename", "journal", 0],
    ["after three of 10 renames", "rename", 3],
    ["before _SUCCESS", "success", 0],
  ] as const)("%s: readers refuse it, the same command again finishes it", async (_when, step, count) => {
    await twentyFruits();
    const killed = await at.pomona(featurize(), { preload: killAt(step, count) });
    expect(killed.signal).toBe("SIGKILL");
    await expectRefusedByReaders(
      "IncompleteWriteError",
      /interrupted while it was made visible[\s\S]*Run that write again/,
    );

    const again = await at.pomona(featurize("--json"));
    expect(resultOf(again)).toMatchObject({ rows: 20, files: 10 });
    expect(again.stderr).toMatch(/10 tasks, 10 of them done by an earlier run/);
    await expectWhole();
  });

  it("an append is finished and not made twice", async () => {
    await twentyFruits();
    resultOf(await at.pomona(featurize("--json")));
    const killed = await at.pomona(featurize("--mode", "append"), { preload: killAt("rename", 6) });
    expect(killed.signal).toBe("SIGKILL");
    await expectRefusedByReaders("IncompleteWriteError", /interrupted/);
    expect(resultOf(await at.pomona(featurize("--mode", "append", "--json")))).toMatchObject({ rows: 20 });
    expect(await at.rowsOf("out")).toHaveLength(40);
  });

  it("an overwrite is finished by another command before that looks at the output", async () => {
    await twentyFruits();
    resultOf(await at.pomona(featurize("--json")));
    at.file("fruits/Zucchini/0_100.jpg", readFileSync(at.path("fruits", ...firstFruit())));
    const killed = await at.pomona(featurize("--mode", "overwrite"), { preload: killAt("rename", 4) });
    expect(killed.signal).toBe("SIGKILL");
    await expectRefusedByReaders("IncompleteWriteError", /interrupted/);
    // Refused for what is there now: the new data, whole.
    expectError(await at.pomona(featurize("--glob", "0_*.jpg", "-q")), "PathAlreadyExistsError", [/out exists/]);
    await expectWhole(21);
  });

  it("a pca too", async () => {
    await twentyFruits();
    resultOf(await at.pomona(["featurize", "fruits", "features", "--weights", "random", "-q", "--json"]));
    const killed = await at.pomona(pca("--partitions", "4"), { preload: killAt("rename", 2) });
    expect(killed.signal).toBe("SIGKILL");
    expectError(await at.pomona(["validate", "out", "-q"]), "IncompleteWriteError", [/interrupted/]);
    expect(resultOf(await at.pomona(pca("--partitions", "4", "--json")))).toMatchObject({ rows: 20, k: 3 });
    await expectWhole();
  });
});

describe("Ctrl-C", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends a running job with %i, and leaves nothing", async (signal, code) => {
    await twentyFruits();
    const running = at.start(featurize(), heldAfter(at, 6));
    await until(() => finishedTasks().length === 3, "three finished tasks");
    running.process.kill(signal);
    const outcome = await running.ended;
    expect(outcome).toMatchObject({ code, signal: null, stdout: "" });
    expect(outcome.stderr).toMatch(/Stopped; nothing half-written was left behind\.\n$/);
    at.expectNothing();
  });

  it("leaves the old data of an overwrite as it was", async () => {
    await twentyFruits();
    resultOf(await at.pomona(featurize("--json")));
    const before = stateOf(at.path("out"));
    const running = at.start(featurize("--mode", "overwrite"), heldAfter(at, 6));
    await until(() => finishedTasks().length === 3, "three finished tasks");
    running.process.kill("SIGINT");
    expect((await running.ended).code).toBe(130);
    expect(stateOf(at.path("out"))).toEqual(before);
    expect(readdirSync(at.path("tmp"))).toEqual([]);
  });

  it("a reader that has seen enough is no failure", async () => {
    await at.fruits("fruits", { classes: 2, perClass: 5 });
    resultOf(await at.pomona(["featurize", "fruits", "out", "--weights", "random", "-q", "--json"]));
    const running = at.start(["show", "out", "-q", "--json"]);
    running.process.stdout?.once("data", () => running.process.stdout?.destroy());
    const outcome = await running.ended;
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(readdirSync(at.path("tmp"))).toEqual([]);
  });
});

function firstFruit(): string[] {
  const [fruit = ""] = readdirSync(at.path("fruits"));
  return [fruit, "0_100.jpg"];
}
