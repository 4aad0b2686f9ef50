import { type Column, Session } from "pomona";
import * as F from "pomona/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/* What a function makes of its columns does not depend on what these are called: its SQL has names of its own within it. */

const { col, lit } = F;
const ROWS = [
  [1, 2.5, "apple,red", [3, 1, 2, 1], ["y", null, "x", "y"], "2024-02-29", "p"],
  [7, -1, " Pear  pie", [7, 7, null], ["x"], "1999-12-31", ","],
  [-7, 4, "ÄÖ", [], [], "2100-03-01", "e"],
];
const SCHEMA = "INT, DOUBLE, STRING, ARRAY<INT>, ARRAY<STRING>, DATE, STRING".split(", ");
const PLAIN = ["number", "real", "text", "numbers", "texts", "day", "other"];
/** Each column once has each name that a parameter or a lambda may have. */
const NAMES = "e i v x w s p n l m k element index key value entry part present f0".split(" ");
const ROTATIONS = NAMES.map((_, start) => PLAIN.map((_, at) => NAMES[(start + at) % NAMES.length] ?? ""));

type Make = (
  number: Column,
  real: Column,
  text: Column,
  numbers: Column,
  texts: Column,
  day: Column,
  other: Column,
) => Column;

const OF_ROWS: Readonly<Record<string, Make>> = {
  arrayRepeat: (number) => F.arrayRepeat(number, 2),
  "arrayRepeat of a text": (_n, _r, text) => F.arrayRepeat(text, 3),
  arrayRemove: (number, _r, _t, numbers) => F.arrayRemove(numbers, number),
  arrayDistinct: (_n, _r, _t, numbers) => F.arrayDistinct(numbers),
  "arrayDistinct of floats": (_n, real) => F.arrayDistinct(F.array(real, real)),
  arrayContains: (number, _r, _t, numbers) => F.arrayContains(numbers, number),
  arrayPosition: (number, _r, _t, numbers) => F.arrayPosition(numbers, number),
  arrayJoin: (_n, _r, _t, _ns, texts) => F.arrayJoin(texts, "-", "?"),
  sortArray: (_n, _r, _t, numbers) => F.sortArray(numbers, false),
  slice: (_n, _r, _t, numbers) => F.slice(numbers, -2, 2),
  flatten: (_n, _r, _t, numbers) => F.flatten(F.array(numbers, numbers)),
  "reverse of an array": (_n, _r, _t, numbers) => F.reverse(numbers),
  arrayMax: (_n, _r, _t, numbers) => F.arrayMax(numbers),
  concatWs: (_n, _r, text, _ns, _ts, _d, other) => F.concatWs("-", text, other),
  "concatWs of an array": (_n, _r, text, _ns, texts) => F.concatWs("-", text, texts),
  initcap: (_n, _r, text) => F.initcap(text),
  upper: (_n, _r, text) => F.upper(text),
  lpad: (number, _r, text) => F.lpad(F.concat(text, number.cast("string")), 12, "ab"),
  substring: (_n, _r, text) => F.substring(text, -3, 2),
  substringIndex: (_n, _r, text) => F.substringIndex(text, "p", -2),
  instr: (_n, _r, text) => F.instr(text, "p"),
  locate: (_n, _r, text) => F.locate("p", text, 3),
  translate: (_n, _r, text) => F.translate(text, "pe", "xy"),
  split: (_n, _r, text) => F.split(text, "p+", 2),
  regexpCount: (_n, _r, text) => F.regexpCount(text, "[a-z]"),
  regexpExtract: (_n, _r, text) => F.regexpExtract(text, "([a-z]+)", 1),
  regexpExtractAll: (_n, _r, text) => F.regexpExtractAll(text, "([a-z]+)", 1),
  regexpReplace: (_n, _r, text) => F.regexpReplace(text, "p", "_"),
  round: (_n, real) => F.round(real, 0),
  "a quotient": (number, real) => real.divide(number),
  "a remainder": (number, real) => real.mod(number),
  decimals: (number, real) => number.cast("decimal(5,1)").multiply(real.cast("decimal(5,2)")),
  greatest: (number, real) => F.greatest(number.cast("double"), real),
  dateAdd: (_n, _r, _t, _ns, _ts, day) => F.dateAdd(day, 3),
  addMonths: (_n, _r, _t, _ns, _ts, day) => F.addMonths(day, 13),
  dateTrunc: (_n, _r, _t, _ns, _ts, day) => F.dateTrunc("week", day),
  dateFormat: (_n, _r, _t, _ns, _ts, day) => F.dateFormat(day, "yyyy/MM/d"),
  "arrays as text": (_n, _r, _t, numbers, texts) => F.concat(numbers.cast("string"), texts.cast("string")),
  "arrays of another type": (_n, _r, _t, numbers) => numbers.cast("array<double>"),
  "a struct and its field": (number, _r, text) => F.struct(number.alias("x"), text.alias("e")).getField("e"),
  "a map and its key": (number, _r, text) => F.elementAt(F.createMap(lit("k"), number, lit("v"), F.length(text)), "v"),
  "arrays compared": (number, _r, _t, numbers) => numbers.lt(F.array(number)),
};

const OF_GROUPS: Readonly<Record<string, Make>> = {
  skewness: (number) => F.skewness(number),
  kurtosis: (_n, real) => F.kurtosis(real),
  stddev: (number) => F.stddev(number),
  corr: (number, real) => F.corr(number, real),
  median: (number) => F.median(number),
  percentile: (_n, real) => F.percentile(real, 0.3),
  collectList: (_n, _r, text) => F.sortArray(F.collectList(text)),
  collectSet: (_n, _r, _t, numbers) => F.size(F.collectSet(numbers)),
  countDistinct: (number, _r, text) => F.countDistinct(number, text),
  sum: (number, real) => F.sum(number.multiply(real)),
  max: (_n, _r, _t, numbers) => F.max(numbers),
};

let session: Session;
beforeAll(async () => {
  session = await Session.builder().master("local[1]").config("pomona.progress", "off").getOrCreate();
});
afterAll(() => session.stop());

async function values(names: readonly string[]): Promise<Record<string, unknown>[]> {
  const schema = names.map((name, i) => `\`${name}\` ${SCHEMA[i]}`).join(", ");
  const rows = ROWS.map((row) => row.map((value, i) => (SCHEMA[i] === "DATE" ? new Date(String(value)) : value)));
  const df = session.createDataFrame(rows, schema);
  const columns = names.map((name) => col(`\`${name}\``)) as unknown as Parameters<Make>;
  const made = (functions: Readonly<Record<string, Make>>) =>
    Object.values(functions).map((make, i) => make(...columns).alias(`result ${i}`));
  const [first = lit(0), ...others] = made(OF_GROUPS);
  return [...(await df.select(...made(OF_ROWS)).collect()), ...(await df.agg(first, ...others).collect())];
}

describe("columns with names that SQL of functions has for its own", () => {
  let plain: Record<string, unknown>[];
  beforeAll(async () => {
    plain = await values(PLAIN);
  });

  it("have the values of the others", () => {
    expect(plain[1]).toMatchObject({ "result 0": [7, 7], "result 2": [null], "result 3": [7, null] });
  });

  it.each(ROTATIONS)("%s %s %s %s %s %s %s", async (...names) => {
    expect(await values(names)).toEqual(plain);
  });
});
