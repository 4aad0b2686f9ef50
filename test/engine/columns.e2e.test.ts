import { Session } from "pomona";
import { coalesce, col, lit, max, percentileApprox, sum, upper } from "pomona/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DataType, simpleString } from "../../src/data/types";
import { valuesFromVector } from "../../src/data/vectors";
import { golden } from "../support/golden";

type Answer =
  | { readonly columns: readonly (readonly [string, string])[]; readonly rows: readonly (readonly unknown[])[] }
  | { readonly error: string };

const answers = golden<Record<string, Answer>>("spark-columns");

/** Where the answer is another on purpose; docs/differences.md says why. */
const OWN: Readonly<Record<string, string>> = {
  // PySpark classic's words for a column of a frame that is not there; Spark Connect has the name used here.
  MISSING_ATTRIBUTES: "CANNOT_RESOLVE_DATAFRAME_COLUMN",
  AMBIGUOUS_SELF_JOIN: "AMBIGUOUS_COLUMN_REFERENCE",
  "Can only star expand": "Can only star expand",
};

/** What Spark computes and we refuse by name. */
const REFUSED: Readonly<Record<string, string>> = {
  // Spark puts the column below distinct, which then keeps more rows.
  'a.select("id").distinct().filter(col("v").gt(10))': "UNRESOLVED_COLUMN",
};

let session: Session;
let frames: Record<string, unknown>;

beforeAll(async () => {
  session = await Session.builder().master("local[1]").config("pomona.progress", "off").getOrCreate();
  const a = session.createDataFrame(
    [
      [1, "x", 10],
      [2, "y", 20],
    ],
    "id int, label string, v int",
  );
  const b = session.createDataFrame(
    [
      [1, "X", 1.5],
      [3, "Z", 3.5],
    ],
    "id int, Label string, w double",
  );
  const st = session.createDataFrame(
    [
      [1, { p: 1, q: { r: "z" } }, [{ f: 1 }, { f: 2 }, null], new Map([["k", 5]]), 7],
      [2, null, null, null, 8],
    ],
    "id int, st struct<p:int,q:struct<r:string>>, arr array<struct<f:int>>, m map<string,int>, `a.b` int",
  );
  const n = session.createDataFrame(
    [
      [1, null, 1.5, true],
      [null, "x", Number.NaN, null],
      [3, "12", null, false],
      [null, null, null, null],
    ],
    "n int, s string, f double, t boolean",
  );
  const nums = session.createDataFrame(
    Array.from({ length: 11 }, (_, i) => [i + 1, (i + 1) * 1.5, String(i + 1)]),
    "i int, d double, s string",
  );
  frames = {
    a,
    b,
    st,
    n,
    nums,
    ab: a.join(b, "id"),
    aa: a.join(a, "id"),
    al: a.alias("l"),
    ar: a.alias("r"),
    br: b.alias("r"),
    agg: a.groupBy("label").agg(sum("v").alias("n"), max("v").alias("n")),
    cross: a.crossJoin(b),
    ...{ coalesce, col, lit, max_: max, percentileApprox, sum_: sum, upper },
  };
});

afterAll(() => session?.stop());

describe("which column a name means, as Spark", () => {
  it.each(Object.entries(answers))("%s", async (text, expected) => {
    const actual = await answer(text);
    const refused = REFUSED[text] ?? ("error" in expected ? expected.error : undefined);
    if (refused !== undefined) {
      const own = Object.entries(OWN).find(([theirs]) => refused.startsWith(theirs))?.[1];
      expect(actual).toEqual({ error: expect.stringContaining(own ?? refused) });
      return;
    }
    const ordered = /orderBy|sort/.test(text);
    expect(inOrder(actual, ordered)).toEqual(inOrder(expected, ordered));
  });
});

async function answer(text: string): Promise<Answer> {
  try {
    const made = new Function(...Object.keys(frames), `return ${text};`)(...Object.values(frames));
    const [schema, table] = [await made.schema(), await made.toArrow()];
    const types = schema.fields.map((f: { type: DataType }) => f.type) as DataType[];
    const columns = schema.fields.map((f: { name: string }, i: number) => [f.name, simpleString(types[i] ?? "void")]);
    const values = types.map((type, i) => valuesFromVector(table.getChildAt(i), type));
    const rows = Array.from({ length: table.numRows }, (_, row) =>
      values.map((v, i) => plain(v[row], types[i] ?? "void")),
    );
    return { columns, rows };
  } catch (error) {
    const { message } = error as Error;
    return { error: /^\[([A-Z_]+)/.exec(message)?.[1] ?? (message.split("\n")[0] ?? "").slice(0, 120) };
  }
}

/** A value in the form that the golden file has. */
function plain(value: unknown, type: DataType): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value).replace("NaN", "nan");
  if (typeof type === "string") return value;
  switch (type.type) {
    case "array":
      return Array.from(value as ArrayLike<unknown>, (item) => plain(item, type.elementType));
    case "map":
      return [...(value as Map<unknown, unknown>)].map(([key, item]) => [key, plain(item, type.valueType)]);
    case "struct":
      return type.fields.map((f) => plain((value as Record<string, unknown>)[f.name], f.type));
  }
}

function inOrder(answer_: Answer, ordered: boolean): Answer {
  if (!("rows" in answer_) || ordered) return answer_;
  const rows = [...answer_.rows].sort((x, y) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1));
  return { ...answer_, rows };
}
