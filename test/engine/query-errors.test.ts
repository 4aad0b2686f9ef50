import { AnalysisError, Session, UnresolvedColumnError } from "pomona";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let session: Session;

beforeAll(async () => {
  session = await Session.builder().master("local[1]").config("pomona.progress", "off").getOrCreate();
  const rows = [{ label: "a", path: "p", n: 1, st: { a: 1 } }];
  session.createOrReplaceTempView("fruits", session.createDataFrame(rows));
  session.createOrReplaceTempView("sizes", session.createDataFrame([{ label: "a", size: 1 }]));
});
afterAll(() => session.stop());

/** DuckDB's own words. */
const DUCKDB = /Binder|Catalog Error|Parser Error|Candidate|LINE \d|VARCHAR|INTEGER|LITERAL|FROM clause|pg_|\^|->/;

async function failure(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error("It did not fail.");
}

describe("an error of SQL text is in this package's words", () => {
  it.each([
    [
      "SELECT labl FROM fruits",
      /UNRESOLVED_COLUMN\.WITH_SUGGESTION.*`labl` cannot be resolved\. Did you mean one of the following\? \[`label`/,
    ],
    ["SELECT f.labl FROM fruits f", /UNRESOLVED_COLUMN.*`f`\.`labl` cannot be resolved/],
    ["SELECT g.label FROM fruits f", /no table or view `g`/],
    [
      "SELECT * FROM fruts",
      /^\[TABLE_OR_VIEW_NOT_FOUND\] There is no table or view `fruts`\.\n.*createOrReplaceTempView\("fruts"\)/,
    ],
    [
      "SELECT lable_of(label) FROM fruits",
      /^\[UNRESOLVED_ROUTINE\] There is no function `lable_of`\.\nSQL text is DuckDB's dialect/,
    ],
    ["SELECT upper(label, 1) FROM fruits", /^\[DATATYPE_MISMATCH\] upper does not take \(STRING, INT\)\./],
    ["SELECT path + 1 FROM fruits", /^\[DATATYPE_MISMATCH\] \+ does not take \(STRING, INT\)\./],
    ["SELECT sum(path) FROM fruits", /^\[DATATYPE_MISMATCH\] sum does not take \(STRING\)\./],
    ["SELECT path < 1 FROM fruits", /^Cannot compare values of type STRING and type INT/],
    [
      "SELECT label FROM fruits, sizes",
      /^\[AMBIGUOUS_REFERENCE\] The name `label` fits several columns\.\nSay which: `fruits\.label` or `sizes\.label`\.$/,
    ],
    ["SELECT label, count(*) FROM fruits", /^The column `label` is neither grouped by nor inside an aggregate\./],
    ["SELECT st.b FROM fruits", /^\[FIELD_NOT_FOUND\] No such struct field `b`\.\nThe fields are `a`\.$/],
    ["SELEC label FROM fruits", /^\[PARSE_SYNTAX_ERROR\] The SQL text has a syntax error at or near 'FROM'\./],
    ["SELECT label FROM", /^\[PARSE_SYNTAX_ERROR\] The SQL text has a syntax error at its end\./],
    ["SELECT CAST(label AS nonsense) FROM fruits", /^There is no type `nonsense`\./],
    [
      "SELECT label FROM fruits WHERE label IN (SELECT siz FROM sizes)",
      /UNRESOLVED_COLUMN.*`siz` cannot be resolved\. Did you mean one of the following\? \[`size`/,
    ],
  ])("%s", async (query, message) => {
    const error = await failure(session.sql(query).schema());
    expect(error).toBeInstanceOf(AnalysisError);
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(DUCKDB);
    expect((error.cause as Error).message).not.toMatch(/Candidate|Did you mean/);
  });

  it.each([
    ["labl = 'a'", /`labl` cannot be resolved\. Did you mean one of the following\? \[`label`/],
    ["upper(label, 1) = 'a'", /upper does not take/],
    ["label = ", /syntax error/],
    ["nope > 1", /`nope` cannot be resolved/],
  ])("in a filter: %s", async (condition, message) => {
    const error = await failure(session.sql("SELECT * FROM fruits").filter(condition).count());
    expect(error).toBeInstanceOf(AnalysisError);
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(DUCKDB);
  });

  it("a column that is not there is an UnresolvedColumnError", async () => {
    const error = await failure(session.sql("SELECT labl FROM fruits").collect());
    expect(error).toBeInstanceOf(UnresolvedColumnError);
    expect(error).toMatchObject({ column: "labl", suggestions: expect.arrayContaining(["label"]) });
  });
});
