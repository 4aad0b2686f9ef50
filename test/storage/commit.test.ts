import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  assertWhole,
  ConcurrentWriteError,
  ForeignFilesError,
  IncompleteWriteError,
  type OutputJob,
  openOutput,
  PathAlreadyExistsError,
} from "../../src/storage/commit";
import { localStorage } from "../../src/storage/local-storage";

let folder: string;
let dst: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "commit-"));
  dst = join(folder, "out");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (mode: "errorifexists" | "overwrite" | "append" | "ignore" = "errorifexists", fingerprint = "a") =>
  openOutput(dst, { mode, fingerprint, extension: ".parquet" });

async function task(job: OutputJob, partition: number, text: string, attempt = 0) {
  const url = job.attemptUrl(partition, attempt);
  await localStorage.writeFile(url, text);
  return job.commitTask({ partition, url, rows: 1, bytes: text.length, failedRows: 0 });
}

async function written(mode: "errorifexists" | "overwrite" | "append", ...texts: string[]) {
  const job = (await open(mode, `${mode}-${texts.join()}`))!;
  for (const [i, text] of texts.entries()) await task(job, i, text);
  return job.commit();
}

const visible = () =>
  readdirSync(dst)
    .filter((name) => name.startsWith("part-"))
    .map((name) => readFileSync(join(dst, name), "utf8"))
    .sort();

describe("a job's output", () => {
  it("is invisible until the commit, then whole with _SUCCESS and Spark's part names", async () => {
    const job = (await open())!;
    await task(job, 0, "zero");
    await task(job, 1, "one");
    expect(readdirSync(dst)).toEqual(["_temporary"]);
    const files = await job.commit();
    expect(files.map((f) => f.slice(f.lastIndexOf("/") + 1))).toEqual([
      `part-00000-${job.jobId}-c000.parquet`,
      `part-00001-${job.jobId}-c000.parquet`,
    ]);
    expect(visible()).toEqual(["one", "zero"]);
    expect(readdirSync(dst)).toContain("_SUCCESS");
    expect(readdirSync(dst)).not.toContain("_temporary");
  });

  it("takes exactly one attempt of a task", async () => {
    const job = (await open())!;
    expect(await task(job, 0, "first", 0)).toBe(true);
    expect(await task(job, 0, "second", 1)).toBe(false);
    await job.commit();
    expect(visible()).toEqual(["first"]);
  });

  it("leaves nothing when it is aborted, and keeps what was there", async () => {
    const job = (await open())!;
    await task(job, 0, "x");
    await job.abort();
    expect(existsSync(dst)).toBe(false);

    await written("errorifexists", "kept");
    const second = (await open("overwrite"))!;
    await task(second, 0, "lost");
    await second.abort();
    expect(visible()).toEqual(["kept"]);
  });
});

describe("modes", () => {
  it("refuses existing data by default, and says what to do", async () => {
    await written("errorifexists", "old");
    await expect(open()).rejects.toThrow(PathAlreadyExistsError);
    await expect(open()).rejects.toThrow(/overwrite/);
    expect(visible()).toEqual(["old"]);
  });

  it("overwrite removes the old data at the commit, not before", async () => {
    await written("errorifexists", "old", "older");
    const job = (await open("overwrite"))!;
    await task(job, 0, "new");
    expect(visible()).toEqual(["old", "older"]);
    await job.commit();
    expect(visible()).toEqual(["new"]);
  });

  it("append adds, ignore does nothing", async () => {
    await written("errorifexists", "old");
    await written("append", "more");
    expect(visible()).toEqual(["more", "old"]);
    expect(await open("ignore")).toBeUndefined();
  });

  it("overwrite refuses to delete files that no write made", async () => {
    mkdirSync(dst);
    writeFileSync(join(dst, "thesis.docx"), "precious");
    await expect(open("overwrite")).rejects.toThrow(ForeignFilesError);
    await expect(open("overwrite")).rejects.toThrow(/thesis\.docx/);
    expect(readFileSync(join(dst, "thesis.docx"), "utf8")).toBe("precious");
  });
});

/** What a killed process leaves: a lock whose process is gone. */
function killWriter() {
  const temporary = join(dst, "_temporary");
  for (const name of readdirSync(temporary).filter((name) => name.startsWith("lock-"))) {
    const file = join(temporary, name);
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), processStart: "0" }));
  }
}

describe("after a crash", () => {
  it("the same job takes up its finished tasks, under the same part names", async () => {
    const crashed = (await open("errorifexists", "same"))!;
    await task(crashed, 0, "done before");
    await localStorage.writeFile(crashed.attemptUrl(1, 0), "half");
    killWriter();

    const again = (await open("errorifexists", "same"))!;
    expect([...again.resumed.keys()]).toEqual([0]);
    expect(again.jobId).toBe(crashed.jobId);
    await task(again, 1, "done now");
    await again.commit();
    expect(visible()).toEqual(["done before", "done now"]);
  });

  it("a task whose part was cut short is done again", async () => {
    const crashed = (await open("errorifexists", "same"))!;
    await task(crashed, 0, "whole part");
    writeFileSync(new URL(crashed.attemptUrl(0, 0)), "who");
    killWriter();
    expect((await open("errorifexists", "same"))!.resumed.size).toBe(0);
  });

  it("another job removes what the crashed one left", async () => {
    const crashed = (await open("errorifexists", "one"))!;
    await task(crashed, 0, "stale");
    killWriter();
    const other = (await open("errorifexists", "other"))!;
    expect(other.resumed.size).toBe(0);
    await task(other, 0, "fresh");
    await other.commit();
    expect(visible()).toEqual(["fresh"]);
    expect(readdirSync(dst)).not.toContain("_temporary");
  });

  it("a commit that was interrupted is refused by readers and finished by the next write", async () => {
    await written("errorifexists", "old 0", "old 1");
    const crashed = (await open("overwrite", "new"))!;
    await task(crashed, 0, "new 0");
    await task(crashed, 1, "new 1");
    // Killed after the journal was written and the first rename done.
    const at = join(dst, "_temporary", crashed.jobId);
    const part = (i: number) => crashed.attemptUrl(i, 0).slice("file:".length);
    const target = (i: number) => join(dst, part(i).slice(part(i).lastIndexOf("/") + 1));
    const deletes = readdirSync(dst)
      .filter((name) => name.startsWith("part-"))
      .map((name) => `file:${join(dst, name)}`);
    const renames = [0, 1].map((i) => [`file:${part(i)}`, `file:${target(i)}`]);
    writeFileSync(join(at, "commit.json"), JSON.stringify({ renames, deletes }));
    rmSync(join(dst, "_SUCCESS"));
    await localStorage.rename(`file:${part(0)}`, `file:${target(0)}`);
    killWriter();

    await expect(assertWhole(dst)).rejects.toThrow(IncompleteWriteError);
    await expect(open("errorifexists", "third")).rejects.toThrow(PathAlreadyExistsError);
    expect(visible()).toEqual(["new 0", "new 1"]);
    expect(existsSync(join(dst, "_SUCCESS"))).toBe(true);
    await assertWhole(dst);
  });

  it("a commit of the same job that was interrupted is its result, and is not made twice", async () => {
    await written("errorifexists", "old");
    const crashed = (await open("append", "same"))!;
    await task(crashed, 0, "more 0");
    await task(crashed, 1, "more 1");
    const { rename } = localStorage;
    localStorage.rename = async (from, to) => {
      if (to.includes("part-00001")) throw new Error("killed here");
      await rename(from, to);
    };
    await expect(crashed.commit()).rejects.toThrow("killed here");
    localStorage.rename = rename;
    killWriter();

    const again = (await open("append", "same"))!;
    expect([...again.resumed.values()].map((part) => part.rows)).toEqual([1, 1]);
    expect(await again.commit()).toHaveLength(2);
    expect(visible()).toEqual(["more 0", "more 1", "old"]);
    expect(existsSync(join(dst, "_temporary"))).toBe(false);
  });

  it("a commit that fails half-way is kept when the job is aborted, for the next write to finish", async () => {
    await written("errorifexists", "old 0", "old 1");
    const job = (await open("overwrite", "new"))!;
    await task(job, 0, "new 0");
    await task(job, 1, "new 1");
    const { rename } = localStorage;
    localStorage.rename = async (from, to) => {
      if (to.includes("part-00001")) throw new Error("no such luck");
      await rename(from, to);
    };
    await expect(job.commit()).rejects.toThrow("no such luck");
    localStorage.rename = rename;
    await job.abort();

    await expect(assertWhole(dst)).rejects.toThrow(IncompleteWriteError);
    const next = (await open("append", "next"))!;
    expect(visible()).toEqual(["new 0", "new 1"]);
    await next.abort();
    expect(visible()).toEqual(["new 0", "new 1"]);
    await assertWhole(dst);
  });

  it("what a killed atomic write left does not keep an overwrite from its work", async () => {
    await written("errorifexists", "old");
    writeFileSync(join(dst, ".0f8fad5b-d9cb-469f-a165-70867728950e.tmp"), "");
    await written("overwrite", "new");
    expect(readdirSync(dst).filter((name) => !name.startsWith("part-"))).toEqual(["_SUCCESS"]);
  });

  it("a folder that only the crashed run made goes with the next one's abort", async () => {
    await open("errorifexists", "one");
    killWriter();
    const other = (await open("errorifexists", "two"))!;
    await other.abort();
    expect(existsSync(dst)).toBe(false);
  });

  it("of several writers at once exactly one opens, dead locks or not", async () => {
    await open("errorifexists", "crashed");
    killWriter();
    const all = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => open("errorifexists", `job ${i}`)));
    const opened = all.flatMap((settled) => (settled.status === "fulfilled" ? [settled.value!] : []));
    expect(opened).toHaveLength(1);
    for (const settled of all)
      if (settled.status === "rejected") expect(settled.reason).toBeInstanceOf(ConcurrentWriteError);
    await task(opened[0]!, 0, "only");
    await opened[0]!.commit();
    expect(visible()).toEqual(["only"]);
    expect(readdirSync(dst)).not.toContain("_temporary");
  });

  it("a process that still runs is not disturbed", async () => {
    await open("errorifexists", "mine");
    await expect(open("errorifexists", "mine")).rejects.toThrow(/is writing to/);
  });
});
