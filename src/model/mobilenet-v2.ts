import type { Layer, Network } from "./layers";

/** Table 2 of the paper: expansion factor, output channels, blocks, stride of the first block. */
const BOTTLENECKS = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * MobileNetV2, width 1.0, 224 x 224, up to the 1280 averages before the classifier.
 * @see Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018,
 *   https://arxiv.org/abs/1801.04381, table 2
 * @see https://keras.io/api/applications/mobilenet/ for the names of the layers
 */
export const MOBILENET_V2: Network = {
  name: "MobileNetV2",
  preprocessing: "tf",
  layers: build(),
  imagenet: {
    file: "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
    url: "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
  },
};

function build(): Layer[] {
  const layers: Layer[] = [
    { kind: "input", name: "input", inputs: [], shape: [224, 224, 3] },
    convolution("Conv1", "input", 32, 3, 2),
    normalization("bn_Conv1", "Conv1"),
    { kind: "activation", name: "Conv1_relu", inputs: ["bn_Conv1"], activation: "relu6" },
  ];
  let channels = 32;
  let block = 0;
  for (const [expansion, filters, repeats, firstStride] of BOTTLENECKS) {
    for (let repeat = 0; repeat < repeats; repeat++) {
      const stride = repeat === 0 ? firstStride : 1;
      layers.push(...bottleneck(block, lastName(layers), channels, expansion, filters, stride));
      channels = filters;
      block++;
    }
  }
  layers.push(
    convolution("Conv_1", lastName(layers), 1280, 1, 1),
    normalization("Conv_1_bn", "Conv_1"),
    { kind: "activation", name: "out_relu", inputs: ["Conv_1_bn"], activation: "relu6" },
    { kind: "globalAveragePooling2d", name: "global_average_pooling2d", inputs: ["out_relu"] },
  );
  return layers;
}

/** An inverted residual: expand by a 1 x 1, filter each channel by a 3 x 3, project by a linear 1 x 1. */
function bottleneck(
  block: number,
  input: string,
  channels: number,
  expansion: number,
  filters: number,
  stride: 1 | 2,
): Layer[] {
  const name = block === 0 ? "expanded_conv" : `block_${block}`;
  const layers: Layer[] = [];
  let last = input;
  const push = (layer: Layer) => {
    layers.push(layer);
    last = layer.name;
  };
  if (expansion > 1) {
    push(convolution(`${name}_expand`, last, channels * expansion, 1, 1));
    push(normalization(`${name}_expand_BN`, last));
    push({ kind: "activation", name: `${name}_expand_relu`, inputs: [last], activation: "relu6" });
  }
  if (stride === 2) {
    // Sizes are even here, so Keras's `correct_pad` gives one row and column after and none before.
    const after = [0, 1] as const;
    push({ kind: "zeroPadding2d", name: `${name}_pad`, inputs: [last], padding: [after, after] });
  }
  push({
    kind: "depthwiseConv2d",
    name: `${name}_depthwise`,
    inputs: [last],
    kernel: [3, 3],
    strides: [stride, stride],
    padding: stride === 2 ? "valid" : "same",
    useBias: false,
    activation: "linear",
  });
  push(normalization(`${name}_depthwise_BN`, last));
  push({ kind: "activation", name: `${name}_depthwise_relu`, inputs: [last], activation: "relu6" });
  push(convolution(`${name}_project`, last, filters, 1, 1));
  push(normalization(`${name}_project_BN`, last));
  if (stride === 1 && channels === filters) push({ kind: "add", name: `${name}_add`, inputs: [input, last] });
  return layers;
}

function convolution(name: string, input: string, filters: number, size: number, stride: number): Layer {
  return {
    kind: "conv2d",
    name,
    inputs: [input],
    filters,
    kernel: [size, size],
    strides: [stride, stride],
    padding: "same",
    useBias: false,
    activation: "linear",
  };
}

function normalization(name: string, input: string): Layer {
  return { kind: "batchNormalization", name, inputs: [input], epsilon: 1e-3 };
}

function lastName(layers: readonly Layer[]): string {
  return layers.at(-1)!.name;
}
