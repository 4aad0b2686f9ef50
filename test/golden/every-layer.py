"""A small network with every kind of layer, odd sizes and padding that is not the same on both sides: what Keras makes of it."""
import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
from keras import layers as L

from _formula import sample, set_weights, uniform

x = image = L.Input((23, 19, 3), name="image")
x = L.BatchNormalization(epsilon=1e-3, name="first_bn")(x)
x = L.ZeroPadding2D(((2, 0), (1, 3)), name="pad")(x)
x = L.Conv2D(8, (3, 2), strides=(2, 1), name="conv")(x)
x = L.BatchNormalization(epsilon=1e-2, name="conv_bn")(x)
x = relu = L.ReLU(name="conv_relu")(x)
x = L.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
x = L.BatchNormalization(epsilon=1e-3, name="depthwise_bn")(x)
x = L.ReLU(6.0, name="depthwise_relu6")(x)
x = L.Add(name="add")([relu, x])
x = L.ReLU(name="add_relu")(x)
most = L.MaxPooling2D(3, strides=2, padding="same", name="max")(x)
mean = L.AveragePooling2D((2, 3), strides=2, padding="same", name="average")(x)
x = L.Add(name="pools")([most, mean])
x = L.ZeroPadding2D(((1, 0), (0, 1)), name="pool_pad")(x)
x = L.MaxPooling2D(2, strides=1, name="padded_max")(x)
x = L.Conv2D(5, 3, strides=2, padding="same", activation="relu", name="strided")(x)
x = L.Flatten(name="flatten")(x)
x = L.Dense(6, activation="relu", name="dense")(x)
x = L.Dense(4, use_bias=False, name="dense_no_bias")(x)
model = keras.Model(image, x)
set_weights(model)
images = uniform(6000, 3 * 23 * 19 * 3).astype("float32").reshape(3, 23, 19, 3)
order = [layer.name for layer in model.layers]
print(json.dumps({"tolerance": 2e-5, "order": order, "output": sample(model.predict(images, verbose=0))}))
