import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runPython } from "../support/python";
import { REFERENCE } from "../support/reference";

/** The folder that holds the MobileNetV2 weights the reference was made with. */
export const MODELS = join(REFERENCE, "models");

export interface ReferenceImage {
  readonly path: string;
  readonly content: Buffer;
  /** Keras's 1280 features. */
  readonly features: readonly number[];
}

/** The 48 images of the reference. */
export function referenceImages(): ReferenceImage[] {
  const source = `
import json, sys, pyarrow.parquet as pq
print(json.dumps(pq.read_table(sys.argv[1], columns=["path", "features"]).to_pylist()))
`;
  const table = join(REFERENCE, "reference/mobilenetv2-features.parquet");
  const rows = JSON.parse(runPython(source, [table])) as { path: string; features: number[] }[];
  return rows.map((row) => ({ ...row, content: readFileSync(join(REFERENCE, "data/fruits-360", row.path)) }));
}
