import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CapturedVariableError, IllegalArgumentError, Session, TaskFailedError } from "pomona";
import { col, udf } from "pomona/functions";
import { decode, resize } from "pomona/images";
import { type ImagePixels, mobileNetV2, vgg16 } from "pomona/models";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { networkByName } from "../../src/networks";
import { golden } from "../support/golden";
import { differenceFrom, formulaWeights, type Sampled } from "./formula";
import { writeLegacy } from "./keras-layouts";

interface KerasImage {
  readonly content: string;
  readonly features: Sampled;
  readonly unit: Sampled;
  readonly swapped: Sampled;
}

const { images } = golden<{ readonly images: readonly KerasImage[] }>("image-features");
const some = images.slice(0, 3);

describe("own preprocessing around a network", () => {
  let folder: string;
  let weights: string;
  let session: Session;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "pomona-preprocess-"));
    weights = join(folder, "weights.h5");
    const network = networkByName("MobileNetV2");
    await writeLegacy(weights, network, formulaWeights(network));
    mkdirSync(join(folder, "images"));
    some.forEach(({ content }, i) => {
      writeFileSync(join(folder, "images", `${i}.bin`), Buffer.from(content, "base64"));
    });
    session = await Session.builder().master("local[1]").config("pomona.progress", "off").getOrCreate();
  });
  afterAll(async () => {
    await session?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const files = () => session.read.format("binaryFile").load(join(folder, "images"));
  async function expectFeatures(column: ReturnType<ReturnType<typeof mobileNetV2>>, wanted: "unit" | "swapped") {
    const rows = await files().select(col("path"), column.alias("features")).orderBy("path").collect();
    expect(rows).toHaveLength(some.length);
    rows.forEach(({ features }, i) => {
      expect(differenceFrom(features, some[i]![wanted]), `${wanted} ${i}`).toBeLessThan(1e-4);
    });
  }

  it("gives Keras's features for another image, with a broadcast value", async () => {
    const order = [2, 1, 0];
    const model = mobileNetV2({
      weights,
      broadcast: { order },
      preprocess: ({ width, height, data }) => {
        const half = Math.floor(width / 2);
        const out = new Uint8Array(half * height * 3);
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < half; x++) {
            for (let c = 0; c < 3; c++) out[(y * half + x) * 3 + c] = data[(y * width + x) * 3 + order[c]!]!;
          }
        }
        return { width: half, height, data: out };
      },
    });
    await expectFeatures(model(col("content")), "swapped");
  });

  it("gives Keras's features for numbers of the user's own, with pomona/images", async () => {
    const preprocess = (image: ImagePixels) => Float32Array.from(resize(image, 224, 224).data, (byte) => byte / 255);
    const model = mobileNetV2({ weights, imports: { resize: "pomona/images#resize" }, preprocess });
    await expectFeatures(model("content"), "unit");
  });

  it("takes a column of arrays that a function of the user's made", async () => {
    const tensor = udf(
      async (content: Uint8Array) => Float32Array.from(resize(await decode(content), 224, 224).data, (v) => v / 255),
      { returns: "array<float>", imports: { resize: "pomona/images#resize", decode: "pomona/images#decode" } },
    );
    await expectFeatures(mobileNetV2({ weights })(tensor("content")), "unit");
  });

  it("needs no column of paths", async () => {
    const rows = await files()
      .select("content")
      .select(mobileNetV2({ weights })("content").alias("features"))
      .collect();
    expect(rows.map(({ features }) => features.length)).toEqual(some.map(() => 1280));
    const named = mobileNetV2({ weights, pathCol: "file" })("content").alias("f");
    expect(() => files().select("content").select(named)).toThrow(/`file` cannot be resolved/);
  });

  it("tells what the function throws, with the image, or keeps the row", async () => {
    const preprocess = ({ width }: ImagePixels): ImagePixels => {
      throw new RangeError(`no images of ${width} pixels`);
    };
    const failing = files().select("path", mobileNetV2({ weights, preprocess })("content").alias("features"));
    const error = await failing.collect().then(
      () => undefined,
      (e: unknown) => e as Error,
    );
    expect(error).toBeInstanceOf(TaskFailedError);
    expect(error!.message).toMatch(/no images of \d+ pixels/);
    expect(error!.message).toMatch(/images\/\d\.bin/);
    const kept = mobileNetV2({ weights, preprocess, onError: "null" })("content").alias("features");
    const rows = (await files().select(col("path"), kept).collect()) as { features: unknown; error?: string }[];
    expect(rows.map(({ features }) => features)).toEqual([null, null, null]);
    for (const row of rows) expect(row.error).toMatch(/no images of \d+ pixels/);
  });

  it("is checked where it is written", () => {
    const gain = 2;
    const preprocess = (image: ImagePixels) => ({ ...image, data: image.data.map((byte) => byte * gain) });
    expect(() => mobileNetV2({ preprocess })).toThrow(CapturedVariableError);
    expect(() => mobileNetV2({ preprocess, broadcast: { gain } })).not.toThrow();
    expect(() => mobileNetV2({ broadcast: { gain } })).toThrow("broadcast and imports are for the function preprocess");
    expect(() => mobileNetV2({ preprocess: 3 as never })).toThrow("preprocess takes a function, not number");
  });

  it("names what these networks have not", () => {
    for (const [options, message] of [
      [{ alpha: 0.5 }, "alpha of MobileNetV2 cannot be 0.5: only the width 1.0 is built."],
      [{ includeTop: true }, "MobileNetV2 has no classifier here (includeTop)."],
      [{ pooling: "mean" }, 'pooling of MobileNetV2 cannot be "mean".'],
      [{ inputShape: [16, 16, 3] }, "inputShape of MobileNetV2 must be at least 32x32; received [16,16,3]."],
    ] as const) {
      expect(() => mobileNetV2(options as never)).toThrow(IllegalArgumentError);
      expect(() => mobileNetV2(options as never)).toThrow(message);
    }
    expect(vgg16({ includeTop: false, alpha: 1, pooling: null }).outputShape).toEqual([7, 7, 512]);
  });
});
