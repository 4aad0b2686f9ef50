import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { syntheticFruit } from "../../src/image/synthetic";

/** Writes drawn fruits to a new folder: something to work on for a second or two. */
export async function writeFruits(folder: string, count: number): Promise<void> {
  mkdirSync(folder);
  for (let n = 0; n < count; n++) writeFileSync(join(folder, `${n}.jpg`), await syntheticFruit("Kiwi", n));
}
