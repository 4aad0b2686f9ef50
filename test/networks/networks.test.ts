import { describe, expect, it } from "vitest";
import { featureLength, NETWORK_NAMES, networkByName, outputShapeOf } from "../../src/networks";
import { golden } from "../support/golden";
import type { Sampled } from "./formula";

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

describe.each(NETWORK_NAMES)("%s", (name) => {
  const own = cases.filter((one) => one.network === name);
  it.each(own)("has Keras's shape of features for $inputShape, pooling $pooling, imagenet $imagenet", (one) => {
    const network = networkByName(name, one);
    expect(outputShapeOf(network)).toEqual(one.outputShape);
    expect(featureLength(network)).toBe(one.length);
  });

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
