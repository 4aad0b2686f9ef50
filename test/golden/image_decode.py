"""What Pillow makes of small image files, whole and damaged: its size and the SHA-256 of its RGB pixels, or its refusal."""

import base64
import hashlib
import io
import json
import os
import sys
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import PIL  # noqa: E402
from PIL import Image  # noqa: E402

from _image_files import make  # noqa: E402

warnings.simplefilter("ignore")


def answer(data):
    try:
        image = Image.open(io.BytesIO(data)).convert("RGB")
    except Exception as error:
        return {"refused": type(error).__name__}
    return {"size": image.size, "digest": hashlib.sha256(image.tobytes()).hexdigest()[:16]}


# The same bytes whatever zlib and the encoders are: they are kept in the golden file, and made once.
kept = os.path.join(os.path.dirname(os.path.abspath(__file__)), "image_decode.json")
if os.path.exists(kept) and "--anew" not in sys.argv:
    with open(kept) as file:
        files = {name: base64.b64decode(case["file"]) for name, case in json.load(file)["files"].items()}
else:
    files = make()
cases = {name: {"file": base64.b64encode(data).decode(), **answer(data)} for name, data in files.items()}
print(json.dumps({"pillow": PIL.__version__, "files": cases}))
