import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Column } from "../../src/frame/column";
import type { DataFrame } from "../../src/frame/dataframe";
import { functionNames } from "../../src/frame/function-entry";
import { col, lit } from "../../src/frame/functions";
import type { Session } from "../../src/session/session";
import {
  type Answer,
  answerOf,
  type ColumnAnswer,
  cutTime,
  errorName,
  framesOn,
  idsOf,
  isSame,
  isUnseen,
  sparkAnswers,
} from "./answers";
import type { ColumnCase, ConformanceCase, FrameCase, Frames } from "./case";
import { CASES, keyOf } from "./cases";
import type { ConformingEngine } from "./engines";

const differences = readFileSync(join(__dirname, "..", "..", "docs", "differences.md"), "utf8");

/** Columns that are computed in one query. */
const TOGETHER = 24;

type Outcome = "identical" | "refused" | "different";

/** Holds an engine against Spark's answers. */
export function conforms({ name, open, cannot, spark }: ConformingEngine): void {
  describe(`conformance with Spark on ${name}`, () => {
    const answers = sparkAnswers(spark);
    let session: Session;
    let frames: Frames;
    const outcomes: Outcome[] = [];

    beforeAll(async () => {
      session = await open();
      frames = framesOn(session);
    });

    afterAll(async () => {
      const count = (outcome: Outcome) => outcomes.filter((o) => o === outcome).length;
      console.log(
        `Conformance with Spark on ${session.master}: ${outcomes.length} of ${CASES.length} cases: ${count("identical")} identical, ` +
          `${count("refused")} refused by name, ${count("different")} different and documented.`,
      );
      await session.stop();
    });

    it.each(Object.keys(answers).length > 0 ? [...new Set(CASES.map((c) => c.frame ?? ""))] : [])(
      "gives Spark's columns over %s",
      async (frame) => {
        const cases = CASES.filter((c): c is ColumnCase => (c.frame ?? "") === frame && c.frame !== undefined);
        const complaints: string[] = [];
        for (let start = 0; start < cases.length; start += TOGETHER) {
          complaints.push(...(await columnsTogether(cases.slice(start, start + TOGETHER))));
        }
        expect(complaints).toEqual([]);
      },
      600_000,
    );

    it("tries every function of the table", () => {
      const worked = CASES.filter((c) => !("error" in answers[keyOf(c)]!));
      const tried = worked
        .map((c) => JSON.stringify(c.frame === undefined ? c.ours(frames).plan : c.ours().expression))
        .join();
      // Tried elsewhere: what rows they give numbers to is each engine's own.
      const random = ["rand", "monotonically_increasing_id"];
      expect(
        functionNames().filter((name) => !random.includes(name) && !tried.includes(`"fn":${JSON.stringify(name)}`)),
      ).toEqual([]);
    });

    it("gives Spark's frames", async () => {
      const complaints: string[] = [];
      for (const each of CASES.filter((c): c is FrameCase => c.frame === undefined)) {
        complaints.push(...judged(each, each.spark, await frameComplaint(each)));
      }
      expect(complaints).toEqual([]);
    }, 600_000);

    async function columnsTogether(cases: readonly ColumnCase[]): Promise<string[]> {
      const quick = cases.filter((c) => {
        const answer = answers[keyOf(c)];
        return answer && "values" in answer && !c.refused && !answer.values.some(isError) && !namesField(c);
      });
      const found = new Map<ColumnCase, string | undefined>();
      try {
        for (const [each, complaint] of await computed(quick)) found.set(each, complaint);
      } catch {
        // One of them fails: which one shows one by one.
      }
      const complaints: string[] = [];
      for (const each of cases) {
        const complaint = found.has(each) ? found.get(each) : await columnComplaint(each);
        complaints.push(...judged(each, keyOf(each), complaint));
      }
      return complaints;
    }

    /** A field's name follows from a type, which only a frame knows. */
    function namesField(each: ColumnCase): boolean {
      return JSON.stringify(each.ours().expression).includes('"fn":"getitem"');
    }

    /** Several columns in one query. */
    async function computed(cases: readonly ColumnCase[]): Promise<[ColumnCase, string | undefined][]> {
      const [first] = cases;
      if (!first) return [];
      const frame = frames[first.frame]!;
      const columns = cases.map((c, i) => c.ours().alias(`c${i}`));
      const { columns: schema, rows } = await answerOf(frame.select(col("id"), ...columns) as DataFrame);
      const ids = idsOf(first.frame);
      const ordered = [...rows].sort((a, b) => ids.indexOf(a[0] as number) - ids.indexOf(b[0] as number));
      return cases.map((c, i) => {
        const [, type = "", nullable = true] = schema[i + 1] ?? [];
        const values = ordered.map((row) => row[i + 1]);
        const { expression, columnName } = c.ours();
        const name = expression.kind === "column" ? columnName.split(".").at(-1) : columnName;
        return [c, difference(c, answers[keyOf(c)], [name, type, nullable], values)];
      });
    }

    /** A column by itself: what Spark fails on row by row has to fail here too. */
    async function columnComplaint(each: ColumnCase): Promise<string | undefined> {
      const answer = answers[keyOf(each)]!;
      const frame = frames[each.frame]!;
      const attempt = async (rows: DataFrame, ...others: Column[]) => {
        try {
          return await answerOf(rows.select(...others, each.ours()) as DataFrame);
        } catch (error) {
          return { error: errorName(error) };
        }
      };
      if (!("values" in answer)) {
        const whole = await attempt(frame.filter(lit(false)) as DataFrame);
        const error = "error" in whole ? whole.error : "error" in (await attempt(frame)) ? "" : undefined;
        if (error === undefined)
          return `Spark refuses it with ${(answer as { error: string }).error}, and here it works`;
        return sameError(error, (answer as { error: string }).error);
      }
      const ids = idsOf(each.frame);
      // Rows that Spark does not fail on are asked for together; where one of them fails here, each by itself.
      const good = ids.filter((_, i) => !isError(answer.values[i]));
      const together =
        good.length > 1 ? await attempt(frame.filter(col("id").isin(...good)) as DataFrame, col("id")) : undefined;
      const known = together && "rows" in together ? together : undefined;
      const values: unknown[] = [];
      let column: ColumnAnswer | undefined = known?.columns[1];
      for (const [i, id] of ids.entries()) {
        if (known && !isError(answer.values[i])) {
          values.push(known.rows.find((row) => row[0] === id)?.[1]);
          continue;
        }
        const one = await attempt(frame.filter(col("id").eq(id)) as DataFrame);
        if ("error" in one) values.push(one);
        else {
          column = one.columns[0]!;
          values.push(one.rows[0]?.[0]);
        }
      }
      return difference(each, answer, column, values);
    }

    async function frameComplaint(each: FrameCase): Promise<string | undefined> {
      const answer = answers[each.spark]!;
      let actual: Awaited<ReturnType<typeof answerOf>>;
      try {
        actual = await answerOf(each.ours(frames));
      } catch (error) {
        if ("error" in answer && each.orError === errorName(error)) return undefined;
        if ("error" in answer) return sameError(errorName(error), answer.error);
        return `fails: ${errorName(error)}`;
      }
      if (!("rows" in answer)) return `Spark fails with ${"error" in answer ? answer.error : "?"}, and here it works`;
      const told = (given: readonly ColumnAnswer[]) =>
        JSON.stringify(each.nullable === undefined ? given : given.map(asMayBeNull));
      const [columns, expectedColumns] = [told(actual.columns), told(answer.columns)];
      if (columns !== expectedColumns) return `columns ${columns}, Spark ${expectedColumns}`;
      const expected = answer.rows.map((row) => row.map(cutTime));
      const [a, b] = each.ordered ? [actual.rows, expected] : [sorted(actual.rows), sorted(expected)];
      const wrong = b.findIndex((row, i) => !isSame(a[i], row, each.within));
      if (a.length === b.length && wrong < 0) return undefined;
      return `row ${wrong}: ${JSON.stringify(a[wrong])}, Spark ${JSON.stringify(b[wrong])} (${a.length} and ${b.length} rows)`;
    }

    /** What is wrong with a case, by what is said of it. */
    function judged(each: ConformanceCase, key: string, complaint: string | undefined): string[] {
      // What is said of the other engine, Spark itself may do.
      if (spark !== undefined && complaint === undefined) {
        outcomes.push("identical");
        return [];
      }
      if (each.refused !== undefined) {
        outcomes.push("refused");
        if (!cannot.has(each.refused)) return [`${key}: this engine may not refuse with ${each.refused}`];
        return complaint?.includes(each.refused) ? [] : [`${key}: is not refused with ${each.refused}: ${complaint}`];
      }
      if (each.differs !== undefined) {
        outcomes.push("different");
        if (!differences.includes(each.differs)) return [`${key}: docs/differences.md says nothing of ${each.differs}`];
        return complaint === undefined ? [`${key}: is said to differ and does not`] : [];
      }
      outcomes.push("identical");
      return complaint === undefined ? [] : [`${key}: ${complaint}`];
    }
  });
}

/** A column without what is known of its nulls. */
function asMayBeNull([name, type]: ColumnAnswer): ColumnAnswer {
  return [name, type.replaceAll(" not null", ""), true];
}

function isError(value: unknown): value is { error: string } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && "error" in value;
}

function difference(
  each: ColumnCase,
  given: Answer | undefined,
  column: readonly unknown[] | undefined,
  values: readonly unknown[],
): string | undefined {
  const answer = given as Extract<Answer, { values: unknown }>;
  if (column && JSON.stringify(column) !== JSON.stringify(answer.column)) {
    return `column ${JSON.stringify(column)}, Spark ${JSON.stringify(answer.column)}`;
  }
  const errors = new Set(values.map((value) => (isError(value) ? value.error : "")));
  // What is wrong with every row is refused before there are rows, with the error that Spark has for the first of them.
  if (errors.size === 1 && answer.values.some((value) => isError(value) && errors.has(value.error))) return undefined;
  const wrong = answer.values.flatMap((expected, i) => {
    const actual = values[i];
    if (isUnseen(expected)) return [];
    if (isError(expected) || isError(actual)) {
      const message = sameError(
        isError(actual) ? actual.error : undefined,
        isError(expected) ? expected.error : undefined,
      );
      return message === undefined
        ? []
        : [`row ${idsOf(each.frame)[i]}: ${message} ${JSON.stringify(actual)} ${JSON.stringify(expected)}`];
    }
    return isSame(actual, cutTime(expected), each.within)
      ? []
      : [`row ${idsOf(each.frame)[i]}: ${JSON.stringify(actual)}, Spark ${JSON.stringify(expected)}`];
  });
  return wrong.length === 0 ? undefined : wrong.slice(0, 4).join("; ");
}

function sameError(actual: string | undefined, expected: string | undefined): string | undefined {
  // Whether Spark has a suggestion depends on the function that it calls inside.
  const name = (error: string | undefined) => error?.replace(/^(NUMERIC_VALUE_OUT_OF_RANGE)\..*/, "$1");
  if (name(actual) === name(expected)) return undefined;
  return `error ${actual ?? "none"}, Spark ${expected ?? "none"}`;
}

function sorted(rows: readonly (readonly unknown[])[]): (readonly unknown[])[] {
  return [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
