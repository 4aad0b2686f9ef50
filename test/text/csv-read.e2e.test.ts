import { expect, test } from "vitest";
import { parseSchema } from "../../src/frame/ddl";
import { checkedOptions, READ_OPTIONS } from "../../src/frame/options";
import { csvReading } from "../../src/text/csv-options";
import { csvBatches, csvSchema } from "../../src/text/csv-read";
import { golden } from "../support/golden";
import { answerOf, type TextCase } from "./text-cases";

/** What Spark takes and we refuse by name, by the options that say so. */
function isRefusedHere({ options }: TextCase): boolean {
  return (
    options.mode === "other" ||
    options.samplingRatio === "0" ||
    // Spark reads no value by such patterns: Q is a quarter, E a day of the week.
    /[QE]/.test(options.dateFormat ?? "")
  );
}

/** Where Spark drops the rest of a line behind another line's end, and mixes what follows. */
function hasEndsInLines({ options }: TextCase): boolean {
  return options.lineSep === "\r\n" && options.multiLine === undefined;
}

/** Spark looks for the separator with a mark before it, finds none, and reads the first record alone. */
function isLostInSpark({ options }: TextCase): boolean {
  return options.encoding === "UTF-16" && options.lineSep !== undefined;
}

const cases = golden<TextCase[]>("csv-read");

test(`reads ${cases.length} inputs as Spark does, or refuses them by name`, async () => {
  const counts = { identical: 0, refusedByBoth: 0, refusedHere: 0, wholeHere: 0 };
  for (const one of cases) {
    const answer = await answerOf(one, async (files) => {
      const options = checkedOptions("csv", READ_OPTIONS.csv, new Map(Object.entries(one.options)));
      const reading = csvReading(options);
      const inOrder = [...files].sort((a, b) => b.size - a.size);
      const schema = one.schema ? parseSchema(one.schema) : await csvSchema(inOrder, reading, options);
      return { schema, batches: csvBatches(inOrder, schema, reading) };
    });
    if ("error" in answer && "error" in one.spark) counts.refusedByBoth++;
    else if ("error" in answer && (isRefusedHere(one) || hasEndsInLines(one))) counts.refusedHere++;
    else if (
      "rows" in answer &&
      "rows" in one.spark &&
      answer.rows.length > one.spark.rows.length &&
      isLostInSpark(one)
    )
      counts.wholeHere++;
    else {
      expect(answer, JSON.stringify({ ...one, spark: undefined })).toEqual(one.spark);
      counts.identical++;
    }
  }
  expect(counts).toEqual({ identical: 705, refusedByBoth: 59, refusedHere: 21, wholeHere: 4 });
});
