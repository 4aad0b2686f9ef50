import { correctPad, type LayerList, layerList, type NetworkForm } from "./layer-list";
import type { Network } from "./layers";

/** Kernel, blocks, filters, expansion and stride of each stage: table 1 of the paper. */
const STAGES = [
  [3, 1, 16, 1, 1],
  [3, 2, 24, 6, 2],
  [5, 2, 40, 6, 2],
  [3, 3, 80, 6, 2],
  [5, 3, 112, 6, 1],
  [5, 4, 192, 6, 2],
  [3, 1, 320, 6, 1],
] as const;

/** Keras's default for batch normalization. */
const EPSILON = 1e-3;

const IMAGENET_DEVIATIONS = [0.229, 0.224, 0.225] as const;

const FOLDER = "https://storage.googleapis.com/keras-applications";

/**
 * EfficientNetB0 without its classifier: 1280 channels. It takes bytes and scales them itself.
 * @see Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019,
 *   https://arxiv.org/abs/1905.11946
 * @see https://github.com/keras-team/keras/blob/v3.15.0/keras/src/applications/efficientnet.py
 */
export function efficientNetB0({ inputShape, pooling, imagenet }: NetworkForm): Network {
  const list = layerList(inputShape);
  list.add({ kind: "rescaling", name: "rescaling", inputs: [list.last()], scale: [1 / 255] });
  list.add({ kind: "normalization", name: "normalization", inputs: [list.last()] });
  if (imagenet) {
    // The published weights were trained on values divided by the variance: https://github.com/tensorflow/tensorflow/issues/49930
    const scale = IMAGENET_DEVIATIONS.map((deviation) => 1 / Math.sqrt(deviation));
    list.add({ kind: "rescaling", name: "rescaling_1", inputs: [list.last()], scale });
  }
  zerosBefore(list, "stem_conv_pad", 3);
  list.conv("stem_conv", { filters: 32, size: 3, stride: 2, padding: "valid" });
  list.normalize("stem_bn", EPSILON);
  list.activate("stem_activation", "swish");
  STAGES.forEach(([kernel, blocks, filters, expansion, stride], stage) => {
    for (let block = 0; block < blocks; block++) {
      const name = `block${stage + 1}${String.fromCharCode(97 + block)}_`;
      bottleneck(list, name, kernel, filters, expansion, block === 0 ? stride : 1);
    }
  });
  list.conv("top_conv", { filters: 1280, size: 1 });
  list.normalize("top_bn", EPSILON);
  list.activate("top_activation", "swish");
  list.pool(pooling, { avg: "avg_pool", max: "max_pool" });
  return {
    name: "EfficientNetB0",
    title: "efficientnetb0",
    preprocessing: "none",
    layers: list.done(),
    imagenet: [
      {
        file: "efficientnetb0_notop.h5",
        url: `${FOLDER}/efficientnetb0_notop.h5`,
        md5: "50bc09e76180e00e4465e1a485ddc09d",
      },
      { file: "efficientnetb0.h5", url: `${FOLDER}/efficientnetb0.h5`, md5: "902e53a9f72be733fc0bcb005b3ebbac" },
    ],
  };
}

/** An inverted residual whose channels are weighed by what squeeze and excitation makes of their averages. */
function bottleneck(list: LayerList, name: string, size: number, filters: number, expansion: number, stride: 1 | 2) {
  const input = list.last();
  const channels = list.shape(input)[2]!;
  const expanded = channels * expansion;
  if (expansion > 1) {
    list.conv(`${name}expand_conv`, { filters: expanded, size: 1 });
    list.normalize(`${name}expand_bn`, EPSILON);
    list.activate(`${name}expand_activation`, "swish");
  }
  if (stride === 2) zerosBefore(list, `${name}dwconv_pad`, size);
  list.depthwise(`${name}dwconv`, { size, stride, padding: stride === 2 ? "valid" : "same" });
  list.normalize(`${name}bn`, EPSILON);
  const filtered = list.activate(`${name}activation`, "swish");
  list.add({ kind: "globalAveragePooling2d", name: `${name}se_squeeze`, inputs: [filtered] });
  list.add({ kind: "reshape", name: `${name}se_reshape`, inputs: [list.last()], shape: [1, 1, expanded] });
  const squeezed = Math.max(1, Math.floor(channels * 0.25));
  list.conv(`${name}se_reduce`, { filters: squeezed, size: 1, useBias: true, activation: "swish" });
  const weights = list.conv(`${name}se_expand`, { filters: expanded, size: 1, useBias: true, activation: "sigmoid" });
  list.add({ kind: "multiply", name: `${name}se_excite`, inputs: [filtered, weights] });
  list.conv(`${name}project_conv`, { filters, size: 1 });
  list.normalize(`${name}project_bn`, EPSILON);
  if (stride === 1 && channels === filters) {
    const dropped = list.add({ kind: "dropout", name: `${name}drop`, inputs: [list.last()] });
    list.add({ kind: "add", name: `${name}add`, inputs: [dropped, input] });
  }
}

function zerosBefore(list: LayerList, name: string, kernel: number): void {
  const padding = correctPad(list.shape(list.last()), kernel);
  list.add({ kind: "zeroPadding2d", name, inputs: [list.last()], padding });
}
