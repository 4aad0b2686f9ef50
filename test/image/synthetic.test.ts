import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CancelledError, IllegalArgumentError } from "../../src/errors";
import { decodeImage } from "../../src/image";
import { SYNTHETIC_CLASSES, syntheticFruit, writeSyntheticFruits } from "../../src/image/synthetic";

const perClass = 6;
let dir: string;
const progress: number[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "pomona-fruits-"));
  await writeSyntheticFruits(dir, { perClass, onProgress: ({ files }) => progress.push(files) });
}, 600_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("writeSyntheticFruits", () => {
  it("writes at least twelve classes in the layout of Fruits-360", () => {
    expect(SYNTHETIC_CLASSES.length).toBeGreaterThanOrEqual(12);
    expect(readdirSync(dir).sort()).toEqual([...SYNTHETIC_CLASSES].sort());
    const names = Array.from({ length: perClass }, (_, n) => `${n}_100.jpg`).sort();
    for (const name of SYNTHETIC_CLASSES) expect(readdirSync(join(dir, name)).sort()).toEqual(names);
    expect(progress).toEqual(Array.from({ length: SYNTHETIC_CLASSES.length * perClass }, (_, i) => i + 1));
  });

  it("draws the same bytes for the same seed, whatever else is drawn, and no image twice", async () => {
    const again = mkdtempSync(join(tmpdir(), "pomona-fruits-"));
    try {
      const result = await writeSyntheticFruits(again, { perClass: 3 });
      expect(result).toEqual({ classes: SYNTHETIC_CLASSES, files: 3 * SYNTHETIC_CLASSES.length });
      for (const name of SYNTHETIC_CLASSES) {
        for (let n = 0; n < 3; n++) {
          expect(digest(join(again, name, `${n}_100.jpg`))).toBe(digest(join(dir, name, `${n}_100.jpg`)));
        }
      }
    } finally {
      rmSync(again, { recursive: true, force: true });
    }
    const all = SYNTHETIC_CLASSES.flatMap((name) =>
      readdirSync(join(dir, name)).map((file) => digest(join(dir, name, file))),
    );
    expect(new Set(all).size).toBe(all.length);
    expect(Buffer.from(await syntheticFruit("Plum", 0, 42)).equals(readFileSync(join(dir, "Plum/0_100.jpg")))).toBe(
      true,
    );
    expect(Buffer.from(await syntheticFruit("Plum", 0, 43)).equals(readFileSync(join(dir, "Plum/0_100.jpg")))).toBe(
      false,
    );
  });

  it("draws 100 x 100 pixels, white around, in classes that their colours tell apart", async () => {
    const drawn = await Promise.all(
      SYNTHETIC_CLASSES.flatMap((name) =>
        readdirSync(join(dir, name)).map(async (file) => ({
          name,
          image: await decodeImage(readFileSync(join(dir, name, file))),
        })),
      ),
    );
    for (const { image } of drawn) {
      expect([image.width, image.height]).toEqual([100, 100]);
      for (const corner of [0, 99, 9900, 9999]) {
        expect(Math.min(...image.data.subarray(corner * 3, corner * 3 + 3))).toBeGreaterThan(245);
      }
    }
    const fruits = drawn.map(({ name, image }) => ({ name, ...coloursOf(image.data) }));
    expect(Math.min(...fruits.map(({ share }) => share))).toBeGreaterThan(0.1);
    expect(Math.max(...fruits.map(({ share }) => share))).toBeLessThan(0.8);
    const right = fruits.filter((one) => {
      const others = fruits.filter((other) => other !== one);
      const near = (other: { bins: Float64Array }) => other.bins.reduce((sum, v, i) => sum + v * one.bins[i]!, 0);
      return others.reduce((best, other) => (near(other) > near(best) ? other : best)).name === one.name;
    });
    // Chance would be one in sixteen.
    expect(right.length / fruits.length).toBeGreaterThan(0.97);
  });

  it("refuses numbers that make no sense, and a fruit it cannot draw", async () => {
    await expect(writeSyntheticFruits(dir, { perClass: 0 })).rejects.toThrow(IllegalArgumentError);
    await expect(writeSyntheticFruits(dir, { seed: 0.5 })).rejects.toThrow(/seed must be an integer, not 0.5/);
    await expect(syntheticFruit("Durian", 0)).rejects.toThrow(/Choose one of: Apple Green,/);
  });

  it("stops when aborted and leaves whole files only", async () => {
    const stopped = mkdtempSync(join(tmpdir(), "pomona-fruits-"));
    try {
      const controller = new AbortController();
      const onProgress = ({ files }: { files: number }) => files === 20 && controller.abort();
      const drawing = writeSyntheticFruits(stopped, { signal: controller.signal, onProgress });
      await expect(drawing).rejects.toThrow(CancelledError);
      const written = readdirSync(stopped, { recursive: true }).map(String);
      expect(written.filter((path) => path.endsWith(".tmp"))).toEqual([]);
      const images = written.filter((path) => path.endsWith(".jpg"));
      expect(images.length).toBeGreaterThanOrEqual(20);
      expect(images.length).toBeLessThan(30);
    } finally {
      rmSync(stopped, { recursive: true, force: true });
    }
  });
});

function digest(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** The share of the image that is fruit, and the roots of its shares of 6 x 6 x 6 colours. */
function coloursOf(data: Uint8Array): { share: number; bins: Float64Array } {
  const bins = new Float64Array(216);
  let fruit = 0;
  for (let i = 0; i < data.length; i += 3) {
    const [red, green, blue] = [data[i]!, data[i + 1]!, data[i + 2]!];
    if (Math.min(red, green, blue) >= 235) continue;
    fruit++;
    bins[[red, green, blue].reduce((bin, value) => bin * 6 + Math.floor((value * 6) / 256), 0)]!++;
  }
  return { share: fruit / 10_000, bins: bins.map((count) => Math.sqrt(count / fruit)) };
}
