import { expect, test } from "vitest";
import { parseSchema } from "../../src/frame/ddl";
import { checkedOptions, READ_OPTIONS } from "../../src/frame/options";
import { refuseNames } from "../../src/text/column-names";
import { jsonReading } from "../../src/text/json-options";
import { jsonBatches, jsonSchema } from "../../src/text/json-read";
import { golden } from "../support/golden";
import { answerOf, type TextCase } from "./text-cases";

const cases = golden<TextCase[]>("json-read");

/** What Spark refuses since only the column of corrupt records is there; here its texts can be seen. */
const ONLY_CORRUPT = "UNSUPPORTED_FEATURE.QUERY_ONLY_CORRUPT_RECORD_COLUMN";

test(`reads ${cases.length} inputs as Spark does, or refuses them by name`, async () => {
  const counts = { identical: 0, refusedByBoth: 0, refusedHere: 0, readHere: 0 };
  for (const one of cases) {
    const answer = await answerOf(one, async (files) => {
      const options = checkedOptions("json", READ_OPTIONS.json, new Map(Object.entries(one.options)));
      const reading = jsonReading(options);
      const inOrder = [...files].sort((a, b) => b.size - a.size);
      const schema = one.schema ? parseSchema(one.schema) : await jsonSchema(inOrder, reading);
      refuseNames(schema);
      return { schema, batches: jsonBatches(inOrder, schema, reading) };
    });
    if ("error" in answer && "error" in one.spark) counts.refusedByBoth++;
    // Spark takes the option of CSV and ignores it.
    else if ("error" in answer && one.options.preferDate !== undefined) counts.refusedHere++;
    else if ("error" in one.spark && (one.spark.error === ONLY_CORRUPT || one.options.encoding === "ISO-8859-1")) {
      counts.readHere++;
    } else {
      expect(answer, JSON.stringify({ ...one, spark: undefined })).toEqual(one.spark);
      counts.identical++;
    }
  }
  expect(counts).toEqual({ identical: 387, refusedByBoth: 25, refusedHere: 11, readHere: 113 });
});
