import { type LayerList, layerList, type NetworkForm } from "./layer-list";
import type { Network, Pair } from "./layers";

/** Filters, blocks and stride of each stage. */
const STAGES = [
  [64, 3, 1],
  [128, 4, 2],
  [256, 6, 2],
  [512, 3, 2],
] as const;

const EPSILON = 1.001e-5;
const FOLDER = "https://storage.googleapis.com/tensorflow/keras-applications/resnet";
const FILE = "resnet50_weights_tf_dim_ordering_tf_kernels";

/**
 * ResNet50, the first version, without its classifier: 2048 channels.
 * @see He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, https://arxiv.org/abs/1512.03385
 * @see https://github.com/keras-team/keras/blob/v3.15.0/keras/src/applications/resnet.py
 */
export function resNet50({ inputShape, pooling }: NetworkForm): Network {
  const list = layerList(inputShape);
  zeros(list, "conv1_pad", 3);
  list.conv("conv1_conv", { filters: 64, size: 7, stride: 2, padding: "valid", useBias: true });
  list.normalize("conv1_bn", EPSILON);
  list.activate("conv1_relu", "relu");
  zeros(list, "pool1_pad", 1);
  list.add({
    kind: "maxPooling2d",
    name: "pool1_pool",
    inputs: [list.last()],
    pool: [3, 3],
    strides: [2, 2],
    padding: "valid",
  });
  STAGES.forEach(([filters, blocks, stride], stage) => {
    for (let block = 1; block <= blocks; block++) {
      residual(list, `conv${stage + 2}_block${block}`, filters, block === 1 ? stride : undefined);
    }
  });
  list.pool(pooling, { avg: "avg_pool", max: "max_pool" });
  return {
    name: "ResNet50",
    title: "resnet50",
    preprocessing: "caffe",
    layers: list.done(),
    imagenet: [
      { file: `${FILE}_notop.h5`, url: `${FOLDER}/${FILE}_notop.h5`, md5: "4d473c1dd8becc155b73f8504c6f6626" },
      { file: `${FILE}.h5`, url: `${FOLDER}/${FILE}.h5`, md5: "2cb95161c43110f7111970584f804107" },
    ],
  };
}

/** A bottleneck block. @param stride of a block whose shortcut is a convolution; undefined where it is the input itself */
function residual(list: LayerList, name: string, filters: number, stride: number | undefined): void {
  const input = list.last();
  const pointwise = { size: 1, padding: "valid", useBias: true } as const;
  let shortcut = input;
  if (stride !== undefined) {
    list.conv(`${name}_0_conv`, { ...pointwise, filters: 4 * filters, stride });
    shortcut = list.normalize(`${name}_0_bn`, EPSILON);
  }
  list.conv(`${name}_1_conv`, { ...pointwise, filters, stride: stride ?? 1, input });
  list.normalize(`${name}_1_bn`, EPSILON);
  list.activate(`${name}_1_relu`, "relu");
  list.conv(`${name}_2_conv`, { filters, size: 3, useBias: true });
  list.normalize(`${name}_2_bn`, EPSILON);
  list.activate(`${name}_2_relu`, "relu");
  list.conv(`${name}_3_conv`, { ...pointwise, filters: 4 * filters });
  const last = list.normalize(`${name}_3_bn`, EPSILON);
  list.add({ kind: "add", name: `${name}_add`, inputs: [shortcut, last] });
  list.activate(`${name}_out`, "relu");
}

function zeros(list: LayerList, name: string, count: number): void {
  const both: Pair = [count, count];
  list.add({ kind: "zeroPadding2d", name, inputs: [list.last()], padding: [both, both] });
}
