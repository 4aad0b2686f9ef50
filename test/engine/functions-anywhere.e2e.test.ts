import { type DataFrame, Session } from "pomona";
import { col, count, lit, max, sum, udf, upper, when } from "pomona/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { golden } from "../support/golden";

type Answer =
  | { readonly columns: readonly (readonly [string, string])[]; readonly rows: readonly (readonly unknown[])[] }
  | { readonly error: string };

/** The programs, and what Spark answers. */
const SPARK = golden<Record<string, Answer>>("functions-anywhere");

let session: Session;
let names: Record<string, unknown>;

beforeAll(async () => {
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
  // Three functions of one name, as Python's lambdas have.
  const name = "<lambda>";
  const df = session.createDataFrame(
    [
      [1, "aa", 10],
      [2, "b", 20],
      [3, "aa", 30],
      [4, null, 40],
      [5, "ccc", null],
    ] as never,
    "id int, label string, v int",
  );
  const small = session.createDataFrame(
    [
      [20, "x"],
      [60, "y"],
    ] as never,
    "w int, name string",
  );
  names = {
    df,
    small,
    col,
    lit,
    when,
    upper,
    count,
    sum_: sum,
    max_: max,
    twice: udf((x: number | null) => (x === null ? null : x * 2), { returns: "int", name }),
    size: udf((s: string | null) => s?.length ?? 0, { returns: "int", name }),
    big: udf((x: number | null) => x !== null && x > 15, { returns: "boolean", name }),
  };
});

afterAll(() => session?.stop());

async function answer(program: string): Promise<Answer> {
  try {
    const df = new Function(...Object.keys(names), `return ${program};`)(...Object.values(names)) as DataFrame;
    const rows = (await df.collect()) as Record<string, unknown>[];
    return { columns: await df.dtypes(), rows: rows.map((row) => Object.values(row)) };
  } catch (error) {
    return { error: /^\[([A-Z_]+)/.exec((error as Error).message)?.[1] ?? String(error) };
  }
}

/** Equal keys come in any order. */
function inOrder(program: string, answered: Answer): Answer {
  if (!("rows" in answered) || !/orderBy\("(count|s)"\)$/.test(program)) return answered;
  return { ...answered, rows: [...answered.rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
}

describe("a user's function", () => {
  it.each(Object.keys(SPARK))("gives what it gives in Spark: %s", async (program) => {
    expect(inOrder(program, await answer(program))).toEqual(inOrder(program, SPARK[program]!));
  });

  it("is refused in the condition of a join, with the way", async () => {
    const { error } = (await answer("df.join(small, big('v'))")) as { error: string };
    expect(error).toBe("UNSUPPORTED_FEATURE");
  });
});
