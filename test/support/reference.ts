import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { syntheticFruit } from "../../src/image/synthetic";
import { cacheFolder } from "../../src/kernel/cache-folder";
import { runPython } from "./python";

/** Where real photographs, ImageNet weights and Keras's features lie where they lie beside the checkout. */
const SHARED = join(__dirname, "..", "..", "..", "shared");

/** The same, made by Keras itself from drawn fruits and random weights, for checkouts without them. */
const MADE = join(cacheFolder(), "test-reference-1");

const TABLE = join("reference", "mobilenetv2-features.parquet");

/** A folder with `models`, `data/fruits-360` and `reference/mobilenetv2-features.parquet` (path, resized_sha256, features). */
export const REFERENCE = existsSync(join(SHARED, TABLE)) ? SHARED : MADE;

const KERAS = `
import glob, hashlib, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, numpy as np, pyarrow as pa, pyarrow.parquet as pq
from PIL import Image
root = sys.argv[1]
keras.utils.set_random_seed(7)
rng = np.random.default_rng(7)
base = keras.applications.MobileNetV2(weights=None)
for layer in base.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        n = layer.gamma.shape[0]
        layer.set_weights([rng.uniform(0.8, 1.2, n), rng.normal(0, 0.1, n), rng.normal(0, 0.1, n), rng.uniform(0.5, 1.5, n)])
base.save(os.path.join(root, "models", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"))
model = keras.Model(base.input, base.layers[-2].output)
folder = os.path.join(root, "data", "fruits-360")
paths = sorted(os.path.relpath(p, folder) for p in glob.glob(os.path.join(folder, "*", "*.jpg")))
images = [np.asarray(Image.open(os.path.join(folder, p)).convert("RGB").resize((224, 224))) for p in paths]
features = model.predict(keras.applications.mobilenet_v2.preprocess_input(np.stack(images).astype("float32")), verbose=0)
pq.write_table(pa.table({
    "path": paths, "label": [os.path.dirname(p) for p in paths],
    "resized_sha256": [hashlib.sha256(i.tobytes()).hexdigest() for i in images],
    "features": pa.array(list(features), pa.list_(pa.float32())),
}), os.path.join(root, "${TABLE}"))
`;

/** Makes the reference where there is none; before the tests, so that no two of them make it. */
export async function makeReference(): Promise<void> {
  if (existsSync(join(REFERENCE, TABLE))) return;
  console.log("No reference beside the checkout: Keras makes one from drawn fruits and random weights.");
  const building = `${MADE}.${process.pid}`;
  for (const folder of ["models", "reference"]) mkdirSync(join(building, folder), { recursive: true });
  for (const name of ["Avocado", "Banana", "Kiwi", "Plum"]) {
    const folder = join(building, "data", "fruits-360", name);
    mkdirSync(folder, { recursive: true });
    for (let n = 0; n < 12; n++) writeFileSync(join(folder, `${n}_100.jpg`), await syntheticFruit(name, n));
  }
  runPython(KERAS, [building]);
  if (readdirSync(join(building, "models")).length === 0) throw new Error("Keras wrote no weights.");
  rmSync(MADE, { recursive: true, force: true });
  renameSync(building, MADE);
}
