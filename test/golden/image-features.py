"""Image files as Pillow writes them, and Keras's MobileNetV2 features of them, with weights by formula; own preprocessing too."""
import base64
import io
import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
from PIL import Image

from _formula import pixels, sample, set_weights

keras.backend.clear_session()
model = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(224, 224, 3), pooling="avg")
set_weights(model)
scale = keras.applications.mobilenet_v2.preprocess_input


def features(array):
    return sample(model.predict(np.asarray(array, dtype="float32")[None], verbose=0)[0])


images = []
for number, (width, height, form) in enumerate([(9, 7, "JPEG"), (100, 100, "JPEG"), (30, 61, "PNG"), (75, 20, "JPEG"), (8, 8, "PNG"), (40, 40, "JPEG")]):
    # Smooth, so that a JPEG is small and not noise alone.
    small = Image.fromarray(pixels(3, 4, 7000 + number)).resize((width, height))
    file = io.BytesIO()
    small.save(file, form)
    image = Image.open(io.BytesIO(file.getvalue())).convert("RGB")
    resized = image.resize((224, 224))
    array = np.asarray(resized, dtype="float32")
    # Left half, red and blue exchanged; then as usual.
    cropped = image.crop((0, 0, width // 2, height))
    swapped = Image.fromarray(np.ascontiguousarray(np.asarray(cropped)[..., ::-1])).resize((224, 224))
    images.append({
        "content": base64.b64encode(file.getvalue()).decode(),
        "features": features(scale(array.copy())),
        "unit": features(array / 255),
        "swapped": features(scale(np.asarray(swapped, dtype="float32"))),
    })
print(json.dumps({"tolerance": 2e-5, "images": images}))
