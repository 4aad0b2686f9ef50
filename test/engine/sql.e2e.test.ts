import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataFrame } from "../../src/frame/dataframe";
import { type DuckDbPlans, openDuckDbPlans, type PlanResult } from "./duckdb-plans";
import { type SparkResult, sparkResults } from "./spark-results";
import { CASES } from "./sql-cases";

/** A table with every type, nulls, NaN, quotes, letters beyond ASCII and an emoji. */
const FRUITS = `
  SELECT * FROM (VALUES
    (1, 'Apple', 'file:/data/Test/Apple Braeburn/0_100.jpg', 10::BIGINT, 1.5e0, 0.5::FLOAT, TRUE, ['a', 'b'], [1.0e0, 2.5e0],
      '\\xFF\\xD8'::BLOB, DATE '2024-01-31', TIMESTAMPTZ '2024-01-31 12:00:00.5+00', {'a': 1, 'b': 'x'}, MAP {'k': 1}, 1.25::DECIMAL(10,2), '12'),
    (2, 'Пиљ''s "pear"', 'file:/data/Test/Poire é/1_100.jpg', 20, 'NaN'::DOUBLE, 1.25, FALSE, [], [], ''::BLOB, DATE '1969-12-31',
      TIMESTAMPTZ '1970-01-01 00:00:00+00', {'a': NULL, 'b': ''}, MAP {}, -2.50, '-3'),
    (3, NULL, 'file:/data/Test/苹果🍎/2_100.jpg', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, 'apple', 'file:/data/Test/a%b_c/3.jpg', -7, -2.5, -0.5, TRUE, ['b', NULL], [NULL], 'abc'::BLOB, DATE '2000-02-29',
      TIMESTAMPTZ '2000-02-29 23:59:59.999999+00', {'a': -4, 'b': NULL}, MAP {'k': 2, 'j': NULL}, 0.00, ' 7 '),
    (5, '', '/a//b/', 9007199254740993, 'Infinity'::DOUBLE, 16777217, FALSE, ['a,b', ''], [1e-5, 1e10], '\\x00'::BLOB, DATE '9999-12-31',
      TIMESTAMPTZ '1969-12-31 23:59:59+00', {'a': 5, 'b': 'b'}, MAP {'x': 0}, 99999999.99, '0'),
    (6, 'Apple', 'x', 10, 2.675, 0.1, TRUE, ['a', 'b'], [1.0], 'abc'::BLOB, DATE '2024-01-31',
      TIMESTAMPTZ '2024-01-31 12:00:00.5+00', {'a': 1, 'b': 'x'}, MAP {'k': 1}, 1.25, '12')
  ) AS t(id, label, path, n, x, f, flag, tags, nums, data, day, time, s, m, price, digits)`;

const OTHER = `
  SELECT * FROM (VALUES (1, 'Apple', 100), (2, 'Pear', 200), (7, 'Kiwi', 700), (NULL, NULL, 0)) AS t(id, label, weight)`;

let folder: string;
let duckdb: DuckDbPlans;
let df: DataFrame;
let other: DataFrame;
let spark: Record<string, SparkResult>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona sql '"));
  const paths = { df: join(folder, "fruits.parquet"), other: join(folder, "other.parquet") };
  duckdb = await openDuckDbPlans();
  for (const [query, path] of [
    [FRUITS, paths.df],
    [OTHER, paths.other],
  ] as const) {
    await duckdb.sql(`COPY (${query}) TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`);
  }
  df = duckdb.frame(paths.df);
  other = duckdb.frame(paths.other);
  spark = sparkResults(paths, Object.fromEntries(CASES.map((c) => [c.spark, c.spark])));
}, 600_000);

afterAll(() => {
  duckdb?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("compiled SQL against Spark", () => {
  it.each(CASES)("$spark", async ({ spark: text, ours, ordered, fails, namesDiffer }) => {
    const expected = spark[text];
    if (!expected) throw new Error("Spark gave no result");
    const run = async () => duckdb.run(ours({ df, other }).plan);
    if (fails) {
      expect(expected).toHaveProperty("error", expect.stringContaining(fails));
      await expect(run()).rejects.toThrow();
      return;
    }
    if ("error" in expected) throw new Error(`Spark fails: ${expected.error}`);
    const actual = await run();
    if (namesDiffer) expect(actual.columns.map(([, type]) => type)).toEqual(expected.columns.map(([, type]) => type));
    else expect(actual.columns).toEqual(expected.columns);
    const [a, b] = ordered ? [actual.rows, expected.rows] : [sorted(actual), sorted(expected)];
    expect(a.length).toBe(b.length);
    a.forEach((row, i) => {
      expectClose(row, b[i]);
    });
  });
});

function sorted(result: PlanResult): PlanResult["rows"] {
  return [...result.rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** Equal, but for the last digits of a sum that was added up in another order. */
function expectClose(actual: unknown, expected: unknown): void {
  if (typeof actual === "number" && typeof expected === "number" && !Number.isInteger(expected)) {
    expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-12 * Math.abs(expected));
  } else if (Array.isArray(actual) && Array.isArray(expected)) {
    expect(actual.length).toBe(expected.length);
    actual.forEach((item, i) => {
      expectClose(item, expected[i]);
    });
  } else expect(actual).toEqual(expected);
}
