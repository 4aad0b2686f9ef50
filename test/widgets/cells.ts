import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { syntheticFruit } from "../../src/image/synthetic";

/** Writes drawn fruits to a new folder: something to work on for a second or two. */
export async function writeFruits(folder: string, count: number): Promise<void> {
  mkdirSync(folder);
  for (let n = 0; n < count; n++) writeFileSync(join(folder, `${n}.jpg`), await syntheticFruit("Kiwi", n));
}

/** Writes a notebook of code cells for the project's kernel. */
export function writeCells(path: string, sources: readonly string[]): void {
  const cells = sources.map((source, i) => ({
    cell_type: "code",
    id: `cell-${i}`,
    metadata: {},
    execution_count: null,
    source,
    outputs: [],
  }));
  const kernelspec = { name: "pomona", display_name: "TypeScript (Pomona)", language: "typescript" };
  writeFileSync(path, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells }));
}
