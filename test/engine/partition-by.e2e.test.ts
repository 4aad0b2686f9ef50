import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "pomona";
import { col, elementAt, split, udf } from "pomona/functions";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readParquetFooter } from "../../src/parquet";
import { localFile } from "../support/local-file";

let folder: string;
let session: Session;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "partition-by-"));
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
});
afterAll(async () => {
  await session.stop();
  rmSync(folder, { recursive: true, force: true });
});

const LABELS = ["Apple Red 1", "a=b/c:é%", null, "", "Pear", "x*y?", "tab\there"];

function frame(rows = 20) {
  const data = Array.from({ length: rows }, (_, i) => ({
    id: i,
    label: LABELS[i % LABELS.length] ?? null,
    day: `2024-02-0${1 + (i % 3)}`,
  }));
  return session.createDataFrame(data, "id INT, label STRING, day STRING");
}

/** The folders and parts below a folder, the parts' names shortened. */
function layout(root: string): string[] {
  const names = readdirSync(root, { recursive: true }) as string[];
  return [...new Set(names.map((name) => name.replace(/part-\d{5}-[0-9a-f-]{36}-c000/, "part")))]
    .filter((n) => /part\.|_SUCCESS/.test(n))
    .sort();
}

describe("write.partitionBy", () => {
  it("lays files out as Spark does, without the columns of the folders, and reads them back", async () => {
    const path = join(folder, "plain");
    const written = await frame().write.partitionBy("label").parquet(path);
    expect(written.rows).toBe(20);
    // As Spark 4.3 named them for the same rows.
    expect(layout(path)).toEqual(
      [
        "_SUCCESS",
        "label=Apple Red 1/part.snappy.parquet",
        "label=Pear/part.snappy.parquet",
        "label=__HIVE_DEFAULT_PARTITION__/part.snappy.parquet",
        "label=a%3Db%2Fc%3Aé%25/part.snappy.parquet",
        "label=tab%09here/part.snappy.parquet",
        "label=x%2Ay%3F/part.snappy.parquet",
      ].sort(),
    );
    const [part] = readdirSync(join(path, "label=Pear"));
    const { columns } = await readParquetFooter(localFile(join(path, "label=Pear", part ?? "")));
    expect(columns.map((c) => c.name)).toEqual(["id", "day"]);
    const back = session.read.parquet(path);
    expect((await back.schema()).fields.map((f) => f.name)).toEqual(["id", "day", "label"]);
    const rows = await back.orderBy("id").collect();
    expect(rows.map((r) => r.label)).toEqual(Array.from({ length: 20 }, (_, i) => LABELS[i % LABELS.length] || null));
    expect(await back.filter(col("label").eqNullSafe("Pear")).count()).toBe(3);
  });

  it.each(["parquet", "json"] as const)(
    "names folders as they are written here, whatever the column's letters: %s",
    async (format) => {
      const path = join(folder, `letters-${format}`);
      const upper = frame().select(col("id").alias("Id"), col("day").alias("DAY"), col("label").alias("Label"));
      await upper.write.partitionBy("day", "LABEL").format(format).save(path);
      const folders = readdirSync(path).filter((name) => name !== "_SUCCESS");
      expect(folders.sort()).toEqual(["day=2024-02-01", "day=2024-02-02", "day=2024-02-03"]);
      for (const day of folders) for (const name of readdirSync(join(path, day))) expect(name).toMatch(/^LABEL=/);
      // As Spark 4 reads what it has written so.
      const back = session.read.format(format).load(path);
      expect((await back.schema()).fields.map((f) => f.name)).toEqual(["Id", "day", "LABEL"]);
      expect(await back.count()).toBe(20);
    },
  );

  it("takes several columns in their order, of any plain type", async () => {
    const path = join(folder, "several");
    const typed = session.createDataFrame(
      [
        { id: 1, d: 1.5, when: new Date("2024-02-29T01:02:03.500Z"), ok: true },
        { id: 2, d: 1e10, when: new Date("2024-03-01T00:00:00Z"), ok: false },
        { id: 3, d: Number.NaN, when: null, ok: null },
      ],
      "id INT, d DOUBLE, when TIMESTAMP, ok BOOLEAN",
    );
    await typed.write.partitionBy("ok", "when", "d").parquet(path);
    expect(layout(path)).toEqual([
      "_SUCCESS",
      "ok=__HIVE_DEFAULT_PARTITION__/when=__HIVE_DEFAULT_PARTITION__/d=NaN/part.snappy.parquet",
      "ok=false/when=2024-03-01 00%3A00%3A00/d=1.0E10/part.snappy.parquet",
      "ok=true/when=2024-02-29 01%3A02%3A03.5/d=1.5/part.snappy.parquet",
    ]);
  });

  it("works in every mode: overwrite leaves nothing of the old folders, append adds, other columns are refused", async () => {
    const path = join(folder, "modes");
    await frame(6).write.partitionBy("label").parquet(path);
    await expect(frame(6).write.partitionBy("label").parquet(path)).rejects.toThrow(/exists/);
    expect((await frame(6).write.mode("ignore").partitionBy("label").parquet(path)).skipped).toBe(true);
    await frame(6).write.mode("append").partitionBy("label").parquet(path);
    expect(await session.read.parquet(path).count()).toBe(12);
    await expect(frame(6).write.mode("append").parquet(path)).rejects.toThrow(/is partitioned by label/);
    await expect(frame(6).write.mode("append").partitionBy("day").parquet(path)).rejects.toThrow(
      /is partitioned by label/,
    );
    await frame(6).filter("label = 'Apple Red 1'").write.mode("overwrite").partitionBy("label").parquet(path);
    expect(readdirSync(path).sort()).toEqual(["_SUCCESS", "label=Apple Red 1"]);
    expect(existsSync(join(path, "_temporary"))).toBe(false);
  });

  it("divides what batch functions make, by columns they do not touch and by their own", async () => {
    const path = join(folder, "functions");
    const twice = udf((n: number) => n * 2, { returns: "int" });
    const made = frame(12).select(
      twice(col("id")).alias("twice"),
      elementAt(split(col("day"), "-"), -1).alias("d"),
      col("id"),
    );
    await made.write.partitionBy("d").parquet(path);
    const rows = await session.read.parquet(path).orderBy("id").collect();
    expect(rows.map((r) => [r.twice, r.d])).toEqual(Array.from({ length: 12 }, (_, i) => [i * 2, 1 + (i % 3)]));
    await made.write.mode("overwrite").partitionBy("twice").parquet(path);
    expect(readdirSync(path)).toContain("twice=22");
  });

  it("writes CSV so, too", async () => {
    const path = join(folder, "csv");
    await frame(7).write.option("header", true).partitionBy("label", "day").csv(path);
    expect(layout(path)).toContain("label=Pear/day=2024-02-02/part.csv");
    const [part = ""] = readdirSync(join(path, "label=Pear", "day=2024-02-02"));
    expect(readFileSync(join(path, "label=Pear", "day=2024-02-02", part), "utf8")).toBe("id\n4\n");
    const back = await session.read
      .option("header", true)
      .option("inferSchema", true)
      .csv(path)
      .orderBy("id")
      .collect();
    expect(back[4]).toEqual({ id: 4, label: "Pear", day: new Date("2024-02-02") });
  });

  it("refuses what leaves nothing for the files, or is no plain column", async () => {
    const path = join(folder, "refused");
    const write = (...names: string[]) =>
      frame(3)
        .write.partitionBy(...names)
        .parquet(path);
    await expect(write("id", "label", "day")).rejects.toThrow(/\[ALL_PARTITION_COLUMNS_NOT_ALLOWED\]/);
    await expect(write("nope")).rejects.toThrow(/`nope`/);
    await expect(write("label", "LABEL")).rejects.toThrow(/twice/);
    const nested = session.createDataFrame([{ id: 1, v: [1] }], "id INT, v ARRAY<INT>");
    await expect(nested.write.partitionBy("v").parquet(path)).rejects.toThrow(/\[INVALID_PARTITION_COLUMN_DATA_TYPE\]/);
    expect(existsSync(path)).toBe(false);
  });
});
