import { IllegalArgumentError, nearest } from "../errors";
import { efficientNetB0 } from "./efficientnet-b0";
import { type NetworkForm, POOLINGS, type Pooling } from "./layer-list";
import type { Network } from "./layers";
import { mobileNetV2 } from "./mobilenet-v2";
import { resNet50 } from "./resnet50";
import { vgg16 } from "./vgg16";

/** Every network there is, with its pooling where none is asked for. Another one is a file of layers and a line here. */
const NETWORKS = {
  MobileNetV2: { build: mobileNetV2, pooling: "avg" },
  VGG16: { build: vgg16, pooling: "max" },
  ResNet50: { build: resNet50, pooling: "avg" },
  EfficientNetB0: { build: efficientNetB0, pooling: "avg" },
} as const satisfies Record<string, { build: (form: NetworkForm) => Network; pooling: Pooling }>;

export const NETWORK_NAMES = Object.keys(NETWORKS) as readonly (keyof typeof NETWORKS)[];

/** A network's parameters, all with defaults. */
export interface NetworkParameters {
  /**
   * Rows, columns and channels that the network takes; an image is resized to that.
   * @default [224, 224, 3]
   */
  readonly inputShape?: readonly number[];
  /** @default `max` for VGG16, `avg` for the others */
  readonly pooling?: string;
  /** True for the published ImageNet weights. @default false */
  readonly imagenet?: boolean;
}

/** Keras builds no smaller ones: the last maps would be empty. */
const LEAST_SIZE = 32;

/**
 * The network of that name.
 * @throws IllegalArgumentError that names the ones there are, or what is wrong with the parameters
 */
export function networkByName(name: string, parameters: NetworkParameters = {}): Network {
  if (!Object.hasOwn(NETWORKS, name)) {
    const similar = nearest(name, NETWORK_NAMES)[0];
    throw new IllegalArgumentError(`There is no network ${JSON.stringify(name)}.`, {
      remedy: similar ? `Did you mean ${similar}?` : `Use one of ${NETWORK_NAMES.join(", ")}.`,
    });
  }
  const { build, pooling } = NETWORKS[name as keyof typeof NETWORKS];
  return build({
    inputShape: checkedShape(name, parameters.inputShape ?? [224, 224, 3]),
    pooling: checkedPooling(name, parameters.pooling ?? pooling),
    imagenet: parameters.imagenet ?? false,
  });
}

function checkedShape(name: string, shape: readonly number[]): NetworkForm["inputShape"] {
  const refuse = (problem: string, remedy: string) => {
    return new IllegalArgumentError(`inputShape of ${name} ${problem}; received ${JSON.stringify(shape)}.`, { remedy });
  };
  const whole = Array.isArray(shape) && shape.length === 3 && shape.every((size) => Number.isInteger(size));
  if (!whole) throw refuse("must be three whole numbers", "Give [rows, columns, 3], such as [224, 224, 3].");
  const [height = 0, width = 0, channels = 0] = shape;
  if (channels !== 3) {
    throw refuse(
      "must have 3 channels",
      "Images are decoded to red, green and blue; grey ones too: [rows, columns, 3].",
    );
  }
  if (height < LEAST_SIZE || width < LEAST_SIZE) {
    throw refuse(
      `must be at least ${LEAST_SIZE}x${LEAST_SIZE}`,
      "Smaller images are resized to what the network takes.",
    );
  }
  return [height, width, 3];
}

function checkedPooling(name: string, pooling: string): Pooling {
  const known = POOLINGS.find((candidate) => candidate === pooling);
  if (known) return known;
  throw new IllegalArgumentError(`pooling of ${name} cannot be ${JSON.stringify(pooling)}.`, {
    remedy: `Use one of ${POOLINGS.join(", ")}.`,
  });
}
