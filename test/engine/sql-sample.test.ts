import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataFrame } from "../../src/frame/dataframe";
import { col, rand } from "../../src/frame/functions";
import { RuntimeConfig } from "../../src/session/configuration";
import { Session } from "../../src/session/session";

/** Class sizes as uneven as they come: 3, 40, 500, 5000 files, one without a label. */
const SIZES = { rare: 3, some: 40, many: 500, most: 5000 };

let folder: string;
let one: Session;
let four: Session;
const file = (name: string) => join(folder, `${name}.parquet`);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-sample-"));
  [one, four] = [sessionOn("local[1]"), sessionOn("local[4]")];
  const duckdb = await (await DuckDBInstance.create(":memory:")).connect();
  const rows = Object.entries(SIZES).map(
    ([label, n]) =>
      `SELECT '${label}' AS label, 'file:/data/${label}/' || i || '.jpg' AS path, i AS n FROM range(${n}) t(i)`,
  );
  rows.push("SELECT NULL, 'file:/data/stray.jpg', 0");
  const all = rows.join(" UNION ALL ");
  const copy = (query: string, name: string) =>
    duckdb.run(`COPY (${query}) TO '${file(name)}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`);
  await copy(`SELECT * FROM (${all}) ORDER BY path`, "sorted");
  await copy(`SELECT * FROM (${all}) ORDER BY hash(path)`, "shuffled");
  await copy(`SELECT label, replace(path, '/data/', '/elsewhere/deep/') AS path, n FROM (${all})`, "moved");
  await copy("SELECT CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS label FROM range(10000) t(i)", "duplicates");
  duckdb.closeSync();
});

afterAll(async () => {
  await one?.stop();
  await four?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A session beside others. */
function sessionOn(master: string): Session {
  const conf = new RuntimeConfig();
  conf.setAll(new Map([["spark.master", master]]));
  return new Session(conf);
}

const frame = (session: Session, name: string) => session.read.parquet(file(name)) as DataFrame;

async function paths(df: DataFrame): Promise<string[]> {
  const rows = await df.select("path").collect();
  return rows.map((row) => String(row.path).replace("/elsewhere/deep/", "/data/")).sort();
}

const sampled = (session: Session, name: string, seed: number, fraction = 0.2) =>
  paths(frame(session, name).sample(fraction, seed));

describe("sample", () => {
  it("takes the same rows whatever the threads, the order of the input and the folder's place", async () => {
    const expected = await sampled(one, "sorted", 7);
    expect(expected.length).toBeGreaterThan(0);
    expect(await sampled(four, "sorted", 7)).toEqual(expected);
    expect(await sampled(four, "shuffled", 7)).toEqual(expected);
    expect(await sampled(four, "moved", 7)).toEqual(expected);
  });

  it("takes about the share that is asked for, other rows for another seed", async () => {
    // 5544 rows, p = 0.2: four standard deviations are 119 rows.
    const first = await sampled(four, "sorted", 1);
    const second = await sampled(four, "sorted", 2);
    for (const rows of [first, second]) expect(Math.abs(rows.length - 0.2 * 5544)).toBeLessThan(119);
    const common = first.filter((path) => second.includes(path)).length;
    expect(Math.abs(common - 0.04 * 5544)).toBeLessThan(60);
  });

  it("takes nothing for 0 and everything for 1", async () => {
    expect(await sampled(four, "sorted", 3, 0)).toEqual([]);
    expect((await sampled(four, "sorted", 3, 1)).length).toBe(5544);
  });

  it("decides on each of equal rows for itself", async () => {
    const rows = await frame(four, "duplicates").sample(0.5, 5).collect();
    const a = rows.filter(({ label }) => label === "a").length;
    // 5000 rows of each, p = 0.5: four standard deviations are 141 rows.
    expect(Math.abs(a - 2500)).toBeLessThan(141);
    expect(Math.abs(rows.length - a - 2500)).toBeLessThan(141);
  });
});

describe("rand", () => {
  it("is uniform, reproducible and independent for two seeds", async () => {
    const drawn = (session: Session, name: string) =>
      frame(session, name).select("path", rand(1).alias("a"), rand(2).alias("b")).collect();
    const rows = await drawn(four, "shuffled");
    const values = rows.map(({ a, b }) => [Number(a), Number(b)] as const);
    const mean = (xs: number[]) => xs.reduce((s, x) => s + x, 0) / xs.length;
    expect(Math.abs(mean(values.map(([a]) => a)) - 0.5)).toBeLessThan(0.02);
    expect(Math.abs(mean(values.map(([a]) => a * a)) - 1 / 3)).toBeLessThan(0.02);
    expect(Math.abs(mean(values.map(([a, b]) => (a - 0.5) * (b - 0.5))))).toBeLessThan(0.005);
    expect(values.every(([a]) => a >= 0 && a < 1)).toBe(true);
    const byPath = (drawn: typeof rows) => new Map(drawn.map((r) => [r.path, r.a]));
    expect(byPath(await drawn(one, "sorted"))).toEqual(byPath(rows));
  });

  it("works in a filter, a sort and an aggregate", async () => {
    const df = frame(four, "sorted");
    const filtered = df.filter(rand(9).lt(0.1)) as DataFrame;
    expect(Math.abs((await filtered.count()) - 554)).toBeLessThan(90);
    expect((await filtered.schema()).fields.map((f) => f.name)).toEqual(["label", "path", "n"]);
    expect((await df.orderBy(rand(9)).select("n").limit(5).collect()).length).toBe(5);
    expect(await df.filter(col("n").lt(0)).select(rand(1).alias("r")).collect()).toEqual([]);
  });
});

describe("balancedSample", () => {
  const balanced = (session: Session, name: string, total: number, seed = 1) => {
    const df = frame(session, name);
    return paths(df.withPlan({ op: "balancedSample", input: df.plan, by: "LABEL", total, seed }));
  };
  const counts = (list: readonly string[]) => {
    const of = (label: string) => list.filter((path) => path.includes(`/${label}/`)).length;
    return [of("rare"), of("some"), of("many"), of("most"), list.filter((path) => path.endsWith("stray.jpg")).length];
  };

  it.each([
    [0, [0, 0, 0, 0, 0]],
    [5, [1, 1, 1, 1, 1]],
    [100, [3, 32, 32, 32, 1]],
    [1000, [3, 40, 478, 478, 1]],
    [3000, [3, 40, 500, 2456, 1]],
    [9999, [3, 40, 500, 5000, 1]],
  ])("%i rows: small classes give all, the others share", async (total, expected) => {
    expect(counts(await balanced(four, "sorted", total))).toEqual(expected);
  });

  it("gives the odd rows to some classes, one each", async () => {
    const [rare = 0, some = 0, many = 0, most = 0, stray = 0] = counts(await balanced(four, "sorted", 102));
    expect([rare, stray]).toEqual([3, 1]);
    expect([some, many, most].sort()).toEqual([32, 33, 33]);
  });

  it("takes the same rows whatever the threads, the order of the input and the folder's place", async () => {
    const expected = await balanced(one, "sorted", 300);
    expect(expected.length).toBe(300);
    expect(await balanced(four, "shuffled", 300)).toEqual(expected);
    expect(await balanced(four, "moved", 300)).toEqual(expected);
    expect(await balanced(four, "sorted", 300, 2)).not.toEqual(expected);
  });
});
