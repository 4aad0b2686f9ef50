import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { IllegalArgumentError, throwIfAborted } from "../errors";
import { FRUITS, type Rng } from "./fruit-drawings";

/** The classes that {@link writeSyntheticFruits} draws, in alphabetical order. */
export const SYNTHETIC_CLASSES: readonly string[] = Object.keys(FRUITS);

export interface SyntheticFruitsOptions {
  /** Images in each class. @default 30 */
  readonly perClass?: number;
  /** The same seed draws the same images, byte for byte. @default 42 */
  readonly seed?: number;
  /** Called after each file. */
  readonly onProgress?: (progress: { readonly files: number; readonly totalFiles: number }) => void;
  readonly signal?: AbortSignal;
}

/**
 * Draws a small data set in the form of Fruits-360, for a machine that does not have the photographs: JPEG files of
 * 100 x 100 pixels on white, `<dir>/<Class>/<n>_100.jpg`, n from 0. Files that are there already are replaced.
 * @throws IllegalArgumentError if `perClass` is not a positive integer or `seed` is not an integer
 * @throws CancelledError if `signal` is aborted; the files written until then stay
 */
export async function writeSyntheticFruits(
  dir: string,
  options: SyntheticFruitsOptions = {},
): Promise<{ classes: readonly string[]; files: number }> {
  const { perClass = 30, seed = 42, onProgress, signal } = options;
  if (!Number.isInteger(perClass) || perClass < 1) {
    throw new IllegalArgumentError(`perClass must be a positive integer, not ${perClass}.`);
  }
  if (!Number.isInteger(seed)) throw new IllegalArgumentError(`seed must be an integer, not ${seed}.`);
  for (const name of SYNTHETIC_CLASSES) await mkdir(join(dir, name), { recursive: true });
  const waiting = SYNTHETIC_CLASSES.flatMap((name) =>
    Array.from({ length: perClass }, (_, n) => ({ name, n })),
  ).values();
  const totalFiles = SYNTHETIC_CLASSES.length * perClass;
  let files = 0;
  const lane = async () => {
    // The lanes share one iterator, so each image is drawn once.
    for (const { name, n } of waiting) {
      throwIfAborted(signal);
      await writeWhole(join(dir, name, `${n}_100.jpg`), await syntheticFruit(name, n, seed));
      files++;
      onProgress?.({ files, totalFiles });
    }
  };
  const lanes = await Promise.allSettled([lane(), lane(), lane(), lane()]);
  const failure = lanes.find((settled): settled is PromiseRejectedResult => settled.status === "rejected");
  if (failure) throw failure.reason;
  return { classes: SYNTHETIC_CLASSES, files };
}

/**
 * One synthetic image as JPEG bytes.
 * @param name one of {@link SYNTHETIC_CLASSES}
 * @param n which image of the class, from 0; the image depends on nothing but class, n and seed
 */
export async function syntheticFruit(name: string, n: number, seed = 42): Promise<Uint8Array> {
  const fruit = FRUITS[name];
  if (!fruit) {
    throw new IllegalArgumentError(`There is no synthetic fruit ${JSON.stringify(name)}.`, {
      remedy: `Choose one of: ${SYNTHETIC_CLASSES.join(", ")}.`,
    });
  }
  const rng = randomNumbers(`${seed}/${name}/${n}`);
  const turn = rng.between(-fruit.turn, fruit.turn);
  const size = rng.between(0.8, 0.98);
  const grain = rng.whole(1, 10_000);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="100" height="100">
    ${filters(grain)}<rect width="100" height="100" fill="#fff"/>
    <g transform="translate(50 50) rotate(${turn}) scale(${size}) translate(-50 -50)">${fruit.draw(rng)}</g></svg>`;
  return sharp(Buffer.from(svg), { density: 72 })
    .flatten({ background: "#fff" })
    .jpeg({ quality: 92, chromaSubsampling: "4:4:4" })
    .toBuffer();
}

/** Filters that the drawings refer to: two blurs and the grain of the skin. */
function filters(seed: number): string {
  return `<filter id="soft" x="-50%" y="-50%" width="200%" height="200%"><feGaussianBlur stdDeviation="0.8"/></filter>
    <filter id="blur" x="-50%" y="-50%" width="200%" height="200%"><feGaussianBlur stdDeviation="3"/></filter>
    <filter id="grain" x="0" y="0" width="100%" height="100%"><feTurbulence type="fractalNoise" baseFrequency="0.16" numOctaves="3" seed="${seed}"/>
      <feColorMatrix type="matrix" values="0 0 0 0 0  0 0 0 0 0  0 0 0 0 0  1.8 0 0 0 -0.6"/></filter>`;
}

/** SFC32 (Chris Doty-Humphrey, PractRand), seeded by the FNV-1a hash of a text. */
function randomNumbers(text: string): Rng {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  let [a, b, c, d] = [hash, 0x9e3779b9, 0x243f6a88, 1];
  const next = () => {
    const t = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return (t >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i++) next();
  const between = (low: number, high: number) => low + (high - low) * next();
  return { between, whole: (low, high) => Math.floor(between(low, high + 1)) };
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, bytes);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
