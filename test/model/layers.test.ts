import { describe, expect, it } from "vitest";
import {
  buildGraph,
  featureLength,
  MOBILENET_V2,
  type Network,
  networkByName,
  randomWeights,
  VGG16,
} from "../../src/model";
import { inferShapes, samePadding, weightShapes } from "../../src/model/layers";
import { runPython } from "../support/python";

/** Each of Keras's layers by name: its output's shape, and its weights' shapes in order. */
const KERAS = `
import json, sys
import keras
name, top = sys.argv[1], sys.argv[2] == "top"
options = {} if top else {"include_top": False, "pooling": "max"}
model = getattr(keras.applications, name)(weights=None, input_shape=(224, 224, 3), **options)
print(json.dumps({l.name: [list(l.output.shape[1:]), [list(w.shape) for w in l.get_weights()]] for l in model.layers}))
`;

describe.each([
  [MOBILENET_V2, "top", 1280, ["predictions"]],
  [VGG16, "bare", 512, []],
] as const)("$name", (network, top, length, left) => {
  it("has Keras's layers, shapes and weights", () => {
    const keras = JSON.parse(runPython(KERAS, [network.name, top])) as Record<string, [number[], number[][]]>;
    const shapes = inferShapes(network.layers);
    const ours = network.layers.map((layer) => {
      const weights = Object.values(weightShapes(layer, shapes.get(layer.inputs[0] ?? "")));
      return [layer.name, [[...shapes.get(layer.name)!], weights.map((shape) => [...shape])]] as const;
    });
    const kerasLayers = Object.entries(keras).filter(
      ([name]) => !left.includes(name as never) && !/^input_layer/.test(name),
    );
    // Keras numbers layers that it names itself, and the input has no name of its own.
    const plain = ([name, shape]: readonly [string, unknown]) => [name.replace(/(pooling2d)_\d+$/, "$1"), shape];
    expect(ours.filter(([name]) => name !== "input").map(plain)).toEqual(kerasLayers.map(plain));
    expect(featureLength(network)).toBe(length);
  });
});

describe("buildGraph", () => {
  it("folds every batch norm, activation and padding of MobileNetV2 into a convolution", () => {
    const { nodes } = buildGraph(MOBILENET_V2, randomWeights(MOBILENET_V2, 1));
    const ops: Record<string, number> = {};
    for (const { op } of nodes) ops[op] = (ops[op] ?? 0) + 1;
    // Table 2 of the paper: 17 blocks, of which 10 have a residual; the first does not expand.
    expect(ops).toEqual({ input: 1, conv: 1 + 16 + 17 + 1, depthwiseConv: 17, add: 10, globalAveragePool: 1 });
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
    expect(networkByName("VGG16")).toBe(VGG16);
    expect(() => networkByName("MobilNetV2")).toThrow("Did you mean MobileNetV2?");
    expect(() => networkByName("x")).toThrow("Use one of MobileNetV2, VGG16.");
  });
});
