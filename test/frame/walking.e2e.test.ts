import { type DataFrame, Session } from "pomona";
import { col, lit, monotonicallyIncreasingId, udf } from "pomona/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let session: Session;

beforeAll(async () => {
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
});

afterAll(() => session?.stop());

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);
const ids = async (df: DataFrame) => (await df.collect()).map((row) => row.id as number);
const rising = (list: readonly number[]) => [...list].sort((a, b) => a - b);

describe("rows one after another", () => {
  it("tail gives the last rows in their order", async () => {
    const sorted = session.range(10_000).orderBy(col("id").desc());
    expect(await sorted.tail(3)).toEqual([{ id: 2 }, { id: 1 }, { id: 0 }]);
    expect(await session.range(2).tail(5)).toEqual([{ id: 0 }, { id: 1 }]);
    expect(await sorted.tail(0)).toEqual([]);
    expect(await session.range(0).tail(1)).toEqual([]);
    await expect(sorted.tail(-1)).rejects.toThrow("at least 0");
    await expect(sorted.tail(1.5)).rejects.toThrow("at least 0");
  });

  it("for await and toLocalIterator give every row in order", async () => {
    const df = session.range(25_000).orderBy(col("id").desc());
    let next = 24_999;
    for await (const row of df) expect(Number(row.id)).toBe(next--);
    expect(next).toBe(-1);
    const made = session
      .range(40)
      .repartition(5)
      .select(udf((id: number) => Number(id) * 2, { returns: "int", name: "twice" })("id").alias("id"));
    const got: number[] = [];
    for await (const row of made.toLocalIterator()) got.push(row.id as number);
    expect(got).toEqual(numbers(40).map((n) => n * 2));
  });

  it("are read a batch at a time, and no more after a break", async () => {
    const df = session.range(1_000_000).repartition(1);
    let [batches, ended] = [0, false];
    const { runtime } = df;
    const watched = Object.create(df, {
      runtime: {
        value: {
          ...runtime,
          async *execute(...given: Parameters<typeof runtime.execute>) {
            try {
              for await (const batch of runtime.execute(...given)) {
                batches++;
                expect(batch.numRows).toBeLessThan(250_000);
                yield batch;
              }
            } finally {
              ended = true;
            }
          },
        },
      },
    }) as typeof df;
    let rows = 0;
    for await (const row of watched.toLocalIterator()) {
      expect(Number(row.id)).toBe(rows++);
      if (rows === 3) break;
    }
    expect({ batches, ended }).toEqual({ batches: 1, ended: true });
    // What a break left behind is no hindrance to the next.
    expect(await df.count()).toBe(1_000_000);
  });

  it("an error of a function on workers reaches the loop", async () => {
    const fail = udf(
      (id: number) => {
        if (Number(id) === 7) throw new Error("seven");
        return 1;
      },
      { returns: "int", name: "fail" },
    );
    const walk = async () => {
      for await (const _ of session.range(10).select(fail("id")));
    };
    await expect(walk()).rejects.toThrow("seven");
  });
});

describe("randomSplit", () => {
  it("puts each row in one part, the same for the same seed, in shares of the weights' sum", async () => {
    const df = session.range(4000);
    const parts = await Promise.all(df.randomSplit([2, 1, 1], 42).map(ids));
    expect(rising(parts.flat())).toEqual(numbers(4000));
    for (const [i, share] of [0.5, 0.25, 0.25].entries()) {
      expect(Math.abs((parts[i]?.length ?? 0) / 4000 - share)).toBeLessThan(0.04);
    }
    const again = await Promise.all(df.randomSplit([0.5, 0.25, 0.25], 42).map(ids));
    expect(again.map(rising)).toEqual(parts.map(rising));
    const other = await Promise.all(df.randomSplit([2, 1, 1], 43).map(ids));
    expect(other.map(rising)).not.toEqual(parts.map(rising));
    const [all = [], none = []] = await Promise.all(df.randomSplit([1, 0], 1).map(ids));
    expect([all.length, none.length]).toEqual([4000, 0]);
    // Equal rows are told apart by their place only.
    const same = df.select(lit(1).alias("id"));
    const counts = await Promise.all(same.randomSplit([1, 1, 1], 5).map((part) => part.count()));
    expect(counts.reduce((a, b) => a + b)).toBe(4000);
  });

  it("refuses what are no weights", () => {
    const df = session.range(3);
    expect(() => df.randomSplit([1, -1])).toThrow(
      "[VALUE_NOT_POSITIVE] Value for `weights` must be positive, got '-1'",
    );
    for (const weights of [[], [0, 0], [1, Number.NaN], [1, Number.POSITIVE_INFINITY]]) {
      expect(() => df.randomSplit(weights)).toThrow("no shares");
    }
    expect(() => df.randomSplit([1], 0.5)).toThrow("not a whole number");
  });
});

describe("partitions", () => {
  it("are counted by rdd.getNumPartitions", async () => {
    const df = session.range(100);
    expect(await df.rdd.getNumPartitions()).toBe(1);
    expect(await df.repartition(7).rdd.getNumPartitions()).toBe(7);
    expect(await df.repartition(7).filter(col("id").gt(3)).rdd.getNumPartitions()).toBe(7);
    const one = udf(() => 1, { returns: "int", name: "one" });
    expect(await df.repartition(3).select(one("id")).rdd.getNumPartitions()).toBe(3);
    // Four tasks for each of two workers.
    expect(await df.select(one("id")).rdd.getNumPartitions()).toBe(8);
    expect(await df.repartition(5).cache().rdd.getNumPartitions()).toBe(5);
    expect(() => df.rdd.mapPartitions()).toThrow("so no rdd.mapPartitions");
  });

  it("number the rows of monotonicallyIncreasingId", async () => {
    const numbered = (df: DataFrame) => df.withColumn("n", monotonicallyIncreasingId()).orderBy("id").collect();
    expect(await numbered(session.range(5))).toEqual(numbers(5).map((id) => ({ id, n: id })));
    // As Spark numbers five rows in two partitions of two and three.
    const ofTwo = [0, 1, 2 ** 33, 2 ** 33 + 1, 2 ** 33 + 2];
    expect(await numbered(session.range(5).repartition(2))).toEqual(numbers(5).map((id) => ({ id, n: ofTwo[id] })));
    // More partitions than rows: each row is the first of its own.
    const wide = await numbered(session.range(3).repartition(8));
    expect(wide.map((row) => Number(row.n) % 2 ** 33)).toEqual([0, 0, 0]);
    const big = session.range(50_000).repartition(7).select(monotonicallyIncreasingId().alias("id"));
    const found = await ids(big);
    expect(new Set(found).size).toBe(50_000);
    expect(found).toEqual(rising(found));
    expect(new Set(found.map((n) => Math.floor(n / 2 ** 33)))).toEqual(new Set(numbers(7)));
    const sorted = session.range(1000).orderBy(col("id").desc()).withColumn("n", monotonicallyIncreasingId());
    expect((await sorted.filter(col("n").lt(2)).collect()).map((row) => row.id)).toEqual([999, 998]);
    expect(monotonicallyIncreasingId().columnName).toBe("monotonically_increasing_id()");
    expect(await session.range(1).select(monotonicallyIncreasingId()).dtypes()).toEqual([
      ["monotonically_increasing_id()", "bigint"],
    ]);
  });
});
