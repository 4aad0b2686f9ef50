import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CorruptImageError, decodeImage, ImageTooLargeError } from "../../src/image";
import { runPython } from "../support/python";
import { REFERENCE } from "../support/reference";
import { filesFromPython, maxDifference } from "./pillow";

const FRUITS = join(REFERENCE, "data/fruits-360");

/** Writes every kind of image that is read, and beside each `NAME.rgb`: what Pillow makes of it. */
const IMAGES = `
import io, os, struct, sys, warnings, zlib
import numpy as np
from PIL import Image, ImageCms
warnings.simplefilter("ignore")
out = sys.argv[1]
rng = np.random.default_rng(3)

def smooth(channels, w=101, h=77):
    small = rng.integers(0, 256, (h // 8 + 2, w // 8 + 2, channels)).astype("u1")
    planes = [np.asarray(Image.fromarray(small[..., c]).resize((w, h))) for c in range(channels)]
    return np.stack(planes, -1)

def save(image, name, **options):
    image.save(os.path.join(out, name), **options)

def png(name, values, bits, colour_type):
    height, width = values.shape[:2]
    def row(line):
        if bits == 16:
            return line.astype(">u2").tobytes()
        text = "".join(format(v, f"0{bits}b") for v in line)
        text += "0" * (-len(text) % 8)
        return bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\\0" + row(line) for line in values))
    with open(os.path.join(out, name), "wb") as f:
        f.write(b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", header) + chunk(b"gAMA", struct.pack(">I", 100000)) + chunk(b"IDAT", data) + chunk(b"IEND", b""))

rgb, rgba = Image.fromarray(smooth(3)), Image.fromarray(smooth(4))
grey = Image.fromarray(smooth(1)[..., 0])
for subsampling in (0, 1, 2):
    save(rgb, f"subsampling-{subsampling}.jpg", subsampling=subsampling, quality=85)
save(rgb, "quality-30.jpg", quality=30)
save(rgb, "progressive.jpg", progressive=True)
save(rgb, "restart-markers.jpg", restart_marker_rows=1)
save(rgb, "stored-as-rgb.jpg", keep_rgb=True)
save(rgb.crop((0, 0, 1, 1)), "one-pixel.jpg")
save(grey, "grey.jpg")
save(Image.fromarray(smooth(4), "CMYK"), "cmyk.jpg", quality=90)
exif = Image.Exif()
exif[0x112] = 6
save(rgb, "exif-orientation.jpg", exif=exif)
profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
save(rgb, "colour-profile.jpg", icc_profile=profile)

save(rgb, "rgb.png"), save(rgba, "rgba.png"), save(grey, "grey.png")
save(Image.merge("LA", rgba.split()[:2]), "grey-alpha.png")
save(rgb.quantize(64), "palette.png")
save(rgb.quantize(13), "palette-4-bits.png", bits=4)
save(rgb.quantize(64), "palette-transparent.png", transparency=3)
save(rgb.quantize(64), "palette-alpha.png", transparency=bytes(range(64)))
save(grey, "grey-transparent.png", transparency=100)
save(rgb, "rgb-transparent.png", transparency=(1, 2, 3))
save(grey.convert("1"), "black-white.png")
for bits in (1, 2, 4):
    png(f"grey-{bits}-bits.png", rng.integers(0, 2 ** bits, (20, 53)), bits, 0)
png("grey-16-bits.png", rng.integers(0, 65536, (40, 50)), 16, 0)
png("grey-16-bits-dark.png", rng.integers(0, 400, (40, 50)), 16, 0)
for name, channels, kind in (("rgb", 3, 2), ("grey-alpha", 2, 4), ("rgba", 4, 6)):
    values = rng.integers(0, 65536, (40, 50 * channels))
    png(f"{name}-16-bits.png", values, 16, kind)
    path = os.path.join(out, f"{name}-16-bits.png")
    data = bytearray(open(path, "rb").read())
    data[16:20] = struct.pack(">I", 50)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    open(path, "wb").write(data)

save(rgb, "lossy.webp", quality=80), save(rgb, "lossless.webp", lossless=True)
save(rgba, "alpha.webp", lossless=True), save(rgba, "alpha-lossy.webp")
save(rgb, "animated.webp", save_all=True, append_images=[rgb.rotate(90)], lossless=True)

save(rgb.quantize(100), "palette.gif"), save(grey, "grey.gif")
save(rgb.quantize(100), "transparent.gif", transparency=5), save(rgba, "rgba.gif")
save(rgb, "animated.gif", save_all=True, append_images=[rgb.rotate(90)])
save(rgb.quantize(100), "interlaced.gif", interlace=1)

for name in os.listdir(out):
    image = Image.open(os.path.join(out, name)).convert("RGB")
    with open(os.path.join(out, name + ".rgb"), "wb") as f:
        f.write(struct.pack("<II", *image.size) + image.tobytes())
`;

describe("decodeImage", () => {
  const files = filesFromPython(IMAGES);
  const names = [...files.keys()].filter((name) => !name.endsWith(".rgb")).sort();

  it.each(names)("decodes %s as Pillow does, to the last bit", async (name) => {
    const expected = files.get(`${name}.rgb`)!;
    const image = await decodeImage(files.get(name)!, { path: name });
    expect([image.width, image.height]).toEqual([expected.readUInt32LE(0), expected.readUInt32LE(4)]);
    expect(maxDifference(image.data, expected.subarray(8))).toBe(0);
  });

  it("decodes a fruit of each class as Pillow does, to the last bit", async () => {
    const paths = readdirSync(FRUITS)
      .map((name) => join(FRUITS, name))
      .filter((path) => statSync(path).isDirectory())
      .map((folder) => join(folder, readdirSync(folder).sort()[0]!));
    expect(paths.length).toBeGreaterThan(3);
    const pillow = filesFromPython(
      `
import sys
from PIL import Image
for i, path in enumerate(sys.argv[2:]):
    open(f"{sys.argv[1]}/{i}", "wb").write(Image.open(path).convert("RGB").tobytes())
`,
      paths,
    );
    for (const [i, path] of paths.entries()) {
      const { data } = await decodeImage(readFileSync(path), { path });
      expect(maxDifference(data, pillow.get(String(i))!), path).toBe(0);
    }
  });
});

describe("decodeImage refuses", () => {
  const jpeg = filesFromPython(`
import sys
import numpy as np
from PIL import Image
pixels = np.random.default_rng(5).integers(0, 256, (64, 64, 3)).astype("u1")
Image.fromarray(pixels).save(sys.argv[1] + "/whole.jpg")
Image.fromarray(pixels).save(sys.argv[1] + "/whole.png")
Image.fromarray(pixels).save(sys.argv[1] + "/whole.webp")
Image.new("1", (20000, 20000)).save(sys.argv[1] + "/large.png")
`);

  it.each([
    ["an empty file", Buffer.alloc(0)],
    ["a text file", Buffer.from("these are not the bytes of an image")],
    [
      "an SVG, which the decoder would draw",
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    ],
    ["a JPEG's first two bytes", Buffer.from([0xff, 0xd8])],
    ["a JPEG without its second half", cut("whole.jpg", 0.5)],
    ["a JPEG without its last bytes", cut("whole.jpg", 0.99)],
    ["a PNG without its second half", cut("whole.png", 0.5)],
    ["a WebP without its second half", cut("whole.webp", 0.5)],
  ])("%s, with the path in the message", async (_what, bytes) => {
    const error = await decodeImage(bytes, { path: "a folder/ñ 1.jpg" }).then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(CorruptImageError);
    expect(error).toMatchObject({ name: "CorruptImageError", path: "a folder/ñ 1.jpg", retryable: false });
    expect((error as Error).message).toContain('"a folder/ñ 1.jpg"');
  });

  it("a truncated JPEG exactly where Pillow does", async () => {
    const whole = jpeg.get("whole.jpg")!;
    const lengths = [30, 200, 400, 620, 640, 900, whole.length - 3, whole.length - 2, whole.length - 1, whole.length];
    const pillow = JSON.parse(
      runPython(
        `
import base64, io, json, sys
from PIL import Image
whole = base64.b64decode(sys.argv[1])
def reads(length):
    try:
        Image.open(io.BytesIO(whole[:length])).convert("RGB")
        return True
    except Exception:
        return False
print(json.dumps([reads(int(n)) for n in sys.argv[2:]]))
`,
        [whole.toString("base64"), ...lengths.map(String)],
      ),
    ) as boolean[];
    const ours = await Promise.all(
      lengths.map((n) =>
        decodeImage(whole.subarray(0, n)).then(
          () => true,
          () => false,
        ),
      ),
    );
    expect(ours).toEqual(pillow);
    expect(new Set(pillow)).toEqual(new Set([true, false]));
  });

  it("an image over the pixel limit, before decoding it", async () => {
    const started = performance.now();
    const error = await decodeImage(jpeg.get("large.png")!, { path: "large.png" }).then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(ImageTooLargeError);
    expect((error as Error).message).toContain("20000 x 20000 pixels is over the limit of 178,956,970");
    expect(error).toMatchObject({ path: "large.png", retryable: false });
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it("an image over a limit of the caller's", async () => {
    await expect(decodeImage(jpeg.get("whole.jpg")!, { maxPixels: 4095 })).rejects.toThrow(ImageTooLargeError);
    await expect(decodeImage(jpeg.get("whole.jpg")!, { maxPixels: 4096 })).resolves.toMatchObject({ width: 64 });
  });

  function cut(name: string, share: number): Buffer {
    const whole = jpeg.get(name)!;
    return whole.subarray(0, Math.floor(whole.length * share));
  }
});
