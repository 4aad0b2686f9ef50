import type { Displayable } from "../../src/plot";
import { JUPYTER_DISPLAY } from "../../src/plot";
import { writeNotebook } from "../support/notebook-file";

/** Writes a notebook whose cells have these outputs, as a kernel's `display` would have left them. */
export function writeOutputs(path: string, shown: readonly Displayable[]): void {
  const cells = shown.map((value, i) => ({
    source: `figure${i}`,
    outputs: [{ output_type: "display_data", metadata: {}, data: value[JUPYTER_DISPLAY]() }],
  }));
  writeNotebook(path, cells);
}
