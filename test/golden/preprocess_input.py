"""Keras's preprocess_input in each mode, for every byte in every channel: float32, little-endian, as base64."""

import base64
import json

import numpy as np
from keras.src.applications.imagenet_utils import preprocess_input

i = np.arange(768)
x = ((i * 7 + (i >> 8)) & 255).reshape(1, 16, 16, 3).astype("float32")
modes = {mode: preprocess_input(x.copy(), mode=mode) for mode in ("tf", "caffe", "torch")}
print(json.dumps({mode: base64.b64encode(np.ascontiguousarray(y).tobytes()).decode() for mode, y in modes.items()}))
