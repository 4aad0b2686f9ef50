import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ARRAY,
  BOOLEAN,
  DECIMAL,
  DuckDBInstance,
  type DuckDBType,
  ENUM,
  FLOAT,
  HUGEINT,
  INTEGER,
  INTERVAL,
  LIST,
  MAP,
  STRUCT,
  TIMESTAMP,
  TIMESTAMPTZ,
  UTINYINT,
  VARCHAR,
} from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { duckdbSchema, sparkTypeOf } from "../../src/engine/duckdb/duckdb-types";
import { duckdbText, quotedText } from "../../src/engine/duckdb/sql-text";
import { AmbiguousColumnError, AnalysisError, UnresolvedColumnError } from "../../src/frame/analysis-error";
import type { DataFrame } from "../../src/frame/dataframe";
import { col, count, lit, max, regexpReplace, sha2, split } from "../../src/frame/functions";
import { Session } from "../../src/session/session";
import { answerOf } from "../conformance/answers";

let folder: string;
let session: Session;
let df: DataFrame;

const FILES = {
  odd: `SELECT 1 AS "a.b", 2 AS "say ""hi""", 3 AS "select", {'c': 4} AS a, 'x' AS "größe"`,
  ids: "SELECT i AS id, 'x' AS label FROM range(10) t(i)",
  nested: "SELECT [{'a': 1, 'b c': ['x'], 'd\"': MAP {'k': 1.5::DECIMAL(4,2)}}] AS v, NULL AS n",
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-compile-"));
  const duckdb = await (await DuckDBInstance.create(":memory:")).connect();
  for (const [name, query] of Object.entries(FILES)) {
    await duckdb.run(`COPY (${query}) TO '${join(folder, `${name}.parquet`)}' (FORMAT parquet)`);
  }
  duckdb.closeSync();
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
  df = frame("ids");
});

afterAll(async () => {
  await session?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function frame(name: keyof typeof FILES): DataFrame {
  return session.read.parquet(join(folder, `${name}.parquet`)) as DataFrame;
}

const rowsOf = async (given: DataFrame) => (await answerOf(given)).rows;
const namesOf = async (given: DataFrame) => (await given.schema()).fields.map((f) => f.name);

describe("names", () => {
  it("tells an unknown column's neighbours and all columns there are", async () => {
    const error = await df
      .select("labl")
      .schema()
      .catch((e: unknown) => e);
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
    await expect(make(df).schema()).rejects.toThrow(UnresolvedColumnError);
  });

  it("refuses a name that fits two columns, and lets both be renamed or dropped", async () => {
    const both = df.select("id", col("label").alias("ID"));
    await expect(both.select("id").schema()).rejects.toThrow(AmbiguousColumnError);
    expect(await namesOf(both)).toEqual(["id", "ID"]);
    expect(await namesOf(both.drop("id"))).toEqual([]);
    expect(
      await both
        .select("ID", "*")
        .schema()
        .catch((e: unknown) => e),
    ).toBeInstanceOf(AmbiguousColumnError);
    expect(await namesOf(both.withColumnRenamed("id", "x"))).toEqual(["x", "x"]);
    expect(await rowsOf(both.limit(1))).toEqual([[0, "x"]]);
  });

  it("reads odd names: dots, quotes, keywords, fields, letters beyond ASCII", async () => {
    const odd = frame("odd");
    const picked = odd.select(col("`a.b`").alias("c"), 'say "hi"', "select", "a.c", "GRÖßE");
    expect(await rowsOf(picked)).toEqual([[1, 2, 3, 4, "x"]]);
    await expect(odd.select("a.b").schema()).rejects.toThrow("[FIELD_NOT_FOUND] No such struct field `b` in `c`");
  });

  it("counts rows of a frame without columns", async () => {
    expect(await rowsOf(df.drop("id", "label").agg(count("*").alias("n")))).toEqual([[10]]);
  });
});

describe("what cannot be", () => {
  it("refuses loose columns in agg, and what DuckDB has not", async () => {
    await expect(df.groupBy("label").agg(col("id")).schema()).rejects.toThrow(AnalysisError);
    await expect(df.select(sha2("label", 512)).schema()).rejects.toThrow("Use 256 bits");
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is Java's way to name a group
    await expect(df.select(regexpReplace("label", "(?<a>x)", "${a}")).schema()).rejects.toThrow("Number the groups");
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
    expect(await rowsOf(df.limit(1).select(lit(text).alias("t")))).toEqual([[text]]);
    expect(quotedText("a'b")).toBe("'a''b'");
  });

  it("makes views of plans, with nothing kept from a sum's HUGEINT but its value", async () => {
    session.createOrReplaceTempView("ids", df.filter(col("id").gt(5)) as DataFrame);
    const { columns, rows } = await answerOf(
      session.sql("SELECT sum(id) AS total, `label` FROM ids GROUP BY label;") as DataFrame,
    );
    expect(columns.map(([name, type]) => [name, type])).toEqual([
      ["total", "bigint"],
      ["label", "string"],
    ]);
    expect(rows).toEqual([[30, "x"]]);
  });

  it("compiles a chain of 300 steps", async () => {
    let long: DataFrame = df;
    for (let i = 0; i < 300; i++) long = long.withColumn("id", col("id").plus(1));
    expect(await rowsOf(long.agg(max("id").alias("m")))).toEqual([[309]]);
  }, 600_000);

  it("keeps the order of a sort through the steps after it", async () => {
    const ordered = df.orderBy(col("id").desc()).withColumn("x", lit(1)).filter(col("id").lt(8)).select("id").limit(3);
    expect(await rowsOf(ordered)).toEqual([[7], [6], [5]]);
  });
});

describe("DuckDB's types", () => {
  it.each<[DuckDBType, ReturnType<typeof sparkTypeOf>]>([
    [BOOLEAN, "boolean"],
    [DECIMAL(18, 3), "decimal(18,3)"],
    [TIMESTAMPTZ, "timestamp"],
    [TIMESTAMP, "timestamp_ntz"],
    [HUGEINT, "long"],
    [UTINYINT, "short"],
    [ARRAY(FLOAT, 1280), { type: "array", elementType: "float", containsNull: true }],
    [ENUM(["a", "it's"]), "string"],
    [
      MAP(VARCHAR, LIST(INTEGER)),
      {
        type: "map",
        keyType: "string",
        valueType: { type: "array", elementType: "integer", containsNull: true },
        valueContainsNull: true,
      },
    ],
    [LIST(INTERVAL), undefined],
    [STRUCT({ a: INTEGER, b: MAP(VARCHAR, INTERVAL) }), undefined],
  ])("reads %s", (type, expected) => {
    expect(sparkTypeOf(type)).toEqual(expected);
  });

  it("round-trips what DuckDB itself says", async () => {
    const { columns } = await answerOf(frame("nested").select("v", "n") as DataFrame);
    expect(columns).toEqual([
      ["v", 'array<struct<a:int,b c:array<string>,d":map<string,decimal(4,2)>>>', true],
      ["n", "int", true],
    ]);
  });

  it("names the column whose type Spark has no word for", async () => {
    expect(() => duckdbSchema([{ name: "span", type: INTERVAL }])).toThrow("DuckDB's type INTERVAL of column `span`");
    await expect(session.sql("SELECT row(1, 2) AS r").schema()).rejects.toThrow("of column `r` has no counterpart");
  });

  it("knows those of a query that DuckDB makes two of, and of none whose values are missing", async () => {
    session.createOrReplaceTempView("ids", df);
    expect(await namesOf(session.sql("SELECT * FROM (PIVOT ids ON label USING sum(id))") as DataFrame)).toEqual(["x"]);
    await expect(session.sql("SELECT ? + 1").schema()).rejects.toThrow("Expected 1 parameters");
  });
});
