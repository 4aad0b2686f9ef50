import { resize, resizeToSignedUnit } from "./resize";
import type { RgbImage } from "./rgb-image";

/**
 * What a network wants done to RGB bytes: the modes of Keras's `preprocess_input`. `tf`: `v / 127.5 - 1`; `caffe`: in the
 * order blue, green, red, each less ImageNet's mean; `torch`: `v / 255`, less ImageNet's mean, divided by its deviation;
 * `none`: the bytes as they are, for networks that scale them themselves.
 * @see https://github.com/keras-team/keras/blob/master/keras/src/applications/imagenet_utils.py
 */
export type Preprocessing = "tf" | "caffe" | "torch" | "none";

const CAFFE_MEANS = [103.939, 116.779, 123.68] as const;
const TORCH_MEANS = [0.485, 0.456, 0.406] as const;
const TORCH_DEVIATIONS = [0.229, 0.224, 0.225] as const;

/**
 * Resizes an image as Pillow does and writes it, preprocessed, to `out` from `offset` on: `height` x `width` x 3 float32,
 * each value rounded where Keras rounds it.
 */
export function writeTensor(
  image: RgbImage,
  width: number,
  height: number,
  preprocessing: Preprocessing,
  out: Float32Array,
  offset: number,
): void {
  switch (preprocessing) {
    case "tf":
      resizeToSignedUnit(image, width, height, out, offset);
      return;
    case "caffe": {
      const { data: rgb } = resize(image, width, height);
      const means = CAFFE_MEANS.map(Math.fround);
      for (let i = 0; i < rgb.length; i += 3) {
        for (let c = 0; c < 3; c++) out[offset + i + c] = rgb[i + 2 - c]! - means[c]!;
      }
      return;
    }
    case "none":
      out.set(resize(image, width, height).data, offset);
      return;
    case "torch": {
      const { data: rgb } = resize(image, width, height);
      const means = TORCH_MEANS.map(Math.fround);
      const deviations = TORCH_DEVIATIONS.map(Math.fround);
      for (let i = 0; i < rgb.length; i++) {
        const centered = Math.fround(Math.fround(rgb[i]! / 255) - means[i % 3]!);
        out[offset + i] = centered / deviations[i % 3]!;
      }
      return;
    }
  }
}
