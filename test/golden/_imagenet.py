"""Keras's networks as it builds them for its published ImageNet weights, without the files."""
import keras
from keras.src.applications import efficientnet, mobilenet_v2, resnet, vgg16

MODULES = {"MobileNetV2": mobilenet_v2, "VGG16": vgg16, "ResNet50": resnet, "EfficientNetB0": efficientnet}


def imagenet(name, shape):
    """The network as Keras builds it for its published weights, and which files it asks for; without the files."""
    asked = []

    def get_file(file, origin, cache_subdir=None, file_hash=None):
        asked.append({"file": file, "url": origin, **({"md5": file_hash} if file_hash else {})})
        return file

    module = MODULES[name]
    real = module.file_utils.get_file, keras.src.models.Functional.load_weights
    module.file_utils.get_file = get_file
    keras.src.models.Functional.load_weights = lambda self, path: None
    try:
        function = getattr(keras.applications, name)
        model = function(weights="imagenet", include_top=False, input_shape=shape, pooling="avg")
        function(weights="imagenet", include_top=True)
    finally:
        module.file_utils.get_file, keras.src.models.Functional.load_weights = real
    return model, asked
