import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listed, type Storage, storages, type Url, urlOf } from "../../src/storage";
import {
  assertWhole,
  ConcurrentWriteError,
  ForeignFilesError,
  IncompleteWriteError,
  type OutputJob,
  openOutput,
  PathAlreadyExistsError,
} from "../../src/storage/commit";
import type { Draft } from "../../src/storage/drafts";
import { baseName, joinUrl } from "../../src/storage/location";

/** A storage with an empty place in it. */
export interface Store {
  readonly storage: Storage;
  readonly destination: string;
  /** What a killed process leaves: a lock whose holder is gone. */
  killWriter(): Promise<void>;
  /** Makes a draft what a crash leaves that cuts it short. */
  cutShort(draft: Draft): Promise<void>;
  /** Uploads that nobody completed, where there are such. */
  uploads(): Promise<number>;
  remove(): void;
}

export const textAt = async (storage: Storage, url: Url) => Buffer.from(await storage.readFile(url)).toString("utf8");

export const locksIn = async (storage: Storage, root: Url) =>
  (await storage.children(joinUrl(root, "_temporary")))
    .filter(({ name }) => name.startsWith("lock-"))
    .map(({ name }) => joinUrl(root, "_temporary", name));

async function* chunks(text: string) {
  yield Buffer.from(text);
}

/** What holds of commits on every storage. @param openStore gives a new place for each case */
export function commitCases(openStore: () => Store): void {
  let store: Store;
  let storage: Storage;
  let root: Url;
  let dst: string;

  beforeEach(() => {
    store = openStore();
    ({ storage, destination: dst } = store);
    root = urlOf(dst);
  });
  afterEach(() => store.remove());

  const table = (using: Storage) => storages({ file: using, memory: using, s3: using });

  type Mode = "errorifexists" | "overwrite" | "append" | "ignore";
  const open = (mode: Mode = "errorifexists", fingerprint = "a", using = storage) =>
    openOutput(table(using), dst, { mode, fingerprint, extension: ".parquet" });

  const draft = (job: OutputJob, partition: number, text: string, attempt = 0, folder = "") =>
    storage.drafts.write(job.draftPlace(partition, attempt, folder), chunks(text));

  async function task(job: OutputJob, partition: number, text: string, attempt = 0, folder = "") {
    const written = await draft(job, partition, text, attempt, folder);
    return job.commitTask({ partition, draft: written, rows: 1, failedRows: 0 });
  }

  async function written(mode: "errorifexists" | "overwrite" | "append", ...texts: string[]) {
    const job = (await open(mode, `${mode}-${texts.join()}`))!;
    for (const [i, text] of texts.entries()) await task(job, i, text);
    return job.commit();
  }

  const names = async () => (await storage.children(root)).map(({ name }) => name);
  const isThere = async (url: Url) => (await storage.stat(url)) !== undefined;
  const whole = () => assertWhole({ storage, url: root });

  async function visible() {
    const parts = (await listed(storage, root)).filter(({ url }) => baseName(url).startsWith("part-"));
    return (await Promise.all(parts.map(({ url }) => textAt(storage, url)))).sort();
  }

  /** The store, where publishing a draft of a partition fails. */
  const failingAt = (partition: number, message: string): Storage => ({
    ...storage,
    drafts: {
      ...storage.drafts,
      async publish(one) {
        if (one.url.includes(`part-0000${partition}`)) throw new Error(message);
        await storage.drafts.publish(one);
      },
    },
  });

  /** Nothing of a job is left but what was published. */
  async function expectNothingLeft() {
    expect(await names()).not.toContain("_temporary");
    expect(await store.uploads()).toBe(0);
  }

  describe("a job's output", () => {
    it("is invisible until the commit, then whole with _SUCCESS and Spark's part names", async () => {
      const job = (await open())!;
      await task(job, 0, "zero");
      await task(job, 1, "one");
      expect(await names()).toEqual(["_temporary"]);
      const files = await job.commit();
      expect(files.map(baseName)).toEqual([
        `part-00000-${job.jobId}-c000.parquet`,
        `part-00001-${job.jobId}-c000.parquet`,
      ]);
      expect(await visible()).toEqual(["one", "zero"]);
      expect(await names()).toContain("_SUCCESS");
      await expectNothingLeft();
    });

    it("takes exactly one attempt of a task", async () => {
      const job = (await open())!;
      expect(await task(job, 0, "first", 0)).toBe(true);
      expect(await task(job, 0, "second", 1)).toBe(false);
      await job.commit();
      expect(await visible()).toEqual(["first"]);
      await expectNothingLeft();
    });

    it("lies in folders k=v, which an overwrite that has no more of them removes", async () => {
      const job = (await open())!;
      await task(job, 0, "apple", 0, "label=Apple");
      await task(job, 1, "pear", 0, "label=Pear");
      expect((await job.commit()).map((url) => url.slice(root.length + 1).split("/")[0])).toEqual([
        "label=Apple",
        "label=Pear",
      ]);
      const second = (await open("overwrite", "b"))!;
      await task(second, 0, "plum", 0, "label=Plum");
      await second.commit();
      expect(await names()).toEqual(["_SUCCESS", "label=Plum"]);
    });

    it("leaves nothing when it is aborted, and keeps what was there", async () => {
      const job = (await open())!;
      await task(job, 0, "x");
      await draft(job, 1, "never committed");
      await job.abort();
      expect(await isThere(root)).toBe(false);
      await expectNothingLeft();

      await written("errorifexists", "kept");
      const second = (await open("overwrite"))!;
      await task(second, 0, "lost");
      await second.abort();
      expect(await visible()).toEqual(["kept"]);
      await expectNothingLeft();
    });
  });

  describe("modes", () => {
    it("refuses existing data by default, and says what to do", async () => {
      await written("errorifexists", "old");
      await expect(open()).rejects.toThrow(PathAlreadyExistsError);
      await expect(open()).rejects.toThrow(/overwrite/);
      expect(await visible()).toEqual(["old"]);
    });

    it("overwrite removes the old data at the commit, not before", async () => {
      await written("errorifexists", "old", "older");
      const job = (await open("overwrite"))!;
      await task(job, 0, "new");
      expect(await visible()).toEqual(["old", "older"]);
      await job.commit();
      expect(await visible()).toEqual(["new"]);
    });

    it("append adds, ignore does nothing", async () => {
      await written("errorifexists", "old");
      await written("append", "more");
      expect(await visible()).toEqual(["more", "old"]);
      expect(await open("ignore")).toBeUndefined();
    });

    it("overwrite refuses to delete files that no write made", async () => {
      const thesis = joinUrl(root, "thesis.docx");
      await storage.writeFile(thesis, "precious");
      await expect(open("overwrite")).rejects.toThrow(ForeignFilesError);
      await expect(open("overwrite")).rejects.toThrow(/thesis\.docx/);
      expect(await textAt(storage, thesis)).toBe("precious");
    });
  });

  describe("after a crash", () => {
    it("the same job takes up its finished tasks, under the same part names", async () => {
      const crashed = (await open("errorifexists", "same"))!;
      await task(crashed, 0, "done before");
      await draft(crashed, 1, "half");
      await store.killWriter();

      const again = (await open("errorifexists", "same"))!;
      expect([...again.resumed.keys()]).toEqual([0]);
      expect(again.jobId).toBe(crashed.jobId);
      await task(again, 1, "done now");
      await again.commit();
      expect(await visible()).toEqual(["done before", "done now"]);
      await expectNothingLeft();
    });

    it("a task whose part was cut short is done again", async () => {
      const crashed = (await open("errorifexists", "same"))!;
      const part = await draft(crashed, 0, "whole part");
      await crashed.commitTask({ partition: 0, draft: part, rows: 1, failedRows: 0 });
      await store.cutShort(part);
      await store.killWriter();
      const again = (await open("errorifexists", "same"))!;
      expect(again.resumed.size).toBe(0);
      expect(await task(again, 0, "whole again")).toBe(true);
      await again.commit();
      expect(await visible()).toEqual(["whole again"]);
    });

    it("another job removes what the crashed one left", async () => {
      const crashed = (await open("errorifexists", "one"))!;
      await task(crashed, 0, "stale");
      await draft(crashed, 1, "staler");
      await store.killWriter();
      const other = (await open("errorifexists", "other"))!;
      expect(other.resumed.size).toBe(0);
      await task(other, 0, "fresh");
      await other.commit();
      expect(await visible()).toEqual(["fresh"]);
      await expectNothingLeft();
    });

    it("a commit that was interrupted is refused by readers and finished by the next write", async () => {
      await written("errorifexists", "old 0", "old 1");
      const crashed = (await open("overwrite", "new", failingAt(1, "killed here")))!;
      await task(crashed, 0, "new 0");
      await task(crashed, 1, "new 1");
      await expect(crashed.commit()).rejects.toThrow("killed here");
      await store.killWriter();

      expect(await names()).not.toContain("_SUCCESS");
      await expect(whole()).rejects.toThrow(IncompleteWriteError);
      await expect(open("errorifexists", "third")).rejects.toThrow(PathAlreadyExistsError);
      expect(await visible()).toEqual(["new 0", "new 1"]);
      expect(await names()).toContain("_SUCCESS");
      await whole();
    });

    it("a commit of the same job that was interrupted is its result, and is not made twice", async () => {
      await written("errorifexists", "old");
      const crashed = (await open("append", "same", failingAt(1, "killed here")))!;
      await task(crashed, 0, "more 0");
      await task(crashed, 1, "more 1");
      await expect(crashed.commit()).rejects.toThrow("killed here");
      await store.killWriter();

      const again = (await open("append", "same"))!;
      expect([...again.resumed.values()].map((part) => part.rows)).toEqual([1, 1]);
      expect(await again.commit()).toHaveLength(2);
      expect(await visible()).toEqual(["more 0", "more 1", "old"]);
      await expectNothingLeft();
    });

    it("a commit that fails half-way is kept when the job is aborted, for the next write to finish", async () => {
      await written("errorifexists", "old 0", "old 1");
      const job = (await open("overwrite", "new", failingAt(1, "no such luck")))!;
      await task(job, 0, "new 0");
      await task(job, 1, "new 1");
      await expect(job.commit()).rejects.toThrow("no such luck");
      await job.abort();

      await expect(whole()).rejects.toThrow(IncompleteWriteError);
      const next = (await open("append", "next"))!;
      expect(await visible()).toEqual(["new 0", "new 1"]);
      await next.abort();
      expect(await visible()).toEqual(["new 0", "new 1"]);
      await whole();
    });

    it("what a killed atomic write left does not keep an overwrite from its work", async () => {
      await written("errorifexists", "old");
      await storage.writeFile(joinUrl(root, ".0f8fad5b-d9cb-469f-a165-70867728950e.tmp"), "");
      await written("overwrite", "new");
      expect((await names()).filter((name) => !name.startsWith("part-"))).toEqual(["_SUCCESS"]);
    });

    it("a folder that only the crashed run made goes with the next one's abort", async () => {
      await open("errorifexists", "one");
      await store.killWriter();
      const other = (await open("errorifexists", "two"))!;
      await other.abort();
      expect(await isThere(root)).toBe(false);
    });

    it("of several writers at once exactly one opens, dead locks or not", async () => {
      await open("errorifexists", "crashed");
      await store.killWriter();
      const all = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => open("errorifexists", `job ${i}`)));
      const opened = all.flatMap((settled) => (settled.status === "fulfilled" ? [settled.value!] : []));
      expect(opened).toHaveLength(1);
      for (const settled of all)
        if (settled.status === "rejected") expect(settled.reason).toBeInstanceOf(ConcurrentWriteError);
      await task(opened[0]!, 0, "only");
      await opened[0]!.commit();
      expect(await visible()).toEqual(["only"]);
      await expectNothingLeft();
    });

    it("a process that still runs is not disturbed", async () => {
      await open("errorifexists", "mine");
      await expect(open("errorifexists", "mine")).rejects.toThrow(/is writing to/);
    });

    it("one that was taken over commits nothing, and takes nothing from who has its place", async () => {
      const slow = (await open("errorifexists", "same"))!;
      await task(slow, 0, "slow");
      await store.killWriter();
      const next = (await open("errorifexists", "same"))!;
      await expect(slow.commit()).rejects.toThrow(/has taken over the write/);
      await slow.abort();
      expect([...next.resumed.keys()]).toEqual([0]);
      await next.commit();
      expect(await visible()).toEqual(["slow"]);
      await expectNothingLeft();
    });
  });
}
