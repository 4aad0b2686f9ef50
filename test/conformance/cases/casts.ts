import { col } from "../../../src/frame/functions";
import { type ColumnCase, over } from "../case";

const TYPES = [
  "boolean",
  "tinyint",
  "smallint",
  "int",
  "bigint",
  "float",
  "double",
  "decimal(10,2)",
  "decimal(3,0)",
  "string",
  "binary",
  "date",
  "timestamp",
  "timestamp_ntz",
];

const SOURCES: Readonly<Record<string, readonly string[]>> = {
  flags: ["p"],
  wholes: ["t", "h", "i", "l"],
  doubles: ["a", "f"],
  decimals: ["d", "e", "w"],
  numerals: ["s"],
  bytes: ["b"],
  times: ["day", "time", "clock"],
};

/** Every type into every type. */
export const CAST_CASES: readonly ColumnCase[] = [
  ...Object.entries(SOURCES).flatMap(([frame, columns]) =>
    columns.flatMap((column) =>
      TYPES.flatMap((type) => over(frame, { [`F.col("${column}").cast("${type}")`]: () => col(column).cast(type) })),
    ),
  ),
  ...over("arrays", {
    'F.col("xs").cast("array<float>")': () => col("xs").cast("array<float>"),
    'F.col("xs").cast("array<string>")': () => col("xs").cast("array<string>"),
    'F.col("ns").cast("array<double>")': () => col("ns").cast("array<double>"),
    'F.col("ns").cast("string")': () => col("ns").cast("string"),
    'F.col("xs").cast("string")': () => col("xs").cast("string"),
    'F.col("nn").cast("string")': () => col("nn").cast("string"),
    'F.col("ns").cast("int")': () => col("ns").cast("int"),
  }),
  ...over("nested", {
    'F.col("st").cast("string")': () => col("st").cast("string"),
    'F.col("m").cast("string")': () => col("m").cast("string"),
    'F.col("m").cast("map<string,double>")': () => col("m").cast("map<string,double>"),
    'F.col("st").cast("struct<x:string,y:string>")': () => col("st").cast("struct<x:string,y:string>"),
  }),
];
