import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Broadcast, type DataFrame, Session } from "pomona";
import { col, fromModule, udf } from "pomona/functions";
import { StandardScaler } from "pomona/ml";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { collectGarbage } from "../support/collect-garbage";

const MB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "pomona-release-"));
let session: Session;

beforeAll(async () => {
  session = await Session.builder()
    .master("local[2]")
    .config("pomona.progress", "off")
    .config("pomona.spool.dir", folder)
    .getOrCreate();
  // Starts the threads and what they keep.
  await plusFirst(new Uint8Array(1), 0)(8).collect();
});
beforeEach(collectGarbage);
afterAll(async () => {
  await session?.stop();
  rmSync(folder, { recursive: true });
});

/** The shipped files in the session's folder. */
function shipped(): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.includes("shipped-"));
}

/** All but so many are gone: what a job had may be held a moment longer than it ran, so garbage is collected again and again. */
const expectLeft = (count: number) =>
  expect
    .poll(async () => {
      await collectGarbage();
      return shipped();
    })
    .toHaveLength(count);

const bytesOf = (names: readonly string[]) => names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

/** A frame of a function with a value of its own, as a cell makes it. */
function plusFirst(table: Uint8Array, first: number) {
  table[0] = first;
  const fn = udf((id: number) => id + table[0]!, { returns: "long", broadcast: { table } });
  return (rows: number) => session.range(rows).repartition(4).select(fn("id").alias("sum"));
}

const sums = (rows: number, first: number) => Array.from({ length: rows }, (_, i) => ({ sum: i + first }));
const inOrder = async (df: ReturnType<ReturnType<typeof plusFirst>>) =>
  ((await df.collect()) as { sum: number }[]).sort((a, b) => a.sum - b.sum);

describe("what functions bring along", () => {
  it("does not add up on disk, in the driver or in workers, over 50 functions of 20 MB", async () => {
    const before = process.memoryUsage.rss();
    let [mostFiles, mostMemory] = [0, 0];
    // Nobody collects garbage here but the engine itself, when it will.
    for (let i = 0; i < 50; i++) {
      expect(await inOrder(plusFirst(new Uint8Array(20 * MB).fill(i), i)(8))).toEqual(sums(8, i));
      mostFiles = Math.max(mostFiles, bytesOf(shipped()) / MB);
      mostMemory = Math.max(mostMemory, (process.memoryUsage.rss() - before) / MB);
    }
    console.log(`at most ${mostFiles.toFixed()} MB of files and ${mostMemory.toFixed()} MB more memory, of 1000 MB`);
    expect(mostFiles).toBeLessThan(300);
    expect(mostMemory).toBeLessThan(700);
    await expectLeft(0);
  });

  it("stays with a function and its frames, whatever is made of them, and goes with the last", async () => {
    let kept: ReturnType<ReturnType<typeof plusFirst>> | undefined = plusFirst(
      new Uint8Array(MB),
      3,
    )(4).filter(col("sum").gt(3));
    for (let i = 0; i < 3; i++) {
      await collectGarbage();
      expect(await inOrder(kept)).toEqual(sums(4, 3).slice(1));
      expect(shipped()).toHaveLength(1);
    }
    kept = undefined;
    await expectLeft(0);
  });

  it("is one where it is equal, and stays until both functions are gone", async () => {
    const make = () => plusFirst(new Uint8Array(MB), 5);
    const functions = [make(), make()];
    const first = async () => expect(await inOrder(functions[0]!(4))).toEqual(sums(4, 5));
    await first();
    expect(await inOrder(functions[1]!(4))).toEqual(sums(4, 5));
    const [file, ...others] = shipped();
    expect(others).toEqual([]);
    functions.shift();
    await collectGarbage();
    await first();
    expect(shipped()).toEqual([file]);
    functions.shift();
    await expectLeft(0);
    // Made again, it is sent again, also to the workers that have forgotten it.
    expect(await inOrder(make()(4))).toEqual(sums(4, 5));
  });

  it("is not lost to jobs that run, whose frames nobody has any more", async () => {
    const slow = (first: number) => {
      const table = new Uint8Array(MB).fill(first);
      const fn = udf(
        async (id: number) => {
          await new Promise((done) => setTimeout(done, 100));
          return id + table[0]!;
        },
        { returns: "long", broadcast: { table } },
      );
      return inOrder(session.range(8).repartition(8).select(fn("id").alias("sum")));
    };
    // Three of six have the same content.
    const jobs = [1, 2, 3, 3, 3, 4].map((first) => slow(first));
    const collecting = setInterval(() => void collectGarbage(), 300);
    try {
      expect(await Promise.all(jobs)).toEqual([1, 2, 3, 3, 3, 4].map((first) => sums(8, first)));
    } finally {
      clearInterval(collecting);
    }
    await expectLeft(0);
  });

  it("goes for modules, too", async () => {
    const use = async (i: number) => {
      writeFileSync(join(folder, "lib.ts"), `export const first = (id: number) => id + ${i};`);
      const fn = udf(fromModule("./lib", "first", folder), { returns: "long" });
      expect(await inOrder(session.range(4).select(fn("id").alias("sum")))).toEqual(sums(4, i));
    };
    for (let i = 0; i < 5; i++) await use(i);
    await expectLeft(0);
  });
});

describe("a broadcast variable", () => {
  const reading = (lut: Broadcast<number[]>) => {
    const fn = udf((id: number) => id + lut.value[0]!, { returns: "long", broadcast: { lut } });
    return session.range(4).select(fn("id").alias("sum"));
  };

  it("is sent again after unpersist, and not after destroy", async () => {
    const lut = session.sparkContext.broadcast([7]);
    const df = reading(lut);
    for (let i = 0; i < 3; i++) {
      expect(await inOrder(df)).toEqual(sums(4, 7));
      expect(shipped()).toHaveLength(1);
      lut.unpersist();
      await expect.poll(shipped).toHaveLength(0);
    }
    expect(await inOrder(df)).toEqual(sums(4, 7));
    const plain = [7];
    const same = udf((id: number) => id + plain[0]!, { returns: "long", broadcast: { plain } });
    lut.destroy();
    await expect.poll(shipped).toHaveLength(0);
    await expect(df.collect()).rejects.toThrow(
      `The broadcast value ${lut.id} was destroyed.\nBroadcast it again, sc.broadcast(value), and define the functions`,
    );
    expect(() => reading(lut)).toThrow("was destroyed");
    expect(await inOrder(session.range(4).select(same("id").alias("sum")))).toEqual(sums(4, 7));
  });

  it("is not taken from a job that runs, nor from others of equal value", async () => {
    const [one, two] = [session.sparkContext.broadcast([9]), session.sparkContext.broadcast([9])];
    const df = reading(two);
    const running = [inOrder(reading(one)), inOrder(df)];
    const until = setInterval(() => one.unpersist(), 1);
    try {
      expect(await Promise.all(running)).toEqual([sums(4, 9), sums(4, 9)]);
    } finally {
      clearInterval(until);
    }
    one.destroy();
    expect(await inOrder(df)).toEqual(sums(4, 9));
  });
});

describe("a model's values", () => {
  it("stay with the model and the frames it made, and go with them", async () => {
    const data = session.createDataFrame([{ x: [1, 2] }, { x: [3, 6] }], "x array<double>");
    const fitted = async (withMean: boolean) =>
      new StandardScaler({ inputCol: "x", outputCol: "y", withMean, withStd: true }).fit(data);
    let scaled = (await fitted(true)).transform(data) as DataFrame | undefined;
    for (let i = 0; i < 4; i++) await fitted(i % 2 === 0);
    await expectLeft(1);
    expect(await scaled?.count()).toBe(2);
    scaled = undefined;
    await expectLeft(0);
  });
});
