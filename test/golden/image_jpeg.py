"""JPEGs of many sizes, samplings, qualities and contents, and Pillow's answer to them, cut short and damaged too.

Coefficients of damaged data may overflow, and what libjpeg makes of them depends on the processor's vector instructions:
`plain` is Pillow's answer without them.
"""

import base64
import io
import json
import os
import random
import subprocess
import sys

import numpy as np
from PIL import Image

from _rgb_digest import digest


def make():
    rng = np.random.default_rng(1)
    random.seed(2)
    for k in range(88):
        width, height = random.randrange(1, 50), random.randrange(1, 50)
        pixels = rng.integers(0, 256, (height, width, 3)).astype("u1")
        if k % 3 == 0:
            pixels = (pixels > 128) * np.uint8(255)
        image = Image.fromarray(pixels)
        if k % 4 == 1:
            image = image.resize((width * 2, height * 2))
        if k % 11 == 0:
            image = image.convert("L")
        buffer = io.BytesIO()
        quality = random.choice([1, 5, 20, 50, 75, 95, 100])
        restart = random.choice([0, 0, 1, 5])
        optimize = random.random() < 0.3
        image.save(buffer, "JPEG", subsampling=k % 3, quality=quality, restart_marker_blocks=restart, optimize=optimize)
        whole = buffer.getvalue()
        cut = random.randrange(len(whole) // 2, len(whole) - 2)
        damages = []
        for _ in range(4):
            places = random.choice([1, 1, 3])
            damages.append([[random.randrange(len(whole) // 3, len(whole)), random.randrange(256)] for _ in range(places)])
        yield whole, cut, damages


# The same bytes whatever the encoder is: they are kept in the golden file, and made once.
kept = os.path.join(os.path.dirname(os.path.abspath(__file__)), "image_jpeg.json")
if os.path.exists(kept) and "--anew" not in sys.argv:
    with open(kept) as file:
        jpegs = [
            (base64.b64decode(one["file"]), one["cut"], [damage["bytes"] for damage in one["damages"]])
            for one in json.load(file)
        ]
else:
    jpegs = list(make())



def damaged(whole, changes):
    copy = bytearray(whole)
    for place, value in changes:
        copy[place] = value
    return bytes(copy)


plain = "--plain" in sys.argv
answers = []
for whole, cut, damages in jpegs:
    digests = [digest(damaged(whole, changes)) for changes in damages]
    if plain:
        answers.append(digests)
        continue
    assert digest(whole[:cut]) is None
    answers.append({
        "file": base64.b64encode(whole).decode(), "digest": digest(whole), "cut": cut,
        "damages": [{"bytes": changes, "digest": one} for changes, one in zip(damages, digests)],
    })
if not plain:
    # libjpeg looks once in a process.
    printed = subprocess.check_output(
        [sys.executable, *sys.argv, "--plain"], env={**os.environ, "JSIMD_FORCENONE": "1"}, text=True
    )
    for answer, digests in zip(answers, json.loads(printed)):
        for damage, one in zip(answer["damages"], digests):
            damage["plain"] = one
print(json.dumps(answers))
