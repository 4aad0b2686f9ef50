import { describe, expect, it } from "vitest";
import { decodeImage } from "../../src/image";
import { decodeSimpleJpeg } from "../../src/image/jpeg";
import { filesFromPython, maxDifference } from "./pillow";

/**
 * JPEGs of many sizes, samplings, qualities and contents, and damaged copies of each; beside every file that Pillow
 * reads, `NAME.rgb`: what it makes of it.
 */
const JPEGS = `
import io, random, sys
import numpy as np
from PIL import Image
out, rng = sys.argv[1], np.random.default_rng(1)
random.seed(2)

def put(name, data):
    open(f"{out}/{name}", "wb").write(data)
    try:
        pixels = Image.open(io.BytesIO(data)).convert("RGB").tobytes()
    except Exception:
        return
    open(f"{out}/{name}.rgb", "wb").write(pixels)

for k in range(240):
    width, height = random.randrange(1, 70), random.randrange(1, 70)
    pixels = rng.integers(0, 256, (height, width, 3)).astype("u1")
    if k % 3 == 0:
        pixels = (pixels > 128) * np.uint8(255)
    image = Image.fromarray(pixels)
    if k % 4 == 1:
        image = image.resize((width * 3, height * 2))
    if k % 11 == 0:
        image = image.convert("L")
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", subsampling=k % 3, quality=random.choice([1, 5, 20, 50, 75, 95, 100]),
               restart_marker_blocks=random.choice([0, 0, 1, 5]), optimize=random.random() < 0.3)
    whole = buffer.getvalue()
    put(f"{k}-whole-{k % 3}-{image.width}.jpg", whole)
    put(f"{k}-cut.jpg", whole[:random.randrange(len(whole) // 2, len(whole) - 2)])
    for copy in range(3):
        damaged = bytearray(whole)
        for _ in range(random.choice([1, 1, 3])):
            damaged[random.randrange(len(whole) // 3, len(whole))] = random.randrange(256)
        put(f"{k}-damaged-{copy}.jpg", bytes(damaged))
`;

describe("decodeSimpleJpeg", () => {
  const files = filesFromPython(JPEGS);
  const named = (kind: string) => [...files].filter(([name]) => name.includes(kind) && name.endsWith(".jpg"));

  it("decodes whole images as Pillow does, to the last bit", () => {
    const whole = named("whole");
    expect(whole).toHaveLength(240);
    for (const [name, bytes] of whole) {
      const image = decodeSimpleJpeg(bytes, Number.MAX_SAFE_INTEGER);
      const [, , subsampling, width] = name.split(/[-.]/);
      // Too narrow for libjpeg to interpolate chroma: left to the other decoder.
      const narrow = subsampling !== "0" && Number(width) < 5;
      if (!narrow) expect(image, name).toBeDefined();
      if (image) expect(maxDifference(image.data, files.get(`${name}.rgb`)!), name).toBe(0);
    }
  });

  it("never passes off a damaged image as something else than Pillow sees", async () => {
    let read = 0;
    for (const [name, bytes] of named("damaged")) {
      const image = decodeSimpleJpeg(bytes, Number.MAX_SAFE_INTEGER);
      if (!image) continue;
      const expected = files.get(`${name}.rgb`);
      expect(expected, `${name}: Pillow refuses it`).toBeDefined();
      expect(maxDifference(image.data, expected!), name).toBe(0);
      read++;
    }
    expect(read).toBeGreaterThan(100);
  });

  it("leaves every image that is cut short to be refused, as Pillow refuses it", async () => {
    for (const [name, bytes] of named("cut")) {
      expect(files.has(`${name}.rgb`), name).toBe(false);
      expect(decodeSimpleJpeg(bytes, Number.MAX_SAFE_INTEGER), name).toBeUndefined();
      await expect(decodeImage(bytes), name).rejects.toThrow("Cannot decode");
    }
  });

  it("leaves images over the limit and noise alone", () => {
    const [, bytes] = named("whole")[1]!;
    expect(decodeSimpleJpeg(bytes, 1)).toBeUndefined();
    expect(decodeSimpleJpeg(Uint8Array.of(0xff, 0xd8, 0xff), 1e6)).toBeUndefined();
    expect(
      decodeSimpleJpeg(
        Uint8Array.from({ length: 500 }, (_, i) => (i * 7919) & 255),
        1e6,
      ),
    ).toBeUndefined();
  });
});
