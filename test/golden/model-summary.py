"""What Keras's model.summary() prints, for each network, at several widths: the hash of it, and its beginning and end."""
import hashlib
import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["COLUMNS"] = "250"
import keras

from _imagenet import imagenet


def printed(model, **options):
    texts = []
    model.summary(print_fn=texts.append, **options)
    text = "\n".join(texts)
    lines = text.split("\n")
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "head": lines[:12], "tail": lines[-6:], "lines": len(lines)}


FORMS = [
    ("MobileNetV2", (224, 224, 3), "avg"),
    ("MobileNetV2", (97, 130, 3), None),
    ("VGG16", (224, 224, 3), "max"),
    ("VGG16", (64, 64, 3), None),
    ("ResNet50", (224, 224, 3), "avg"),
    ("ResNet50", (45, 67, 3), "max"),
    ("EfficientNetB0", (224, 224, 3), "avg"),
]
WIDTHS = [None, 60, 76, 81, 100, 140]

out = []
for name, shape, pooling in FORMS:
    keras.backend.clear_session()
    model = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=shape, pooling=pooling)
    for width in WIDTHS:
        out.append({"network": name, "imagenet": False, "inputShape": shape, "pooling": pooling or "none", "lineLength": width,
                    "showTrainable": False, **printed(model, line_length=width)})
    out.append({"network": name, "imagenet": False, "inputShape": shape, "pooling": pooling or "none", "lineLength": 120,
                "showTrainable": True, **printed(model, line_length=120, show_trainable=True)})

keras.backend.clear_session()
model, _ = imagenet("EfficientNetB0", (224, 224, 3))
form = {"network": "EfficientNetB0", "imagenet": True, "inputShape": [224, 224, 3], "pooling": "avg"}
out.append({**form, "lineLength": None, "showTrainable": False, **printed(model)})
keras.backend.clear_session()
model, _ = imagenet("MobileNetV2", (96, 130, 3))
form = {"network": "MobileNetV2", "imagenet": True, "inputShape": [96, 130, 3], "pooling": "avg"}
out.append({**form, "lineLength": None, "showTrainable": False, **printed(model)})
print(json.dumps(out))
