import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { golden } from "../support/golden";

interface Answer {
  readonly name: string;
  /** Base64. */
  readonly content: string;
  readonly schema: readonly (readonly [name: string, type: string])[];
  /** What `show` prints of the column t, as text, date, timestamp, timestamp_ntz, its hour and so on. */
  readonly shown: string;
}

const answers = golden<Answer[]>("time-zones");

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pomona-time-zones-"));
  for (const { name, content } of answers) writeFileSync(join(folder, name), Buffer.from(content, "base64"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Reads each file as the script of the answers does; runs in a process of its own, since DuckDB takes the zone from it. */
const PROGRAM = `
const { Session } = require("pomona");
const { col, dateFormat, hour, toTimestamp } = require("pomona/functions");
const [folder, ...names] = process.argv.slice(1);
(async () => {
  const session = await Session.builder().master("local[1]").config("pomona.progress", "off").getOrCreate();
  const results = [];
  const print = console.log;
  for (const name of names) {
    const format = name.split(".").at(-1);
    const options = { parquet: {}, csv: { header: true, inferSchema: true }, json: { inferTimestamp: true } }[format];
    const t = col("t");
    const data = session.read.options(options)[format](folder + "/" + name).select(
      "t", t.cast("string").alias("s"), t.cast("date").alias("d"), t.cast("timestamp").cast("string").alias("z"),
      t.cast("timestamp_ntz").cast("string").alias("n"), hour("t").alias("h"), dateFormat("t", "yyyy-MM-dd HH:mm").alias("f"),
      toTimestamp(t.cast("string")).cast("string").alias("u"), t.cast("timestamp").cast("long").alias("e"));
    let shown = "";
    console.log = (text) => { shown += text; };
    await data.show(20, false);
    console.log = print;
    results.push({ name, schema: await data.dtypes(), shown, instants: (await data.collect()).map((row) => row.t.toISOString()) });
  }
  await session.stop();
  print(JSON.stringify(results));
})();
`;

async function readIn(zone: string) {
  const args = ["-e", PROGRAM, folder, ...answers.map(({ name }) => name)];
  const options = { cwd: join(__dirname, "..", ".."), env: { ...process.env, TZ: zone } };
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return JSON.parse(stdout) as (Omit<Answer, "content"> & { readonly instants: readonly string[] })[];
}

describe("the process's time zone", () => {
  it.each(["UTC", "Asia/Tokyo", "America/New_York"])(
    "means nothing to times: with %s they are Spark's of UTC",
    async (zone) => {
      const results = await readIn(zone);
      for (const [i, { name, schema, shown }] of answers.entries()) {
        expect(results[i]).toMatchObject({ name, shown });
        expect(results[i]?.schema, name).toEqual(schema);
        // Three digits of the fraction, as JavaScript has them; the text has all.
        const texts = shown
          .split("\n")
          .slice(3)
          .flatMap((line) => line.split("|")[1]?.trim() ?? []);
        const iso = (text: string) => (text.length === 10 ? `${text}T00:00:00` : text.replace(" ", "T")).slice(0, 23);
        const instants = texts.map((text) => new Date(`${iso(text)}Z`).toISOString());
        expect(results[i]?.instants, name).toEqual(instants);
      }
    },
  );
});
