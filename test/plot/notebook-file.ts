import { writeFileSync } from "node:fs";
import type { Displayable } from "../../src/plot";
import { JUPYTER_DISPLAY } from "../../src/plot";

/** Writes a notebook whose cells have these outputs, as a kernel's `display` would have left them. */
export function writeNotebook(path: string, shown: readonly Displayable[]): void {
  const cells = shown.map((value, i) => ({
    cell_type: "code",
    id: `cell-${i}`,
    metadata: {},
    execution_count: i + 1,
    source: `figure${i}`,
    outputs: [{ output_type: "display_data", metadata: {}, data: value[JUPYTER_DISPLAY]() }],
  }));
  const kernelspec = { name: "pomona", display_name: "TypeScript (Pomona)", language: "typescript" };
  writeFileSync(path, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells }));
}
