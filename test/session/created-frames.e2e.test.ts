import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataFrame } from "../../src/frame/dataframe";
import { col, lit, udf } from "../../src/frame/functions";
import { Session } from "../../src/session/session";
import { type Answer, answerOf, errorName } from "../conformance/answers";
import { golden } from "../support/golden";

interface Golden {
  readonly cells: Readonly<Record<string, Readonly<Record<string, Cell>>>>;
  readonly found: Readonly<Record<string, Answer>>;
  readonly named: Readonly<Record<string, Answer>>;
  readonly programs: Readonly<Record<string, Answer>>;
}

const isBig = udf((n: number) => n > 1, { returns: "boolean" });
const SPARK = golden<Golden>("created-frames");
let session: Session;
beforeAll(async () => {
  session = await Session.builder().master("local[1]").config("pomona.progress", "off").getOrCreate();
});
afterAll(() => session.stop());

/** The values of the script, as JavaScript has them. */
const VALUES: Readonly<Record<string, unknown>> = {
  null: null,
  1: 1,
  "1.5": 1.5,
  x: "x",
  12: "12",
  true: true,
  "3e9": 3000000000,
  300: 300,
  "2**70": 2n ** 70n,
  NaN: Number.NaN,
  "-0.0": -0,
  "1e300": 1e300,
  time: new Date("2024-01-02T03:04:05Z"),
  bytes: new Uint8Array([97, 98]),
  "[1,2]": [1, 2],
  "[a,null]": ["a", null],
  "[1.5]": [1.5],
  "[]": [],
  "[null]": [undefined],
  "{a:1}": { a: 1 },
  "{a:x,b:2}": { a: "x", b: 2 },
  "{a:1,b:q,z:3}": { a: 1, b: "q", z: 3 },
  "map of 1": new Map([[1, "x"]]),
  "decimal 1.256": "1.256",
  "decimal 12345.6": "12345.6",
  "decimal -0.005": "-0.005",
};

const MISFIT = { error: "FIELD_DATA_TYPE_UNACCEPTABLE_WITH_NAME" };
const WHOLE = { "-0.0": { value: 0 }, "1e300": { error: "VALUE_OUT_OF_BOUNDS" } };
const FRACTION = { 1: { value: 1 }, 300: { value: 300 }, "3e9": { value: 3e9 }, "2**70": { value: 2 ** 70 } };
const TOO_LONG = { error: "NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION" };

/** What is not as in Spark, as docs/differences.md says: JavaScript has one kind of number, its own texts, and typed arrays. */
const DIFFERENT: Readonly<Record<string, Readonly<Record<string, Cell>>>> = {
  INT: WHOLE,
  "INT NOT NULL": WHOLE,
  BIGINT: WHOLE,
  SMALLINT: WHOLE,
  TINYINT: WHOLE,
  DOUBLE: FRACTION,
  FLOAT: FRACTION,
  STRING: {
    NaN: { value: "NaN" },
    "-0.0": { value: "0" },
    ...Object.fromEntries(
      ["time", "bytes", ...Object.keys(VALUES).filter((name) => /^[[{]|^map/.test(name))].map((name) => [name, MISFIT]),
    ),
  },
  "DECIMAL(5,2)": {
    1: { value: "1" },
    12: { value: "12" },
    300: { value: "300" },
    "1.5": { value: "1.5" },
    "-0.0": { value: "0" },
    "3e9": TOO_LONG,
    "2**70": TOO_LONG,
    "1e300": TOO_LONG,
  },
  "ARRAY<INT>": { bytes: { value: [97, 98] } },
  "ARRAY<STRING>": { bytes: { value: ["97", "98"] } },
  "ARRAY<DOUBLE>": { bytes: { value: [97, 98] }, "[1,2]": { value: [1, 2] } },
};

const FOUND: Readonly<Record<string, readonly unknown[]>> = {
  "missing keys": [{ a: 1 }, { a: 2, b: "x" }],
  "null first": [{ a: null }, { a: "x" }],
  "all null": [{ a: null }],
  "text and number": [{ a: 1 }, { a: "x" }],
  "text and boolean": [{ a: true }, { a: "x" }],
  "boolean and number": [{ a: true }, { a: 1 }],
  arrays: [{ a: [1, null] }, { a: [] }],
  "empty arrays": [{ a: [] }],
  "mixed array": [{ a: [1, "x"] }],
  "nested arrays": [{ a: [[1], []] }, { a: [undefined, [2]] }],
  "array and number": [{ a: [1] }, { a: 1 }],
  structs: [{ a: { x: 1, y: "p" } }, { a: { x: 2, y: null } }],
  "structs null first": [{ a: { x: null, y: "p" } }, { a: { x: 2, y: null } }],
  "structs all null": [{ a: { x: null } }],
  "structs in arrays": [{ a: [{ x: 1 }, { x: null }] }],
  maps: [
    { a: new Map([["k", 1]]) },
    {
      a: new Map([
        ["k", null],
        ["j", 2],
      ] as [string, number | null][]),
    },
  ],
  "maps of numbers": [{ a: new Map([[1, 1.5]]) }],
  "empty maps": [{ a: new Map() }],
  "map and struct": [{ a: new Map([["k", 1]]) }, { a: { k: 1 } }],
  exact: [{ a: 9007199254740993n }],
  none: [],
  "null row": [null],
};

const NAMED: Readonly<Record<string, readonly [rows: readonly unknown[], schema?: string | string[]]>> = {
  "too few names": [[[1, 2]], ["a"]],
  "too many names": [[[1]], ["a", "b"]],
  "plain values": [[1, 2, null], "int"],
  "plain texts": [["a"], "string"],
  "plain arrays": [[[1], null], "array<int>"],
  "untyped values": [[1, 2]],
  "struct by place": [[[[1, "x"]]], "s struct<a:int,b:string>"],
  "structs by place": [[[[[1, "x"]]]], "s array<struct<a:int,b:string>>"],
  "wrong number in a struct": [[[[1]]], "s struct<a:int,b:string>"],
  deep: [[[{ k: [{ z: 5000000000 }] }]], "s map<string,array<map<string,bigint>>>"],
  "deep misfit": [[[{ k: [{ z: "q" }] }]], "s map<string,array<map<string,bigint>>>"],
  "bytes in a map": [[[{ 1: new Uint8Array([97]) }]], "m map<int,binary>"],
  "no null in an array": [[[[null]]], "a struct<x:int not null>"],
  "fields by name": [[{ b: 2, a: 1 }], "a int, c int"],
};

/** Errors of Python's own, which have no names there. */
const NAMELESS: Readonly<Record<string, string>> = { "too many names": "LENGTH_SHOULD_BE_THE_SAME" };

type Cell = { readonly value?: unknown; readonly error?: string };

async function cell(value: unknown, type: string): Promise<Cell> {
  const found = await answer(() => session.createDataFrame([[value]], `v ${type}`));
  return "rows" in found ? { value: found.rows[0]?.[0] } : (found as Cell);
}

async function answer(make: () => DataFrame): Promise<Answer> {
  try {
    return await answerOf(make());
  } catch (error) {
    return { error: errorName(error) };
  }
}

describe("createDataFrame", () => {
  it("takes of each kind of value what Spark takes, for each type, and refuses the rest by Spark's names", async () => {
    for (const [type, cells] of Object.entries(SPARK.cells)) {
      const ours: Record<string, Cell> = {};
      for (const name of Object.keys(cells)) ours[name] = await cell(VALUES[name], type);
      expect(ours, type).toEqual({ ...cells, ...DIFFERENT[type] });
    }
  });

  it.each(Object.keys(SPARK.found))("finds types as Spark does: %s", async (name) => {
    const rows = FOUND[name] as object[];
    expect(await answer(() => session.createDataFrame(rows))).toEqual(SPARK.found[name]);
  });

  it.each(Object.keys(SPARK.named))("takes names and schemas as Spark does: %s", async (name) => {
    const [rows, schema] = NAMED[name] ?? [[]];
    const made = await answer(() => session.createDataFrame(rows as object[], schema));
    expect(made).toEqual(name in NAMELESS ? { error: NAMELESS[name] } : SPARK.named[name]);
  });

  it("says which value of which row does not fit, and what to do", () => {
    const rows = [{ st: { a: [1] } }, { st: { a: [1, "two"] } }];
    expect(() => session.createDataFrame(rows, "st struct<a:array<int>>")).toThrow(
      'Row 1: `st.a[1]` is the text "two", where the type is int.\nGive a whole number, or declare DOUBLE.',
    );
    expect(() => session.createDataFrame([{ a: 1 }], ["b"])).toThrow(/objects have names/);
    expect(() => session.createDataFrame([{ a: 1.5 }, { a: 2n ** 60n + 1n }])).toThrow(/Row 1: `a`/);
  });
});

describe("what is not taken says what to write instead", () => {
  it("a user function in the condition of a join", async () => {
    const df = session.range(3) as DataFrame;
    await expect(df.join(df.toDF("n"), isBig("n")).collect()).rejects.toThrow(
      /\[UNSUPPORTED_FEATURE\] .*\nMake a column of it first/,
    );
  });

  it("numbers and dates that are none", () => {
    expect(() => session.range(2.5)).toThrow(/whole numbers/);
    expect(() => session.range(0, 5, 0)).toThrow(/other than 0/);
    expect(() => lit(new Date(Number.NaN))).toThrow(/invalid Date/);
    expect(() => session.range(1).orderBy(1 as never)).toThrow('Name the column: orderBy("label").');
    expect(() => session.range(1).select(1 as never)).toThrow(/named by a text/);
  });
});

describe("programs over frames made of rows", () => {
  const zeros = () => {
    const rows = Array.from({ length: 6 }, (_, i) => [i, i % 2 ? 0 : -0, [i % 2 ? 0 : -0]]);
    return session.createDataFrame(rows, "i int, x double, xs array<double>") as DataFrame;
  };
  const few = () => {
    const rows = [[1, "a", null, 1.5, null], [2, null, 7, Number.NaN, "1.50"]]; // biome-ignore format: rows
    return session.createDataFrame(rows, "id int, g string, n long, x double, d decimal(6,2)") as DataFrame;
  };
  const PROGRAMS: Readonly<Record<string, () => DataFrame>> = {
    zeros,
    "zeros filtered": () => zeros().filter("i >= 0"),
    "zeros as floats": () => zeros().select("i", col("x").cast("float")),
    "zeros twice": () => zeros().crossJoin(session.range(2)).select("i", "x").orderBy("i"),
    "zeros joined": () =>
      zeros()
        .join(zeros().select("i", col("x").alias("y")), "i")
        .select("i", "x", "y")
        .orderBy("i"),
    "rename on": () => few().withColumnsRenamed({ n: "m", m: "q" }),
    "rename crosswise": () => few().withColumnsRenamed({ n: "x", x: "n" }),
    "rename to another's name": () => few().withColumnRenamed("N", "id"),
    "rename nothing": () => few().withColumnsRenamed({ zz: "n" }),
    "fillna 0": () => few().fillna(0),
    "fillna 1.7": () => few().fillna(1.7),
    "fillna text": () => few().fillna("?"),
    "fillna named": () => few().fillna({ n: 2, g: "u", x: 0.5 }),
    "fillna subset": () => few().fillna(0, ["n", "d"]),
    "fillna to decimal": () => few().fillna({ d: 0.126 }),
    "agg by name": () => few().agg({ n: "max" }),
    "agg stars": () => few().agg({ "*": "count" }),
    "agg in groups": () => few().groupBy("g").agg({ x: "AVG" }).orderBy("g"),
    "agg of no name": () => few().agg({ n: "nope" }),
    "group by a list": () => few().groupBy(["g", "id"]).count().orderBy("id"),
  };

  it.each(Object.keys(SPARK.programs))("%s", async (name) => {
    expect(await answer(PROGRAMS[name] as () => DataFrame)).toEqual(withoutZeros(SPARK.programs[name]));
  });
});

/** Decimals as `answerOf` has them: without zeros at their end. */
function withoutZeros(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutZeros);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, k === "rows" ? withoutZeros(v) : v]));
  }
  return typeof value === "string" && /^-?\d+\.\d*$/.test(value) && value !== "-0.0" ? String(Number(value)) : value;
}
