import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { duckdbSchema, duckdbType, sparkTypeOf } from "../../src/engine/embedded/duckdb-types";
import { duckdbText, quotedText } from "../../src/engine/embedded/sql-text";
import { AmbiguousColumnError, AnalysisError, UnresolvedColumnError } from "../../src/frame/analysis-error";
import type { DataFrame } from "../../src/frame/dataframe";
import { col, count, lit, max, regexpReplace, sha2, split } from "../../src/frame/functions";
import { mobileNetV2 } from "../../src/frame/models";
import { type DuckDbPlans, openDuckDbPlans } from "./duckdb-plans";

let folder: string;
let duckdb: DuckDbPlans;
let df: DataFrame;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-compile-"));
  duckdb = await openDuckDbPlans();
  const odd = `SELECT 1 AS "a.b", 2 AS "say ""hi""", 3 AS "select", {'c': 4} AS a, 'x' AS "größe"`;
  await duckdb.sql(`COPY (${odd}) TO '${join(folder, "odd.parquet")}' (FORMAT parquet)`);
  await duckdb.sql(
    `COPY (SELECT i AS id, 'x' AS label FROM range(10) t(i)) TO '${join(folder, "ids.parquet")}' (FORMAT parquet)`,
  );
  df = duckdb.frame(join(folder, "ids.parquet"));
});

afterAll(() => {
  duckdb?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("names", () => {
  it("tells an unknown column's neighbours and all columns there are", async () => {
    const error = await duckdb.query(df.select("labl").plan).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UnresolvedColumnError);
    expect(error).toMatchObject({ column: "labl", suggestions: ["label"], available: ["id", "label"] });
    expect((error as Error).message).toBe(
      "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name `labl` cannot be resolved. Did you mean one of the following? [`label`, `id`].",
    );
  });

  it.each([
    ["filter", (d: DataFrame) => d.filter(col("nope").gt(1))],
    ["withColumn", (d: DataFrame) => d.withColumn("x", split("nope", "/"))],
    ["orderBy", (d: DataFrame) => d.orderBy("nope")],
    ["groupBy", (d: DataFrame) => d.groupBy("nope").count()],
    ["agg", (d: DataFrame) => d.agg(max("nope"))],
    ["dropDuplicates", (d: DataFrame) => d.dropDuplicates(["nope"])],
    ["join", (d: DataFrame) => d.join(d, "nope")],
    ["a column dropped before", (d: DataFrame) => d.drop("id").withColumn("x", col("id"))],
  ])("finds it in %s", async (_, make) => {
    await expect(duckdb.query(make(df).plan)).rejects.toThrow(UnresolvedColumnError);
  });

  it("refuses a name that fits two columns, and lets both be renamed or dropped", async () => {
    const both = df.select("id", col("label").alias("ID"));
    await expect(duckdb.query(both.select("id").plan)).rejects.toThrow(AmbiguousColumnError);
    expect((await duckdb.query(both.plan)).columns).toEqual(["id", "ID"]);
    expect((await duckdb.query(both.drop("id").plan)).columns).toEqual([]);
    expect(await duckdb.query(both.select("ID", "*").plan).catch((e: unknown) => e)).toBeInstanceOf(
      AmbiguousColumnError,
    );
    expect((await duckdb.query(both.withColumnRenamed("id", "x").plan)).columns).toEqual(["x", "x"]);
    expect((await duckdb.run(both.limit(1).plan)).rows).toEqual([[0, "x"]]);
  });

  it("reads odd names: dots, quotes, keywords, fields, letters beyond ASCII", async () => {
    const odd = duckdb.frame(join(folder, "odd.parquet"));
    const picked = odd.select(col("`a.b`").alias("c"), 'say "hi"', "select", "a.c", "GRÖßE");
    expect((await duckdb.run(picked.plan)).rows).toEqual([[1, 2, 3, 4, "x"]]);
    await expect(duckdb.query(odd.select("a.b").plan)).rejects.toThrow(
      "[FIELD_NOT_FOUND] No such struct field `b` in `c`",
    );
  });

  it("counts rows of a frame without columns", async () => {
    expect((await duckdb.run(df.drop("id", "label").agg(count("*").alias("n")).plan)).rows).toEqual([[10]]);
  });
});

describe("what cannot be", () => {
  it("refuses a batch function, loose columns in agg, and what DuckDB has not", async () => {
    await expect(duckdb.query(df.select(mobileNetV2({ pathCol: null })("label")).plan)).rejects.toThrow(
      "image.features",
    );
    await expect(duckdb.query(df.groupBy("label").agg(col("id")).plan)).rejects.toThrow(AnalysisError);
    await expect(duckdb.query(df.select(sha2("label", 512)).plan)).rejects.toThrow("Use 256 bits");
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is Java's way to name a group
    await expect(duckdb.query(df.select(regexpReplace("label", "(?<a>x)", "${a}")).plan)).rejects.toThrow(
      "Number the groups",
    );
    expect(() => df.join(df, [])).toThrow("A join is on names, or on conditions, or on nothing.");
  });
});

describe("SQL text", () => {
  it("becomes DuckDB's quoting", () => {
    expect(duckdbText("`a``b` = \"it's\" AND c == 'x\\'y' -- z")).toBe("\"a`b\" = 'it''s' AND c = 'x''y'  ");
    expect(duckdbText("a <=> b /* ` */ AND c LIKE '10\\%'")).toBe("a  IS NOT DISTINCT FROM  b   AND c LIKE '10\\%'");
  });

  it("keeps every character of a literal", async () => {
    const text = 'it\'s "q" `b` \\ \n\t\0 $1 -- /* */ ; 苹果🍎';
    expect((await duckdb.run(df.limit(1).select(lit(text).alias("t")).plan)).rows).toEqual([[text]]);
    expect(quotedText("a'b")).toBe("'a''b'");
  });

  it("makes views of plans, with nothing kept from a sum's HUGEINT but its value", async () => {
    const plan = {
      op: "sql",
      dialect: "duckdb",
      query: "SELECT sum(id) AS total, `label` FROM ids GROUP BY label;",
      views: { ids: df.filter(col("id").gt(5)).plan },
    } as const;
    expect(await duckdb.run(plan)).toEqual({
      columns: [
        ["total", "bigint"],
        ["label", "string"],
      ],
      rows: [[30, "x"]],
    });
  });

  it("compiles a chain of 300 steps", async () => {
    let long: DataFrame = df;
    for (let i = 0; i < 300; i++) long = long.withColumn("id", col("id").plus(1));
    expect((await duckdb.run(long.agg(max("id").alias("m")).plan)).rows).toEqual([[309]]);
  }, 600_000);

  it("keeps the order of a sort through the steps after it", async () => {
    const ordered = df.orderBy(col("id").desc()).withColumn("x", lit(1)).filter(col("id").lt(8)).select("id").limit(3);
    expect((await duckdb.run(ordered.plan)).rows).toEqual([[7], [6], [5]]);
  });
});

describe("DuckDB's types", () => {
  it.each([
    ["BOOLEAN", "boolean"],
    ["DECIMAL(18,3)", "decimal(18,3)"],
    ["TIMESTAMP WITH TIME ZONE", "timestamp"],
    ["TIMESTAMP", "timestamp_ntz"],
    ["HUGEINT", "long"],
    ["UTINYINT", "short"],
    ["FLOAT[1280]", { type: "array", elementType: "float", containsNull: true }],
    ["ENUM('a', 'it''s')", "string"],
    [
      "MAP(VARCHAR, INTEGER[])",
      {
        type: "map",
        keyType: "string",
        valueType: { type: "array", elementType: "integer", containsNull: true },
        valueContainsNull: true,
      },
    ],
  ])("reads %s", (text, type) => {
    expect(sparkTypeOf(text)).toEqual(type);
  });

  it("round-trips what DuckDB itself says", async () => {
    const value = "[{'a': 1, 'b c': ['x'], 'd\"': MAP {'k': 1.5::DECIMAL(4,2)}}]";
    await duckdb.sql(`COPY (SELECT ${value} AS v, NULL AS n) TO '${join(folder, "nested.parquet")}' (FORMAT parquet)`);
    const { columns } = await duckdb.run(duckdb.frame(join(folder, "nested.parquet")).select("v").plan);
    expect(columns).toEqual([["v", 'array<struct<a:int,b c:array<string>,d":map<string,decimal(4,2)>>>']]);
    const type = sparkTypeOf('STRUCT(a INTEGER, "b c" VARCHAR[], "d""" MAP(VARCHAR, DECIMAL(4,2)))[]');
    expect(sparkTypeOf(duckdbType(type))).toEqual(type);
  });

  it("names the column whose type Spark has no word for", () => {
    expect(() => duckdbSchema([{ name: "span", type: "INTERVAL" }])).toThrow("DuckDB's type INTERVAL of column `span`");
  });
});
