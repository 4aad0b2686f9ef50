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

const cases = golden<TextCase[]>("csv-read");

test(`reads ${cases.length} inputs as Spark does, or refuses them by name`, async () => {
  const counts = { identical: 0, refusedByBoth: 0, refusedHere: 0 };
  for (const one of cases) {
    const answer = await answerOf(one, async (files) => {
      const options = checkedOptions("csv", READ_OPTIONS.csv, new Map(Object.entries(one.options)));
      const reading = csvReading(options);
      const inOrder = [...files].sort((a, b) => b.size - a.size);
      const schema = one.schema ? parseSchema(one.schema) : await csvSchema(inOrder, reading, options);
      return { schema, batches: csvBatches(inOrder, schema, reading) };
    });
    if ("error" in answer && "error" in one.spark) counts.refusedByBoth++;
    else if ("error" in answer && isRefusedHere(one)) counts.refusedHere++;
    else {
      expect(answer, JSON.stringify({ ...one, spark: undefined })).toEqual(one.spark);
      counts.identical++;
    }
  }
  expect(counts).toEqual({ identical: 514, refusedByBoth: 56, refusedHere: 17 });
});
