"""What Spark's image source makes of files of image_decode.json: the fields of `image`, its data as a SHA-256; and its schema."""

import base64
import hashlib
import json
import os
import tempfile

from pyspark.sql import SparkSession

NAMES = [
    "subsampling-0.jpg", "subsampling-1.jpg", "subsampling-2.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg", "exif-orientation.jpg",
    "rgb.png", "rgba.png", "grey.png", "grey-alpha.png", "palette.png", "palette-transparent.png", "palette-alpha.png",
    "black-white.png", "grey-4-bits.png", "interlaced-8-bits.png", "rgb-16-bits.png", "rgba-16-bits.png", "grey-16-bits.png",
    "rgb-transparent.png", "grey-transparent.png",
    "palette.gif", "transparent.gif", "small-frame.gif", "animated.gif", "interlaced.gif",
    "rgb.bmp", "grey.bmp", "palette.bmp", "4-bits.bmp", "24-bits-downwards.bmp", "rle8.bmp", "bilevel.bmp",
    "rgb-raw.tif", "grey-raw.tif", "rgba-raw.tif", "rgb-tiff_lzw.tif", "orientation-6.tif",
    "lossy.webp", "text.jpg", "empty.jpg", "0.6-of-subsampling-2.jpg", "0.6-of-rgb.png", "wrong-crc-of-data.png",
]

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "image_decode.json")) as file:
    files = json.load(file)["files"]
spark = (
    SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")
with tempfile.TemporaryDirectory() as folder:
    os.makedirs(os.path.join(folder, "label=a b"))
    for name in NAMES:
        with open(os.path.join(folder, "label=a b", name), "wb") as file:
            file.write(base64.b64decode(files[name]["file"]))
    images = spark.read.format("image").load(folder)
    rows = {}
    for row in images.collect():
        image = row.image
        rows[os.path.basename(image.origin)] = {
            "label": row.label,
            "origin": image.origin.replace(folder, "FOLDER"),
            "form": [image.height, image.width, image.nChannels, image.mode],
            "digest": hashlib.sha256(bytes(image.data)).hexdigest()[:16],
        }
    kept = spark.read.format("image").option("dropInvalid", True).load(folder).count()
    schema = images._jdf.schema().treeString()
print(json.dumps({"schema": schema, "kept": kept, "rows": {name: rows[name] for name in sorted(rows)}}))
