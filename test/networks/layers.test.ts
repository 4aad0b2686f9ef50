import { describe, expect, it } from "vitest";
import { buildGraph, type Network, networkByName } from "../../src/networks";
import { inferShapes, inKerasOrder, samePadding } from "../../src/networks/layers";
import { golden } from "../support/golden";
import { EVERY_LAYER } from "./every-layer";
import { formulaWeights } from "./formula";

const mobileNet = networkByName("MobileNetV2");

describe("buildGraph", () => {
  it("folds every batch norm, activation and padding of MobileNetV2 into a convolution", () => {
    expect(opsOf(mobileNet)).toEqual({
      // Table 2 of the paper: 17 blocks, of which 10 have a residual; the first does not expand.
      input: 1,
      conv: 1 + 16 + 17 + 1,
      depthwiseConv: 17,
      add: 10,
      globalAveragePool: 1,
    });
  });

  it("makes one step of what EfficientNet does to its input, and a vector of a feature map", () => {
    expect(
      opsOf(networkByName("EfficientNetB0", { inputShape: [32, 32, 3], pooling: "none", imagenet: true })),
    ).toEqual({
      input: 1,
      scale: 1,
      // 15 of 16 blocks expand; each has two to weigh its channels, and one to project.
      conv: 1 + 15 + 16 * 3 + 1,
      depthwiseConv: 16,
      globalAveragePool: 16,
      reshape: 16,
      multiply: 16,
      add: 9,
      flatten: 1,
    });
  });

  function opsOf(network: Network): Record<string, number> {
    const ops: Record<string, number> = {};
    for (const { op } of buildGraph(network, formulaWeights(network)).nodes) ops[op] = (ops[op] ?? 0) + 1;
    return ops;
  }
});

describe("inKerasOrder", () => {
  it("is the order of Keras's layers", () => {
    const { order } = golden<{ readonly order: readonly string[] }>("every-layer");
    const shuffled = [...EVERY_LAYER.layers];
    const [average] = shuffled.splice(
      shuffled.findIndex(({ name }) => name === "average"),
      1,
    );
    shuffled.splice(
      shuffled.findIndex(({ name }) => name === "max"),
      0,
      average!,
    );
    expect(inKerasOrder(shuffled).map(({ name }) => name)).toEqual(order);
  });
});

describe("inferShapes", () => {
  const start = { kind: "input", name: "x", inputs: [], shape: [8, 8, 3] } as const;
  const relu = (name: string, inputs: string[]) => ({ kind: "activation", name, inputs, activation: "relu" }) as const;

  it.each([
    ["an unknown input", [start, relu("a", ["y"])], "Layer a takes y, and no layer before it has that name."],
    ["a name given twice", [start, relu("x", ["x"])], "Two layers are named x."],
    ["two inputs of a layer with one", [start, relu("a", ["x", "x"])], "Layer a takes one input, not 2."],
    ["a dense layer on an image", [start, { kind: "dense", name: "d", inputs: ["x"], units: 2, useBias: true, activation: "linear" }], "Dense layer d takes a vector, not [8,8,3]."], // biome-ignore format: one line a case
    ["a sum of different shapes", [start, { kind: "flatten", name: "f", inputs: ["x"] }, { kind: "add", name: "s", inputs: ["x", "f"] }], "Layer s adds [8,8,3] and [192]."], // biome-ignore format: one line a case
    ["a product of different shapes", [start, { kind: "flatten", name: "f", inputs: ["x"] }, { kind: "multiply", name: "s", inputs: ["x", "f"] }], "Layer s multiplies [8,8,3] and [192]."], // biome-ignore format: one line a case
    ["an image that is made an image", [start, { kind: "reshape", name: "r", inputs: ["x"], shape: [1, 1, 192] }], "Layer r reshapes [8,8,3]."], // biome-ignore format: one line a case
  ] as const)("refuses %s", (_what, layers, message) => {
    expect(() => inferShapes(layers as Network["layers"])).toThrow(message);
  });
});

describe("samePadding", () => {
  it("is TensorFlow's, the odd zero after", () => {
    expect(samePadding(224, 3, 2)).toEqual([0, 1]);
    expect(samePadding(7, 3, 2)).toEqual([1, 1]);
    expect(samePadding(7, 3, 1)).toEqual([1, 1]);
    expect(samePadding(5, 1, 2)).toEqual([0, 0]);
  });
});

describe("networkByName", () => {
  it("suggests the name that was meant", () => {
    expect(networkByName("VGG16").name).toBe("VGG16");
    expect(() => networkByName("MobilNetV2")).toThrow("Did you mean MobileNetV2?");
    expect(() => networkByName("x")).toThrow("Use one of MobileNetV2, VGG16, ResNet50, EfficientNetB0.");
  });
});
