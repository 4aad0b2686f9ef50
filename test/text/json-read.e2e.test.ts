import { expect, test } from "vitest";
import { parseSchema } from "../../src/frame/ddl";
import { checkedOptions, READ_OPTIONS } from "../../src/frame/options";
import { refuseNames } from "../../src/text/column-names";
import { jsonReading } from "../../src/text/json-options";
import { jsonBatches, jsonSchema } from "../../src/text/json-read";
import { golden } from "../support/golden";
import { type Answer, answerOf, type TextCase } from "./text-cases";

const cases = golden<TextCase[]>("json-read");

/** What Spark refuses since only the column of corrupt records is there; here its texts can be seen. */
const ONLY_CORRUPT = "UNSUPPORTED_FEATURE.QUERY_ONLY_CORRUPT_RECORD_COLUMN";

/** Refused by lines where nobody said that it is UTF-16; Spark goes by each line's own bytes, and sees some more lines. */
function isUntoldUtf16({ files, options }: TextCase): boolean {
  const [file] = Object.values(files);
  if (typeof file !== "object" || options.encoding !== undefined || options.multiLine !== undefined) return false;
  const [first, second] = Buffer.from(file.base64, "base64");
  return first === 0xff || first === 0xfe || first === 0 || second === 0;
}

/** Corrupt records of a file in UTF-16, or with a mark, are shown as the characters they are; Spark shows bytes of UTF-8. */
function textsAside(answer: Answer, { files, options }: TextCase): Answer {
  const [file] = Object.values(files);
  const isMarked = typeof file === "object" && Buffer.from(file.base64, "base64")[0] === 0xef;
  if ("error" in answer || !(isMarked || options.encoding?.startsWith("UTF-16"))) return answer;
  const at = answer.schema.findIndex(([name]) => name === "_corrupt_record");
  return { ...answer, rows: answer.rows.map((row) => row.map((v, i) => (i === at && v !== null ? "a text" : v))) };
}

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
    else if ("error" in answer && (one.options.preferDate !== undefined || isUntoldUtf16(one))) counts.refusedHere++;
    else if ("error" in one.spark && (one.spark.error === ONLY_CORRUPT || one.options.encoding === "ISO-8859-1")) {
      counts.readHere++;
    } else {
      expect(textsAside(answer, one), JSON.stringify({ ...one, spark: undefined })).toEqual(textsAside(one.spark, one));
      counts.identical++;
    }
  }
  expect(counts).toEqual({ identical: 441, refusedByBoth: 57, refusedHere: 21, readHere: 113 });
});
