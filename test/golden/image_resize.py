"""Pillow's results for 1,000 random sizes and every filter: the SHA-256 of the pixels, its first 16 digits."""

import hashlib
import json
import random

import numpy as np
import PIL
from PIL import Image


def noise(seed, width, height):
    """The image that test/image/noise.ts makes of the same seed; every third seed has pixels of 0 and 255 alone."""
    i = np.arange(width * height * 3, dtype=np.uint32)
    h = (i + np.uint32(seed * 7919)) * np.uint32(0x9E3779B1)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    values = (h & np.uint32(255)).astype("u1")
    if seed % 3 == 0:
        values = (values > 127).astype("u1") * np.uint8(255)
    return Image.fromarray(values.reshape(height, width, 3))


def digest(image):
    return hashlib.sha256(image.tobytes()).hexdigest()[:16]


random.seed(20)


def length(most):
    return int(most ** random.random())


def case(seed, size, to, resample="bicubic"):
    filter = Image.Resampling[resample.upper()]
    return [seed, *size, *to, digest(noise(seed, *size).resize(to, filter)), resample]


squares = [(length(700), length(700)) for _ in range(494)]
squares += [(240, 320), (320, 240), (223, 224), (225, 226), (3, 1500), (1500, 3)]
ways = [((length(400), length(400)), (length(400), length(400))) for _ in range(488)]
ways += [((1, 1), (1, 1)), ((1, 1), (300, 1)), ((1, 1), (1, 300)), ((50, 60), (50, 60)), ((50, 60), (50, 7))]
ways += [((50, 60), (7, 60)), ((3000, 2), (5, 1)), ((2, 3000), (1, 5)), ((40, 2000), (41, 1)), ((10, 10), (3, 1024))]
ways += [((1200, 1700), (900, 7)), ((1700, 1200), (7, 900))]
cases = [case(i, size, (224, 224)) for i, size in enumerate(squares)]
cases += [case(500 + i, size, to) for i, (size, to) in enumerate(ways)]
for filter in ("nearest", "box", "bilinear", "hamming", "lanczos"):
    for i in range(60):
        cases.append(case(1000 + i, (length(200), length(200)), (length(200), length(200)), filter))

print(json.dumps({"pillow": PIL.__version__, "cases": cases}))
