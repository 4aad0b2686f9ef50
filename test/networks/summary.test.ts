import { createHash } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { mobileNetV2, resNet50 } from "../../src/models";
import { networkByName, summaryText } from "../../src/networks";
import { golden } from "../support/golden";

interface Printed {
  readonly network: string;
  readonly imagenet: boolean;
  readonly inputShape: readonly number[];
  readonly pooling: string;
  readonly lineLength: number | null;
  readonly showTrainable: boolean;
  readonly sha256: string;
  readonly head: readonly string[];
  readonly tail: readonly string[];
  readonly lines: number;
}

describe("summaryText", () => {
  it.each(golden<Printed[]>("model-summary"))(
    "is Keras's of $network $inputShape, $pooling, $lineLength wide, imagenet $imagenet, trainable $showTrainable",
    (keras) => {
      const text = summaryText(networkByName(keras.network, keras), {
        ...(keras.lineLength !== null && { lineLength: keras.lineLength }),
        showTrainable: keras.showTrainable,
      });
      const lines = text.split("\n");
      expect(lines.slice(0, keras.head.length)).toEqual(keras.head);
      expect(lines.slice(-keras.tail.length)).toEqual(keras.tail);
      expect(lines).toHaveLength(keras.lines);
      expect(createHash("sha256").update(text).digest("hex")).toBe(keras.sha256);
    },
  );

  it("says how wide a line must be", () => {
    expect(() => summaryText(networkByName("VGG16"), { lineLength: 12 })).toThrow("cannot be printed in 12 characters");
  });
});

describe("a network's function", () => {
  it("prints its summary without weights, once", () => {
    const printed = vi.spyOn(console, "log").mockImplementation(() => {});
    expect(mobileNetV2().summary({ lineLength: 100 })).toBeUndefined();
    expect(printed).toHaveBeenCalledTimes(1);
    expect(printed.mock.calls[0]![0]).toContain('Model: "mobilenetv2_1.00_224"');
    printed.mockRestore();
    const texts: string[] = [];
    resNet50({ weights: "/no/such/file.h5" }).summary({ printFn: (text) => texts.push(text) });
    expect(texts.join()).toContain(" Total params: 23,587,712 (89.98 MB)");
  });

  it("knows its shapes and how many numbers its weights have", () => {
    const model = resNet50({ inputShape: [64, 96, 3], pooling: null });
    expect(model.inputShape).toEqual([64, 96, 3]);
    expect(model.outputShape).toEqual([2, 3, 2048]);
    expect(model.countParams()).toBe(23_587_712);
    expect(mobileNetV2().outputShape).toEqual([1280]);
  });
});
