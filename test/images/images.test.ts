import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "pomona";
import { col, udf } from "pomona/functions";
import { CorruptImageError, decode, ImageTooLargeError, resize } from "pomona/images";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { syntheticFruit } from "../../src/image/synthetic";

describe("pomona/images", () => {
  let folder: string;
  let session: Session;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "pomona-images-"));
    for (const name of ["Kiwi", "Lemon", "Plum"])
      writeFileSync(join(folder, `${name}.jpg`), await syntheticFruit(name, 0));
    session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
  });
  afterAll(async () => {
    await session.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("decodes and resizes in a script, and says what it cannot read", async () => {
    const image = await decode(readFileSync(join(folder, "Kiwi.jpg")));
    expect(image).toMatchObject({ width: 100, height: 100 });
    expect(image.data).toHaveLength(30_000);
    for (const resample of [undefined, "nearest", "box", "bilinear", "hamming", "lanczos"] as const) {
      const small = resize(image, 7, 5, { resample });
      expect([small.width, small.height, small.data.length]).toEqual([7, 5, 105]);
    }
    await expect(decode(Buffer.from("text"), { path: "a.jpg" })).rejects.toThrow(CorruptImageError);
    await expect(decode(readFileSync(join(folder, "Kiwi.jpg")), { maxPixels: 99 })).rejects.toThrow(ImageTooLargeError);
  });

  it("does the same in user functions on the workers", async () => {
    // As text, since the test runner would rename what the function imports.
    const brightness = new Function(`return async (content) => {
      const { data } = resize(await decode(content), 10, 10);
      return data.reduce((sum, value) => sum + value, 0) / data.length;
    }`)() as (content: Uint8Array) => Promise<number>;
    const imports = { decode: "pomona/images#decode", resize: "pomona/images#resize" };
    const bright = udf(brightness, { returns: "double", imports });
    const rows = await session.read
      .format("binaryFile")
      .load(folder)
      .select("path", bright(col("content")).alias("b"))
      .collect();
    expect(rows).toHaveLength(3);
    for (const { path, b } of rows as { path: string; b: number }[]) {
      const { data } = resize(await decode(readFileSync(path.replace("file:", ""))), 10, 10);
      expect(b).toBe(data.reduce((sum, value) => sum + value, 0) / data.length);
    }
  });
});
