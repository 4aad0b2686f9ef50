"""JPEGs of every kind that Pillow reads, and its answer to them.

Their bytes are kept in the golden file; `--anew` makes them, for which cjpeg of libjpeg-turbo has to be there.
"""

import base64
import io
import json
import os
import struct
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

from _rgb_digest import digest

rng = np.random.default_rng(3)


def picture(width, height, mode="RGB"):
    """Soft colours with hard edges in them."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    bands = [(x * 5 + y * 3) % 256, (x * 2 + 255 - y * 4) % 256, (x * y) % 256]
    image = Image.fromarray(np.stack(bands, axis=2).astype("u1"))
    return image.convert(mode)


def by_pillow(mode="RGB", size=(37, 29), **options):
    buffer = io.BytesIO()
    picture(*size, mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def by_cjpeg(*options, size=(37, 29)):
    buffer = io.BytesIO()
    picture(*size).save(buffer, "PPM")
    return subprocess.run(["cjpeg", *options], input=buffer.getvalue(), capture_output=True, check=True).stdout


def with_scans(scans, *options):
    with tempfile.NamedTemporaryFile("w", suffix=".scans") as script:
        script.write(scans)
        script.flush()
        return by_cjpeg(*options, "-scans", script.name)


def lossless(bands, transform=None, size=(23, 17)):
    """A lossless JPEG of noise: each sample as its difference from its neighbour on the left, or above in the first column."""
    width, height = size
    pixels = rng.integers(0, 256, (height, width, bands))
    adobe = b"" if transform is None else b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform])
    components = b"".join(bytes([i + 1, 0x11, 0]) for i in range(bands))
    frame = b"\xff\xc3" + struct.pack(">HBHHB", 8 + 3 * bands, 8, height, width, bands) + components
    # One table: the nine lengths of a difference, in four bits each.
    table = b"\xff\xc4" + struct.pack(">HB", 28, 0) + bytes([0, 0, 0, 9] + [0] * 12) + bytes(range(9))
    tables_used = b"".join(bytes([i + 1, 0]) for i in range(bands))
    scan = b"\xff\xda" + struct.pack(">HB", 6 + 2 * bands, bands) + tables_used + b"\x01\x00\x00"
    bits = ""
    for y in range(height):
        for x in range(width):
            for band in range(bands):
                before = pixels[y, x - 1, band] if x else pixels[y - 1, x, band] if y else 128
                difference = int(pixels[y, x, band]) - int(before)
                length = abs(difference).bit_length()
                bits += f"{length:04b}"
                if length:
                    bits += f"{difference if difference > 0 else difference + (1 << length) - 1:0{length}b}"
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    return b"\xff\xd8" + adobe + frame + table + scan + data + b"\xff\xd9"


def transformed(jpeg, transform):
    """The same with another colour transform in its Adobe marker."""
    place = jpeg.index(b"Adobe") + 11
    return jpeg[:place] + bytes([transform]) + jpeg[place + 1 :]


def make():
    yield "baseline", by_pillow(quality=75)
    yield "grey", by_pillow("L")
    yield "progressive", by_pillow(progressive=True)
    yield "progressive grey", by_pillow("L", progressive=True)
    yield "progressive with restarts", by_pillow(progressive=True, restart_marker_blocks=2)
    yield "RGB without transform", by_pillow(keep_rgb=True)
    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        yield f"{subsampling}, one pixel wide", by_pillow(size=(1, 9), subsampling=subsampling)
        yield f"{subsampling}, four pixels wide", by_pillow(size=(4, 3), subsampling=subsampling)
        yield f"{subsampling} progressive, narrow", by_pillow(size=(3, 19), subsampling=subsampling, progressive=True)
    yield "CMYK", by_pillow("CMYK")
    yield "CMYK progressive", by_pillow("CMYK", progressive=True)
    yield "YCCK", transformed(by_pillow("CMYK"), 2)
    yield "large, for the general decoder", by_pillow(size=(600, 500), quality=20)
    for sample in ("1x2", "4x1", "1x4", "4x2", "2x2,2x1,1x1", "1x1,2x1,1x1", "2x1,1x2,1x1", "3x1"):
        yield f"sampled {sample}", by_cjpeg("-sample", sample)
    yield "arithmetic", by_cjpeg("-arithmetic")
    yield "arithmetic progressive", by_cjpeg("-arithmetic", "-progressive")
    yield "scan by scan", with_scans("0;\n1;\n2;\n")
    yield "first approximation only", with_scans("0,1,2: 0-0, 0, 1;\n0: 1-5, 0, 2;\n1: 1-63, 0, 1;\n2: 1-63, 0, 1;\n")
    yield "averages only", with_scans("0,1,2: 0-0, 0, 0;\n")
    yield "16-bit quantizers", by_cjpeg("-quality", "1")
    yield "lossless grey", lossless(1)
    yield "lossless RGB", lossless(3, 0)
    yield "lossless without a word on its colours", lossless(3)
    yield "lossless YCbCr", lossless(3, 1)


kept = os.path.join(os.path.dirname(os.path.abspath(__file__)), "image_jpeg_kinds.json")
if os.path.exists(kept) and "--anew" not in sys.argv:
    with open(kept) as file:
        jpegs = [(one["kind"], base64.b64decode(one["file"])) for one in json.load(file)]
else:
    jpegs = list(make())
print(json.dumps([
    {"kind": kind, "file": base64.b64encode(jpeg).decode(), "digest": digest(jpeg)} for kind, jpeg in jpegs
]))
