import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "pomona";
import { afterAll, beforeAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "sql`files "));
const quoted = (name: string) => `\`${join(folder, name).replaceAll("`", "``")}\``;
let session: Session;
beforeAll(async () => {
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
  mkdirSync(join(folder, "csv"));
  writeFileSync(join(folder, "csv", "a.csv"), "a,b\n5,6\n");
  writeFileSync(join(folder, "csv", "a.json"), '{"a":1,"b":"x"}\n');
  await session
    .sql("SELECT id, id % 2 AS odd FROM range(4) r(id)")
    .write.partitionBy("odd")
    .parquet(join(folder, "odd"));
});
afterAll(async () => {
  await session.stop();
  rmSync(folder, { recursive: true, force: true });
});

const rows = (query: string) => session.sql(query).collect();

it("files stand in a table's place, as in Spark", async () => {
  const odd = quoted("odd");
  expect(await rows(`SELECT count(*) AS n FROM parquet.${odd} WHERE odd = 1`)).toEqual([{ n: 2 }]);
  expect(await rows(`select * from PARQUET . ${odd} order by id limit 1`)).toEqual([{ id: 0, odd: 0 }]);
  expect(await rows(`SELECT a.id FROM parquet.${odd} a JOIN parquet.${odd} b ON a.id = b.id + 2 ORDER BY 1`)).toEqual([
    { id: 2 },
    { id: 3 },
  ]);
  // As Spark 4 answers: no header, all text.
  expect(await rows(`SELECT * FROM csv.${quoted("csv/a.csv")}`)).toEqual([
    { _c0: "a", _c1: "b" },
    { _c0: "5", _c1: "6" },
  ]);
  expect(await rows(`SELECT * FROM (TABLE json.${quoted("csv/a.json")})`)).toEqual([{ a: 1, b: "x" }]);
  expect(await rows(`SELECT value FROM text.${quoted("csv/a.csv")}`)).toEqual([{ value: "a,b" }, { value: "5,6" }]);
  expect(await rows(`SELECT length FROM binaryfile.${quoted("csv/a.csv")}`)).toEqual([{ length: 8 }]);
  await expect(rows(`SELECT * FROM parquet.${quoted("nowhere")}`)).rejects.toMatchObject({ name: "PathNotFoundError" });
});

it("nothing else is taken for files: strings, comments, columns of a view that is called so", async () => {
  const odd = quoted("odd");
  session.range(1, 2).createOrReplaceTempView("parquet");
  expect(await rows(`SELECT parquet.\`id\`, 'FROM csv.\`x\`' AS text FROM parquet -- FROM csv.\`x\`\n`)).toEqual([
    { id: 1, text: "FROM csv.`x`" },
  ]);
  expect(await rows(`SELECT max(parquet.\`odd\`) AS m /* FROM csv.\`x\` */ FROM parquet.${odd} AS parquet`)).toEqual([
    { m: 1 },
  ]);
});

it("a view is found whatever its name holds", async () => {
  for (const name of ["my view", "Äpfel", "🍎", "a-b", "x`y", "a.b"]) {
    session.range(7, 8).createOrReplaceTempView(name);
    expect(await rows(`SELECT * FROM \`${name.replaceAll("`", "``")}\``), name).toEqual([{ id: 7 }]);
  }
});
