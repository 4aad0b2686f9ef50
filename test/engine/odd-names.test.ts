import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DataFrame, Session } from "pomona";
import { col, udf } from "pomona/functions";
import { afterAll, beforeAll, expect, it } from "vitest";

const NAMES = ["a.b", "a b", "Ünï", "`q`", '"dq"', "a,b;c", "果物", "x\ny", "%s", "#1"];
const ROW = NAMES.map((_, i) => i + 1);

let session: Session;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-odd-"));
  session = await Session.builder().master("local[1]").config("pomona.progress", "off").getOrCreate();
});

afterAll(async () => {
  await session?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function ticked(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

it("names with dots, spaces, quotes and line breaks are selected, written and read again", async () => {
  const one: DataFrame = session.createDataFrame([ROW], NAMES.map((name) => `${ticked(name)} int`).join(", "));
  const path = join(folder, "odd");
  await one.write.parquet(path);
  const plusOne = udf((n: number) => n + 1, { returns: "int", name: "plusOne" });
  const back: DataFrame = session.read.parquet(path);
  for (const df of [one, back]) {
    expect(await df.columns()).toEqual(NAMES);
    expect(await df.collect()).toEqual([Object.fromEntries(NAMES.map((name, i) => [name, i + 1]))]);
    for (const [i, name] of NAMES.entries()) {
      const column = col(ticked(name));
      const made = df.filter(column.eq(i + 1)).select(column, plusOne(column).alias("n"));
      expect(await made.collect()).toEqual([{ [name]: i + 1, n: i + 2 }]);
      expect(await df.drop(name).columns()).toEqual(NAMES.filter((other) => other !== name));
    }
  }
  expect(await back.showString()).toContain("|a.b|");
});
