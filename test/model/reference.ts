import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runPython } from "../support/python";

const SHARED = join(__dirname, "../../../shared");

/** The folder that holds the MobileNetV2 weights the reference was made with. */
export const MODELS = join(SHARED, "models");

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
  const table = join(SHARED, "reference/mobilenetv2-features.parquet");
  const rows = JSON.parse(runPython(source, [table])) as { path: string; features: number[] }[];
  return rows.map((row) => ({ ...row, content: readFileSync(join(SHARED, "data/fruits-360", row.path)) }));
}
