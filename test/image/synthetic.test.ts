import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CancelledError, IllegalArgumentError } from "../../src/errors";
import { SYNTHETIC_CLASSES, syntheticFruit, writeSyntheticFruits } from "../../src/image/synthetic";
import { runPython } from "../support/python";

const perClass = 12;
let dir: string;
const progress: number[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "pomona-fruits-"));
  await writeSyntheticFruits(dir, { perClass, onProgress: ({ files }) => progress.push(files) });
}, 60_000);
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

  it("draws JPEGs that Pillow reads: 100 x 100, RGB, white around, in classes that their colours tell apart", () => {
    const report = JSON.parse(runPython(PILLOW_REPORT, [dir])) as {
      forms: string[];
      darkestCorner: number;
      leastFruit: number;
      mostFruit: number;
      accuracy: number;
    };
    expect(report.forms).toEqual(["JPEG RGB 100x100"]);
    expect(report.darkestCorner).toBeGreaterThan(245);
    expect(report.leastFruit).toBeGreaterThan(0.1);
    expect(report.mostFruit).toBeLessThan(0.8);
    // Chance would be one in sixteen.
    expect(report.accuracy).toBeGreaterThan(0.97);
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

/** Forms, borders and the leave-one-out accuracy of a nearest-neighbour classifier on 6 x 6 x 6 colour histograms. */
const PILLOW_REPORT = `
import json, os, sys
import numpy as np
from PIL import Image
forms, corners, shares, features, labels = set(), [], [], [], []
for name in sorted(os.listdir(sys.argv[1])):
    for file in sorted(os.listdir(os.path.join(sys.argv[1], name))):
        image = Image.open(os.path.join(sys.argv[1], name, file))
        image.load()
        forms.add(f"{image.format} {image.mode} {image.size[0]}x{image.size[1]}")
        pixels = np.asarray(image)
        corners.append(int(pixels[[0, 0, -1, -1], [0, -1, 0, -1]].min()))
        fruit = pixels.reshape(-1, 3)[(pixels.min(axis=2) < 235).ravel()]
        shares.append(len(fruit) / 10_000)
        counts, _ = np.histogramdd(fruit, bins=6, range=[(0, 256)] * 3)
        features.append(np.sqrt(counts.ravel() / len(fruit)))
        labels.append(name)
features, labels = np.array(features), np.array(labels)
near = features @ features.T
np.fill_diagonal(near, -1)
print(json.dumps({"forms": sorted(forms), "darkestCorner": min(corners), "leastFruit": min(shares),
    "mostFruit": max(shares), "accuracy": float((labels[near.argmax(axis=1)] == labels).mean())}))
`;
