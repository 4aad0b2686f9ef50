import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { inRoot } from "../../scripts/setup/paths.mjs";

/** The Fruits-360 images, where they lie beside the checkout or where `POMONA_IMAGES` says; else undefined. */
export function imageFolder() {
  return [process.env.POMONA_IMAGES, inRoot("..", "shared", "data", "fruits-360")].find(
    (dir) => dir && existsSync(dir),
  );
}

/**
 * Copies `perClass` images of each class into `target`, the same ones every time, evenly spread over the class.
 * Without Fruits-360 it draws as many synthetic ones.
 * @returns {Promise<{ images: number, classes: number, kind: string }>}
 */
export async function makeSample(target, perClass) {
  const source = imageFolder();
  if (!source) return drawSample(target, perClass);
  const classes = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  let images = 0;
  for (const { name } of classes) {
    const files = readdirSync(join(source, name))
      .filter((file) => file.endsWith(".jpg"))
      .sort();
    const chosen = spread(files, perClass);
    mkdirSync(join(target, name), { recursive: true });
    for (const file of chosen) copyFileSync(join(source, name, file), join(target, name, file));
    images += chosen.length;
  }
  return { images, classes: classes.length, kind: "Fruits-360" };
}

async function drawSample(target, perClass) {
  const { SYNTHETIC_CLASSES, writeSyntheticFruits } = createRequire(import.meta.url)(
    inRoot("dist", "image", "synthetic"),
  );
  // Fruits-360 has 141 classes: as many images as a sample of it would have.
  const each = Math.ceil((perClass * 141) / SYNTHETIC_CLASSES.length);
  const { classes, files } = await writeSyntheticFruits(target, { perClass: each });
  return { images: files, classes: classes.length, kind: "synthetic" };
}

function spread(items, n) {
  if (items.length <= n) return items;
  return Array.from({ length: n }, (_, i) => items[Math.floor((i * items.length) / n)]);
}
