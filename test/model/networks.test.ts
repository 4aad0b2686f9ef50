import { describe, expect, it } from "vitest";
import { writeTensor } from "../../src/image";
import {
  BACKENDS,
  type BackendName,
  buildGraph,
  createBackend,
  featureLength,
  inputShape,
  NETWORK_NAMES,
  type Network,
  networkByName,
  outputShapeOf,
  prepareProcess,
  type Weights,
} from "../../src/model";
import { golden } from "../support/golden";
import { differenceFrom, formulaPixels, formulaWeights, type Sampled } from "./formula";

interface Case extends Sampled {
  readonly network: string;
  readonly imagenet: boolean;
  readonly inputShape: readonly number[];
  readonly pooling: string;
  readonly outputShape: readonly number[];
  readonly params: number;
}

interface Golden {
  readonly cases: readonly Case[];
  readonly published: Readonly<Record<string, Readonly<Record<string, readonly { readonly file: string }[]>>>>;
  readonly refused: Readonly<Record<string, Readonly<Record<string, string | null>>>>;
}

const { cases, published, refused } = golden<Golden>("networks");

prepareProcess();

/** Weights do not depend on the input's size. */
const weights = new Map<string, Weights>();
function weightsOf(network: Network, key: string): Weights {
  const known = weights.get(key) ?? formulaWeights(network);
  weights.set(key, known);
  return known;
}

async function features(network: Network, key: string, backend: BackendName): Promise<Float32Array> {
  const running = await createBackend(buildGraph(network, weightsOf(network, key)), { backend });
  const [height, width] = inputShape(network);
  const input = new Float32Array(height * width * 3);
  const image = { width, height, data: formulaPixels(height, width, 5000) };
  writeTensor(image, width, height, network.preprocessing, input, 0);
  const output = await running.run(input, 1);
  await running.close();
  return output;
}

describe.each(NETWORK_NAMES)("%s", (name) => {
  const own = cases.filter((one) => one.network === name);
  // Every backend on the most uneven form, one backend on the others; the large networks on all of them in keras-files.e2e.test.ts.
  const large = name === "VGG16" || name === "ResNet50";
  const runs = own.flatMap((one) => {
    const uneven = one.pooling === "none";
    if (large && !uneven) return one.pooling === "max" ? [{ ...one, backend: BACKENDS[0] }] : [];
    return BACKENDS.filter((_, i) => i === 0 || uneven).map((backend) => ({ ...one, backend }));
  });

  it.each(runs)(
    "gives Keras's features of $inputShape, pooling $pooling, imagenet $imagenet, on $backend",
    async (one) => {
      const network = networkByName(name, one);
      expect(outputShapeOf(network)).toEqual(one.outputShape);
      expect(featureLength(network)).toBe(one.length);
      const output = await features(network, `${name}/${one.imagenet}`, one.backend);
      expect(differenceFrom(output, one)).toBeLessThan(5e-5);
    },
  );

  it.each(Object.keys(published[name]!))("knows the files that Keras publishes, for %s pixels", (size) => {
    const network = networkByName(name, { inputShape: [Number(size), Number(size), 3], imagenet: true });
    const [bare, full] = published[name]![size]!;
    // Keras asks for the file of 224 pixels with the classifier, whatever the size.
    const files = network.imagenet.map((file) => ({ ...file }));
    expect(files).toContainEqual(bare);
    if (size === "224") expect(files).toContainEqual(full);
  });

  it("refuses the input shapes that Keras refuses", () => {
    const answers = Object.entries(refused[name]!);
    expect(answers.filter(([, message]) => message !== null)).toHaveLength(4);
    for (const [shape] of answers) {
      expect(() => networkByName(name, { inputShape: JSON.parse(shape) as number[] }), shape).toThrow("inputShape of");
    }
    for (const shape of [[64, 64, 1], [64.5, 64, 3], [64, 64, 3, 3], "64"]) {
      expect(() => networkByName(name, { inputShape: shape as number[] }), String(shape)).toThrow("inputShape of");
    }
    expect(() => networkByName(name, { inputShape: [31, 64, 3] })).toThrow(/at least 32x32; received \[31,64,3\]/);
    expect(() => networkByName(name, { pooling: "mean" })).toThrow(
      /pooling of .* cannot be "mean"[\s\S]*avg, max, none/,
    );
  });
});
