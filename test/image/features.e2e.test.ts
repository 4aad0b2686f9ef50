import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "pomona";
import { col } from "pomona/functions";
import { mobileNetV2 } from "pomona/models";
import sharp from "sharp";
import { expect, it } from "vitest";
import { SYNTHETIC_CLASSES, syntheticFruit } from "../../src/image/synthetic";
import { runPython } from "../support/python";
import { REFERENCE } from "../support/reference";

const WEIGHTS = join(REFERENCE, "models", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5");

const KERAS = `
import glob, json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, numpy as np
from PIL import Image
base = keras.applications.MobileNetV2(weights=sys.argv[2])
model = keras.Model(base.input, base.layers[-2].output)
paths = sorted(glob.glob(os.path.join(sys.argv[1], "*")))
images = [np.asarray(Image.open(p).convert("RGB").resize((224, 224)), dtype="float32") for p in paths]
features = model.predict(keras.applications.mobilenet_v2.preprocess_input(np.stack(images)), verbose=0)
print(json.dumps({os.path.basename(p): f.tolist() for p, f in zip(paths, features)}))
`;

it("features of 50 portraits and landscapes are Keras's to 1e-3", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pomona-features-"));
  const session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
  try {
    for (let n = 0; n < 50; n++) {
      const [long, short] = [230 + ((n * 97) % 400), 60 + ((n * 53) % 300)];
      const [width, height] = n === 0 ? [240, 320] : n % 2 === 0 ? [short, long] : [long, short];
      const fruit = sharp(await syntheticFruit(SYNTHETIC_CLASSES[n % SYNTHETIC_CLASSES.length]!, n));
      const image = fruit.resize(width, height, { fit: "fill" });
      const [form, bytes] =
        n % 3 === 0 ? ["png", await image.png().toBuffer()] : ["jpg", await image.jpeg().toBuffer()];
      writeFileSync(join(folder, `${String(n).padStart(2, "0")}.${form}`), bytes);
    }
    const keras = JSON.parse(runPython(KERAS, [folder, WEIGHTS])) as Record<string, number[]>;
    const files = session.read.format("binaryFile").load(folder);
    const network = mobileNetV2({ weights: WEIGHTS });
    const rows = await files.select("path", network(col("content")).alias("features")).collect();
    expect(rows).toHaveLength(50);
    for (const { path, features } of rows as unknown as { path: string; features: ArrayLike<number> }[]) {
      const expected = keras[path.slice(path.lastIndexOf("/") + 1)]!;
      const off = Math.max(...expected.map((value, i) => Math.abs(value - features[i]!)));
      expect(off, path).toBeLessThan(1e-3);
    }
  } finally {
    await session.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}, 600_000);
