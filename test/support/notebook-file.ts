import { writeFileSync } from "node:fs";

/** A cell of code; a text alone is a cell without tags and outputs. */
export type NotebookCell =
  | string
  | { readonly source: string; readonly tags?: readonly string[]; readonly outputs?: readonly object[] };

/** Writes a notebook of code cells for the project's kernel; those with outputs count as executed. Returns its path. */
export function writeNotebook(path: string, cells: readonly NotebookCell[]): string {
  const written = cells.map((cell, i) => {
    const { source, tags = [], outputs = [] } = typeof cell === "string" ? { source: cell } : cell;
    const execution_count = outputs.length > 0 ? i + 1 : null;
    return { cell_type: "code", id: `cell-${i}`, metadata: { tags }, execution_count, source, outputs };
  });
  const kernelspec = { name: "pomona", display_name: "TypeScript (Pomona)", language: "typescript" };
  writeFileSync(path, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells: written }));
  return path;
}
