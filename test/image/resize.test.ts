import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeImage, ImageTooLargeError, resize, resizeToSignedUnit, writeTensor } from "../../src/image";
import { runPython } from "../support/python";
import { REFERENCE } from "../support/reference";
import { filesFromPython, maxDifference } from "./pillow";

/** From width x height to width x height. */
const SIZES = [
  [100, 100, 224, 224],
  [223, 224, 224, 224],
  [224, 224, 224, 224],
  [225, 223, 224, 224],
  [1, 1, 224, 224],
  [1, 300, 224, 224],
  [300, 1, 224, 224],
  [2, 3, 224, 224],
  [5, 7, 224, 224],
  [448, 448, 224, 224],
  [640, 480, 224, 224],
  [481, 641, 224, 224],
  [1999, 97, 224, 224],
  [97, 1999, 224, 224],
  [4001, 3001, 224, 224],
  [3000, 60, 7, 5],
  [100, 100, 1, 1],
  [100, 100, 1, 300],
  [33, 47, 1001, 17],
  [33, 47, 5, 5],
  [64, 64, 31, 65],
  [10, 10, 3, 1024],
] as const;

const PILLOW = `
import sys
import numpy as np
from PIL import Image
out, rng = sys.argv[1], np.random.default_rng(11)
for i, size in enumerate(sys.argv[2:]):
    w, h, to_w, to_h = map(int, size.split(","))
    # Noise of black and white drives the filter past both ends of the range.
    pixels = rng.integers(0, 256, (h, w, 3)) if i % 2 else rng.integers(0, 2, (h, w, 3)) * 255
    image = Image.fromarray(pixels.astype("u1"))
    open(f"{out}/{i}.in", "wb").write(image.tobytes())
    open(f"{out}/{i}.out", "wb").write(image.resize((to_w, to_h)).tobytes())
`;

describe("resize", () => {
  const files = filesFromPython(PILLOW, SIZES.map(String));

  it.each(SIZES.map((size, i) => ({ i, size })))("$size is Pillow's to the last bit", ({ i, size }) => {
    const [width, height, toWidth, toHeight] = size;
    const image = { width, height, data: files.get(`${i}.in`)! };
    const resized = resize(image, toWidth, toHeight);
    expect(maxDifference(resized, files.get(`${i}.out`)!)).toBe(0);
    // The float path is another function of the module: it must hold the same pixels, and touch nothing around them.
    const floats = new Float32Array(resized.length + 20).fill(7);
    resizeToSignedUnit(image, toWidth, toHeight, floats, 10);
    expect(floats.subarray(0, 10).every((v) => v === 7) && floats.subarray(-10).every((v) => v === 7)).toBe(true);
    const back = Array.from(floats.subarray(10, -10), (v) => Math.round((v + 1) * 127.5));
    expect(maxDifference(back, resized)).toBe(0);
  });

  it("gives the same pixels after many other sizes", () => {
    const image = { width: 100, height: 100, data: files.get("0.in")! };
    for (let size = 1; size <= 150; size++) resize(image, size, 151 - size);
    expect(maxDifference(resize(image, 224, 224), files.get("0.out")!)).toBe(0);
  });

  it("makes the reference's 48 images, by their SHA-256", async () => {
    const table = join(REFERENCE, "reference/mobilenetv2-features.parquet");
    const rows = JSON.parse(
      runPython(
        "import json, sys, pyarrow.parquet as pq; print(json.dumps(pq.read_table(sys.argv[1], columns=['path', 'resized_sha256']).to_pylist()))",
        [table],
      ),
    ) as { path: string; resized_sha256: string }[];
    expect(rows).toHaveLength(48);
    for (const { path, resized_sha256 } of rows) {
      const image = await decodeImage(readFileSync(join(REFERENCE, "data/fruits-360", path)));
      const sha256 = createHash("sha256")
        .update(resize(image, 224, 224))
        .digest("hex");
      expect(sha256, path).toBe(resized_sha256);
    }
  });

  it("refuses what is no size, no image, or too much memory", () => {
    const pixel = { width: 1, height: 1, data: new Uint8Array(3) };
    expect(() => resize(pixel, 0, 5)).toThrow("width must be a whole number of pixels from 1 up, not 0.");
    expect(() => resize({ ...pixel, width: 2 }, 5, 5)).toThrow("has 6 bytes, not 3");
    expect(() => resizeToSignedUnit(pixel, 2, 2, new Float32Array(12), 1)).toThrow("12 values do not fit at 1");
    expect(() => resize(pixel, 30_000, 30_000)).toThrow(ImageTooLargeError);
  });
});

describe("writeTensor", () => {
  /** Every byte in every channel. */
  const image = { width: 16, height: 16, data: Uint8Array.from({ length: 768 }, (_, i) => (i * 7 + (i >> 8)) & 255) };

  it.each(["tf", "caffe", "torch"] as const)("does what Keras's preprocess_input does in mode %s", (mode) => {
    const keras = filesFromPython(
      `
import base64, sys
import numpy as np
from keras.src.applications.imagenet_utils import preprocess_input
x = np.frombuffer(base64.b64decode(sys.argv[2]), "u1").reshape(1, 16, 16, 3).astype("float32")
y = preprocess_input(x, mode=sys.argv[3])
open(sys.argv[1] + "/out", "wb").write(np.ascontiguousarray(y).tobytes())
`,
      [Buffer.from(image.data).toString("base64"), mode],
    ).get("out")!;
    const out = new Float32Array(768);
    writeTensor(image, 16, 16, mode, out, 0);
    expect(Buffer.from(out.buffer).equals(keras)).toBe(true);
  });
});
