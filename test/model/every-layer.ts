import type { Network } from "../../src/model";

const same = { strides: [1, 1], padding: "same", useBias: true } as const;

/** A small network with every kind of layer, odd sizes and padding that is not the same on both sides. */
export const EVERY_LAYER: Network = {
  name: "EveryLayer",
  preprocessing: "tf",
  imagenet: { file: "none.h5", url: "https://example.invalid/none.h5" },
  layers: [
    { kind: "input", name: "image", inputs: [], shape: [23, 19, 3] },
    { kind: "batchNormalization", name: "first_bn", inputs: ["image"], epsilon: 1e-3 },
    { kind: "zeroPadding2d", name: "pad", inputs: ["first_bn"], padding: [[2, 0], [1, 3]] }, // biome-ignore format: two pairs
    { ...same, kind: "conv2d", name: "conv", inputs: ["pad"], filters: 8, kernel: [3, 2], strides: [2, 1], padding: "valid", activation: "linear" }, // biome-ignore format: one line a layer
    { kind: "batchNormalization", name: "conv_bn", inputs: ["conv"], epsilon: 1e-2 },
    { kind: "activation", name: "conv_relu", inputs: ["conv_bn"], activation: "relu" },
    {
      ...same,
      kind: "depthwiseConv2d",
      name: "depthwise",
      inputs: ["conv_relu"],
      kernel: [3, 3],
      activation: "linear",
    },
    { kind: "batchNormalization", name: "depthwise_bn", inputs: ["depthwise"], epsilon: 1e-3 },
    { kind: "activation", name: "depthwise_relu6", inputs: ["depthwise_bn"], activation: "relu6" },
    { kind: "add", name: "add", inputs: ["conv_relu", "depthwise_relu6"] },
    { kind: "activation", name: "add_relu", inputs: ["add"], activation: "relu" },
    { kind: "maxPooling2d", name: "max", inputs: ["add_relu"], pool: [3, 3], strides: [2, 2], padding: "same" },
    { kind: "averagePooling2d", name: "average", inputs: ["add_relu"], pool: [2, 3], strides: [2, 2], padding: "same" },
    { kind: "add", name: "pools", inputs: ["max", "average"] },
    { kind: "zeroPadding2d", name: "pool_pad", inputs: ["pools"], padding: [[1, 0], [0, 1]] }, // biome-ignore format: two pairs
    { kind: "maxPooling2d", name: "padded_max", inputs: ["pool_pad"], pool: [2, 2], strides: [1, 1], padding: "valid" },
    { ...same, kind: "conv2d", name: "strided", inputs: ["padded_max"], filters: 5, kernel: [3, 3], strides: [2, 2], activation: "relu" }, // biome-ignore format: one line a layer
    { kind: "flatten", name: "flatten", inputs: ["strided"] },
    { kind: "dense", name: "dense", inputs: ["flatten"], units: 6, useBias: true, activation: "relu" },
    { kind: "dense", name: "dense_no_bias", inputs: ["dense"], units: 4, useBias: false, activation: "linear" },
  ],
};

/** The same network in Keras, with random weights everywhere; writes model, input and output beside `sys.argv[1]`. */
export const KERAS_EVERY_LAYER = `
import sys
import keras
import numpy as np
from keras import layers as L
keras.utils.set_random_seed(3)
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
rng = np.random.default_rng(9)
for layer in model.layers:
    # Positive around 1: variances must be, and so few units of a relu are dead.
    layer.set_weights([rng.normal(0.2, 0.5, w.shape) if "kernel" in v.path else rng.uniform(0.5, 1.5, w.shape) for v, w in zip(layer.weights, layer.get_weights())])
path = sys.argv[1]
model.save(path)
x = rng.uniform(-1, 1, (3, 23, 19, 3)).astype("float32")
open(path + ".input", "wb").write(x.tobytes())
open(path + ".output", "wb").write(model.predict(x, verbose=0).astype("float32").tobytes())
`;
