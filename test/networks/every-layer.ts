import type { Network } from "../../src/networks";
import { inKerasOrder } from "../../src/networks/layers";

const same = { strides: [1, 1], padding: "same", useBias: true } as const;

/** The network of test/golden/every-layer.py: a small one with every kind of layer, odd sizes and padding that is not the same on both sides. */
export const EVERY_LAYER: Network = {
  name: "EveryLayer",
  title: "functional",
  preprocessing: "tf",
  imagenet: [{ file: "none.h5", url: "https://example.invalid/none.h5" }],
  layers: inKerasOrder([
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
  ]),
};
