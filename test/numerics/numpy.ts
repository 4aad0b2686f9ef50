import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runPython } from "../support/python";

/** A float64 array with its shape, on the way to or from numpy. */
export interface NumpyArray {
  readonly values: Float64Array;
  readonly shape: readonly number[];
}

/**
 * Runs Python with numpy as `np`, the inputs as float64 arrays by their names, and gives what the program puts into
 * the dictionary `out`. Arrays travel as raw float64, so that no digit is lost.
 */
export function numpy(source: string, inputs: Readonly<Record<string, NumpyArray>> = {}): Record<string, NumpyArray> {
  const folder = mkdtempSync(join(tmpdir(), "pomona-numpy-"));
  try {
    const load = Object.entries(inputs).map(([name, { values, shape }]) => {
      writeFileSync(join(folder, name), values);
      return `${name} = np.fromfile(folder + "/${name}").reshape(${JSON.stringify(shape)})`;
    });
    const program = [
      "import json, sys",
      "import numpy as np",
      "folder = sys.argv[1]",
      "out = {}",
      ...load,
      source,
      "for name, array in out.items(): np.ascontiguousarray(array, dtype=np.float64).tofile(folder + '/' + name)",
      "print(json.dumps({name: np.shape(array) for name, array in out.items()}))",
    ].join("\n");
    const shapes = JSON.parse(runPython(program, [folder])) as Record<string, number[]>;
    return Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => {
        const bytes = readFileSync(join(folder, name));
        return [name, { values: new Float64Array(new Uint8Array(bytes).buffer), shape }];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
