"""Keras's networks on weights and images by formula: features by input shape and pooling, and what Keras would download."""
import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
from keras.src.applications import efficientnet, mobilenet_v2, resnet, vgg16

from _formula import pixels, sample, set_weights
from _imagenet import imagenet

PREPROCESS = {
    "MobileNetV2": mobilenet_v2.preprocess_input,
    "VGG16": vgg16.preprocess_input,
    "ResNet50": resnet.preprocess_input,
    "EfficientNetB0": efficientnet.preprocess_input,
}

# The smallest, odd sizes that are not square, and one that is even on one axis.
FORMS = [((32, 32), "max"), ((45, 67), None), ((33, 64), "avg"), ((64, 47), "avg")]


def features(model, name, height, width):
    set_weights(model)
    image = pixels(height, width, 5000).astype("float32")[None]
    return sample(model.predict(PREPROCESS[name](image), verbose=0))


cases, published, refused = [], {}, {}
for name, function in ((name, getattr(keras.applications, name)) for name in PREPROCESS):
    for (height, width), pooling in FORMS:
        keras.backend.clear_session()
        model = function(weights=None, include_top=False, input_shape=(height, width, 3), pooling=pooling)
        cases.append({
            "network": name, "imagenet": False, "inputShape": [height, width, 3], "pooling": pooling or "none",
            "outputShape": list(model.output_shape[1:]), "params": model.count_params(),
            **features(model, name, height, width),
        })
    published[name] = {}
    # MobileNetV2 alone has files for several sizes.
    for size in (96, 128, 224) if name == "MobileNetV2" else (224,):
        keras.backend.clear_session()
        model, asked = imagenet(name, (size, size, 3))
        published[name][str(size)] = asked
    if name == "EfficientNetB0":
        keras.backend.clear_session()
        model, _ = imagenet(name, (40, 33, 3))
        cases.append({
            "network": name, "imagenet": True, "inputShape": [40, 33, 3], "pooling": "avg",
            "outputShape": list(model.output_shape[1:]), "params": model.count_params(),
            **features(model, name, 40, 33),
        })
    refused[name] = {}
    for shape in ((31, 64, 3), (64, 31, 3), (64, 64), (0, 0, 3)):
        try:
            function(weights=None, include_top=False, input_shape=shape)
            refused[name][str(list(shape))] = None
        except Exception as error:
            refused[name][str(list(shape))] = str(error)

print(json.dumps({"tolerance": 2e-5, "cases": cases, "published": published, "refused": refused}))
