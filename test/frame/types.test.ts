import { describe, expect, expectTypeOf, it } from "vitest";
import type { Column } from "../../src/frame/column";
import { DataFrame } from "../../src/frame/dataframe";
import {
  array,
  avg,
  coalesce,
  col,
  collectList,
  count,
  elementAt,
  first,
  length,
  lit,
  lower,
  max,
  split,
  sum,
  udf,
  when,
} from "../../src/frame/functions";
import { type BinaryFileRow, DataFrameReader } from "../../src/frame/reader";
import type { AnyRow } from "../../src/frame/row-types";
import type { Runtime } from "../../src/frame/runtime";
import { mobileNetV2 } from "../../src/models";

interface Fruit {
  path: string;
  label: string;
  length: number;
}

// types-compile.e2e.test.ts compiles this file, which is what checks the types. Nothing runs here: describing a frame asks nothing of the runtime.
const runtime = {} as Runtime;
const fruits = new DataFrame<Fruit>({ op: "read", format: "parquet", paths: ["fruits"], options: {} }, runtime);
const open = new DataFrameReader(runtime).parquet("x.parquet");

type RowOf<D> = D extends DataFrame<infer R> ? R : never;
function rowOf<D>(_frame: D): RowOf<D> {
  return {} as RowOf<D>;
}

describe("row types", () => {
  it("follow select", () => {
    expectTypeOf(rowOf(fruits.select("path", col("label"), col("length").alias("bytes")))).toEqualTypeOf<{
      path: string;
      label: string;
      bytes: number;
    }>();
    expectTypeOf(rowOf(fruits.select(["path"]))).toEqualTypeOf<{ path: string }>();
    expectTypeOf(rowOf(fruits.select("*"))).toEqualTypeOf<Fruit>();
    expectTypeOf(rowOf(fruits.select("label", mobileNetV2()(col("path")).alias("features")))).toEqualTypeOf<{
      label: string;
      features: Float32Array;
    }>();
    expectTypeOf(rowOf(fruits.select(col("length").cast("string"), lit(1).alias("one")))).toEqualTypeOf<{
      length: string;
      one: number;
    }>();
  });

  it("stay known beside an expression without a name", () => {
    const row = rowOf(fruits.select("path", lower("label")));
    expectTypeOf(row.path).toEqualTypeOf<string>();
    expectTypeOf(row["lower(label)"]).toBeAny();
  });

  it("follow withColumn, drop and withColumnRenamed", () => {
    const labelled = fruits.withColumn("class", elementAt(split(col("path"), "/"), -2));
    expectTypeOf(rowOf(labelled)).toEqualTypeOf<
      Fruit & { class: string } extends infer R ? { [K in keyof R]: R[K] } : never
    >();
    expectTypeOf(rowOf(fruits.withColumn("length", lit("long"))).length).toEqualTypeOf<string>();
    expectTypeOf(rowOf(fruits.withColumns({ a: col("length"), b: lit(true) })).a).toEqualTypeOf<number>();
    expectTypeOf(rowOf(fruits.drop("path", "length"))).toEqualTypeOf<{ label: string }>();
    expectTypeOf(rowOf(fruits.withColumnRenamed("label", "class"))).toEqualTypeOf<{
      path: string;
      class: string;
      length: number;
    }>();
  });

  it("follow groupBy, agg and join", () => {
    expectTypeOf(rowOf(fruits.groupBy("label").count())).toEqualTypeOf<{ label: string; count: number }>();
    expectTypeOf(rowOf(fruits.groupBy("label").avg("length"))).toEqualTypeOf<{
      label: string;
      "avg(length)": number;
    }>();
    expectTypeOf(
      rowOf(fruits.agg(max("path").alias("last"), sum("length").alias("bytes"), first("label").alias("l"))),
    ).toEqualTypeOf<{ last: string; bytes: number; l: string }>();
    const sizes = fruits.groupBy("label").agg(count("*").alias("n"), avg("length").alias("mean"));
    expectTypeOf(rowOf(fruits.join(sizes, "label")).n).toEqualTypeOf<number>();
  });

  it("reach collect, first and take", () => {
    expectTypeOf(fruits.select("path").collect).returns.resolves.toEqualTypeOf<{ path: string }[]>();
    expectTypeOf(fruits.first).returns.resolves.toEqualTypeOf<Fruit | null>();
    expectTypeOf(fruits.take).returns.resolves.toEqualTypeOf<Fruit[]>();
  });

  it("come from the reader", () => {
    const images = new DataFrameReader(runtime).format("binaryFile").option("pathGlobFilter", "*.jpg").load("x");
    expectTypeOf(rowOf(images)).toEqualTypeOf<BinaryFileRow>();
    expectTypeOf(rowOf(new DataFrameReader(runtime).parquet<Fruit>("x"))).toEqualTypeOf<Fruit>();
    expectTypeOf(rowOf(open)).toBeAny();
  });

  it("take every name where the row is open, and its value as anything", () => {
    expectTypeOf(rowOf(open.select("path", "anything"))).toEqualTypeOf<{ path: AnyRow; anything: AnyRow }>();
    const more = rowOf(open.withColumn("label", lit("x")));
    expectTypeOf(more.label).toEqualTypeOf<string>();
    expectTypeOf(more.path).toBeAny();
    const field = rowOf(fruits.select("path", col("st").getField("a").alias("a"), collectList("path").alias("all")));
    expectTypeOf(field).toEqualTypeOf<{ path: string; a: AnyRow; all: AnyRow[] }>();
    const deeper = rowOf(open.groupBy("label").agg(first("features").alias("features")));
    expectTypeOf(deeper).toEqualTypeOf<{ label: AnyRow; features: AnyRow }>();
  });

  it("let rows of files be used without a cast", () => {
    const uses = async () => {
      const row = await open.first();
      const lengths: number[] = (await open.collect()).map((r) => r.features.length);
      for (const { features } of await open.take(3)) lengths.push(features[0] * 2);
      for (const { path, features } of await open.select("path", "features").head(2))
        lengths.push(path.length, features[0]);
      return [row?.features.length, ...lengths];
    };
    expect(uses).toBeTypeOf("function");
  });

  it("let a variable of open rows take on other columns, and one that is declared so", () => {
    let frame = open;
    frame = frame.withColumn("label", lit("x"));
    frame = frame.select("path", "label").filter(col("label").eq("x"));
    frame = frame.groupBy("label").count().withColumnRenamed("count", "n").drop("n");
    frame = frame.join(fruits, "label");
    let images: DataFrame = fruits;
    images = images.withColumn("class", lit(1)).select("class", "path");
    expect([frame, images]).toHaveLength(2);
  });

  it("follow the type that a user function returns", () => {
    const parts = udf((path: string) => path.split("/"), { returns: "array<string>" });
    const halves = udf((xs) => xs, { returns: "array<float>" });
    const grid = udf((xs) => [xs], { returns: "array<array<int>>" });
    const row = rowOf(fruits.select(parts("path").alias("p"), halves("path").alias("h"), grid("path").alias("g")));
    expectTypeOf(row).toEqualTypeOf<{ p: string[]; h: Float32Array; g: number[][] }>();
  });

  it("make an unknown name a compile error where the row is known", () => {
    // @ts-expect-error there is no column labl
    fruits.select("labl");
    // @ts-expect-error there is no column labl
    fruits.orderBy("labl");
    // @ts-expect-error a value is wrapped in lit()
    expect(() => fruits.withColumn("x", 1)).toThrow("Wrap a constant in lit()");
    const anyFrame: DataFrame = fruits;
    expect(anyFrame).toBe(fruits);
  });

  it("follow expressions", () => {
    expectTypeOf(when(col("length").gt(1), "a").otherwise(2)).toEqualTypeOf<Column<string, string | number>>();
    expectTypeOf(length("path")).toEqualTypeOf<Column<string, number>>();
    expectTypeOf(array("path")).toEqualTypeOf<Column<string, unknown[]>>();
    expectTypeOf(rowOf(fruits.select(coalesce(col("label"), lit("?")).alias("l"))).l).toEqualTypeOf<string>();
  });
});
