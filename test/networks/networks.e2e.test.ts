import { describe, expect, it } from "vitest";
import { writeTensor } from "../../src/image";
import {
  type BackendName,
  buildGraph,
  createBackend,
  INSTALLABLE_BACKENDS,
  inputShape,
  NETWORK_NAMES,
  type Network,
  networkByName,
  prepareProcess,
  type Weights,
} from "../../src/networks";
import { golden } from "../support/golden";
import { differenceFrom, formulaPixels, formulaWeights, type Sampled } from "./formula";

interface Case extends Sampled {
  readonly network: string;
  readonly imagenet: boolean;
  readonly inputShape: readonly number[];
  readonly pooling: string;
}

const { cases } = golden<{ readonly cases: readonly Case[] }>("networks");

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
    if (large && !uneven) return one.pooling === "max" ? [{ ...one, backend: INSTALLABLE_BACKENDS[0] }] : [];
    return INSTALLABLE_BACKENDS.filter((_, i) => i === 0 || uneven).map((backend) => ({ ...one, backend }));
  });

  it.each(runs)(
    "gives Keras's features of $inputShape, pooling $pooling, imagenet $imagenet, on $backend",
    async (one) => {
      const network = networkByName(name, one);
      const output = await features(network, `${name}/${one.imagenet}`, one.backend);
      expect(differenceFrom(output, one)).toBeLessThan(5e-5);
    },
  );
});
