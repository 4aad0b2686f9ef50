import type { Layer, Network } from "./layers";

/** Filters of each convolution, block by block. */
const BLOCKS = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
] as const;

/**
 * VGG16 (configuration D), 224 x 224, without its dense layers, with global max pooling: 512 values.
 * @see Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015,
 *   https://arxiv.org/abs/1409.1556, table 1
 * @see https://keras.io/api/applications/vgg/ for the names of the layers
 */
export const VGG16: Network = {
  name: "VGG16",
  preprocessing: "caffe",
  layers: build(),
  imagenet: {
    file: "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    url: "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    md5: "6d6bbae143d832006294945121d1f1fc",
  },
};

function build(): Layer[] {
  const layers: Layer[] = [{ kind: "input", name: "input", inputs: [], shape: [224, 224, 3] }];
  const last = () => layers.at(-1)!.name;
  BLOCKS.forEach((block, b) => {
    block.forEach((filters, c) => {
      layers.push({
        kind: "conv2d",
        name: `block${b + 1}_conv${c + 1}`,
        inputs: [last()],
        filters,
        kernel: [3, 3],
        strides: [1, 1],
        padding: "same",
        useBias: true,
        activation: "relu",
      });
    });
    layers.push({
      kind: "maxPooling2d",
      name: `block${b + 1}_pool`,
      inputs: [last()],
      pool: [2, 2],
      strides: [2, 2],
      padding: "valid",
    });
  });
  layers.push({ kind: "globalMaxPooling2d", name: "global_max_pooling2d", inputs: [last()] });
  return layers;
}
