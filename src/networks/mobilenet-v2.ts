import { correctPad, type LayerList, layerList, type NetworkForm } from "./layer-list";
import type { Network, PublishedWeights } from "./layers";

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

const EPSILON = 1e-3;

/** Keras publishes weights that were trained at these sizes; any other size takes those of 224. */
const PUBLISHED_SIZES = [96, 128, 160, 192, 224];

/**
 * MobileNetV2, width 1.0, without its classifier: 1280 channels.
 * @see Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018,
 *   https://arxiv.org/abs/1801.04381, table 2
 * @see https://github.com/keras-team/keras/blob/v3.15.0/keras/src/applications/mobilenet_v2.py
 */
export function mobileNetV2({ inputShape, pooling, imagenet }: NetworkForm): Network {
  const list = layerList(inputShape);
  list.conv("Conv1", { filters: 32, size: 3, stride: 2 });
  list.normalize("bn_Conv1", EPSILON);
  list.activate("Conv1_relu", "relu6", true);
  let block = 0;
  for (const [expansion, filters, repeats, firstStride] of BOTTLENECKS) {
    for (let repeat = 0; repeat < repeats; repeat++) {
      bottleneck(list, block, expansion, filters, repeat === 0 ? firstStride : 1);
      block++;
    }
  }
  list.conv("Conv_1", { filters: 1280, size: 1, padding: "valid" });
  list.normalize("Conv_1_bn", EPSILON);
  list.activate("out_relu", "relu6", true);
  list.pool(pooling, { avg: "global_average_pooling2d", max: "global_max_pooling2d" });
  const [height, width] = inputShape;
  const size = height === width && PUBLISHED_SIZES.includes(height) ? height : 224;
  return {
    name: "MobileNetV2",
    title: `mobilenetv2_1.00_${imagenet ? size : height}`,
    preprocessing: "tf",
    layers: list.done(),
    // With and without the classifier, the convolutions are the same. The workflow's file is the one with it.
    imagenet: [published(size, ""), published(size, "_no_top")],
  };
}

/** An inverted residual: expand by a 1 x 1, filter each channel by a 3 x 3, project by a linear 1 x 1. */
function bottleneck(list: LayerList, block: number, expansion: number, filters: number, stride: 1 | 2): void {
  const name = block === 0 ? "expanded_conv" : `block_${block}`;
  const input = list.last();
  const channels = list.shape(input)[2]!;
  if (expansion > 1) {
    list.conv(`${name}_expand`, { filters: channels * expansion, size: 1 });
    list.normalize(`${name}_expand_BN`, EPSILON);
    list.activate(`${name}_expand_relu`, "relu6", true);
  }
  if (stride === 2) {
    const padding = correctPad(list.shape(list.last()), 3);
    list.add({ kind: "zeroPadding2d", name: `${name}_pad`, inputs: [list.last()], padding });
  }
  list.depthwise(`${name}_depthwise`, { size: 3, stride, padding: stride === 2 ? "valid" : "same" });
  list.normalize(`${name}_depthwise_BN`, EPSILON);
  list.activate(`${name}_depthwise_relu`, "relu6", true);
  list.conv(`${name}_project`, { filters, size: 1 });
  const projected = list.normalize(`${name}_project_BN`, EPSILON);
  if (stride === 1 && channels === filters) list.add({ kind: "add", name: `${name}_add`, inputs: [input, projected] });
}

/** Keras states no checksum for these files. */
function published(size: number, top: "" | "_no_top"): PublishedWeights {
  const file = `mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_${size}${top}.h5`;
  return { file, url: `https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/${file}` };
}
