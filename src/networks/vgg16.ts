import { layerList, type NetworkForm } from "./layer-list";
import type { Network } from "./layers";

/** Filters of each convolution, block by block. */
const BLOCKS = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
] as const;

const FOLDER = "https://storage.googleapis.com/tensorflow/keras-applications/vgg16";
const FILE = "vgg16_weights_tf_dim_ordering_tf_kernels";

/**
 * VGG16 (configuration D) without its dense layers: 512 channels.
 * @see Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015,
 *   https://arxiv.org/abs/1409.1556, table 1
 * @see https://github.com/keras-team/keras/blob/v3.15.0/keras/src/applications/vgg16.py
 */
export function vgg16({ inputShape, pooling }: NetworkForm): Network {
  const list = layerList(inputShape);
  BLOCKS.forEach((block, b) => {
    block.forEach((filters, c) => {
      list.conv(`block${b + 1}_conv${c + 1}`, { filters, size: 3, useBias: true, activation: "relu" });
    });
    list.add({
      kind: "maxPooling2d",
      name: `block${b + 1}_pool`,
      inputs: [list.last()],
      pool: [2, 2],
      strides: [2, 2],
      padding: "valid",
    });
  });
  list.pool(pooling, { avg: "global_average_pooling2d", max: "global_max_pooling2d" });
  return {
    name: "VGG16",
    title: "vgg16",
    preprocessing: "caffe",
    layers: list.done(),
    imagenet: [
      { file: `${FILE}_notop.h5`, url: `${FOLDER}/${FILE}_notop.h5`, md5: "6d6bbae143d832006294945121d1f1fc" },
      { file: `${FILE}.h5`, url: `${FOLDER}/${FILE}.h5`, md5: "64373286793e3c8b2b4e3219cbf3544b" },
    ],
  };
}
