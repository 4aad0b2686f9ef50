import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ImageTooLargeError, writeTensor } from "../../src/image";
import { type Resample, resize, resizeToSignedUnit } from "../../src/image/resize";
import { golden } from "../support/golden";
import { noise } from "./noise";

type Case = [seed: number, width: number, height: number, toWidth: number, toHeight: number, digest: string, Resample];

describe("resize", () => {
  const { pillow, cases } = golden<{ pillow: string; cases: Case[] }>("image_resize");

  it("is Pillow 13's to the last bit: 500 random sizes to 224 x 224, 500 to random ones, 60 by each other filter", () => {
    expect(pillow).toBe("13.0.0");
    const wrong = cases.filter(([seed, width, height, toWidth, toHeight, digest, resample]) => {
      const resized = resize(noise(seed, width, height), toWidth, toHeight, resample);
      return sha256(resized.data).slice(0, 16) !== digest || resized.width !== toWidth || resized.height !== toHeight;
    });
    expect(cases.filter(([, , , , , , resample]) => resample === "bicubic")).toHaveLength(1000);
    expect(cases).toHaveLength(1300);
    expect(wrong).toEqual([]);
  });

  it("gives a network the same pixels, as floats, and touches nothing around them", () => {
    for (const [seed, width, height, toWidth, toHeight] of cases.slice(480, 520)) {
      const image = noise(seed, width, height);
      const resized = resize(image, toWidth, toHeight).data;
      const floats = new Float32Array(resized.length + 20).fill(7);
      resizeToSignedUnit(image, toWidth, toHeight, floats, 10);
      expect(floats.subarray(0, 10).every((v) => v === 7) && floats.subarray(-10).every((v) => v === 7)).toBe(true);
      const back = Uint8Array.from(floats.subarray(10, -10), (v) => Math.round((v + 1) * 127.5));
      expect(Buffer.from(back).equals(resized), `${width} x ${height}`).toBe(true);
    }
  });

  it("resizes what is larger than a band of memory, along either side first", () => {
    // Equal columns stay equal, and a smooth ramp stays one: wrong bands would show as steps.
    for (const [width, height, toWidth, toHeight] of [
      [1500, 3000, 1400, 40],
      [3000, 1500, 40, 1400],
    ] as const) {
      const data = new Uint8Array(width * height * 3);
      for (let y = 0; y < height; y++) data.fill((y * 255) / height, y * width * 3, (y + 1) * width * 3);
      const resized = resize({ width, height, data }, toWidth, toHeight).data;
      for (let y = 0; y < toHeight; y++) {
        const row = resized.subarray(y * toWidth * 3, (y + 1) * toWidth * 3);
        expect(row.every((v) => v === row[0])).toBe(true);
        expect(Math.abs(row[0]! - ((y + 0.5) * 255) / toHeight)).toBeLessThan(1.5);
      }
    }
  });

  it("leaves the image it was given alone", () => {
    const image = noise(1, 5, 5);
    resize(image, 5, 5).data.fill(0);
    expect(image).toEqual(noise(1, 5, 5));
  });

  it("refuses what is no size, no image, or too much memory", () => {
    const pixel = { width: 1, height: 1, data: new Uint8Array(3) };
    expect(() => resize(pixel, 0, 5)).toThrow("width must be a whole number of pixels from 1 up, not 0.");
    expect(() => resize({ ...pixel, width: 2 }, 5, 5)).toThrow("has 6 bytes, not 3");
    expect(() => resizeToSignedUnit(pixel, 2, 2, new Float32Array(12), 1)).toThrow("12 values do not fit at 1");
    expect(() => resize(pixel, 30_000, 30_000)).toThrow(ImageTooLargeError);
  });
});

describe("writeTensor", () => {
  /** Every byte in every channel. */
  const image = { width: 16, height: 16, data: Uint8Array.from({ length: 768 }, (_, i) => (i * 7 + (i >> 8)) & 255) };
  const keras = golden<Record<"tf" | "caffe" | "torch", string>>("preprocess_input");

  it.each(["tf", "caffe", "torch"] as const)("does what Keras's preprocess_input does in mode %s", (mode) => {
    const out = new Float32Array(768);
    writeTensor(image, 16, 16, mode, out, 0);
    const bytes = Buffer.from(keras[mode], "base64");
    expect(out).toEqual(new Float32Array(Uint8Array.from(bytes).buffer));
  });
});

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
