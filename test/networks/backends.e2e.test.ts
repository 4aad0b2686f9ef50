import { rmSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { buildSync } from "esbuild";
import { afterAll, describe, expect, it } from "vitest";
import { writeTensor } from "../../src/image";
import {
  buildGraph,
  chooseBackend,
  createBackend,
  INSTALLABLE_BACKENDS,
  networkByName,
  prepareProcess,
} from "../../src/networks";
import { golden } from "../support/golden";
import { EVERY_LAYER } from "./every-layer";
import { differenceFrom, formulaNumbers, formulaPixels, formulaWeights, type Sampled } from "./formula";

// Inside the checkout, so that the bundle finds its packages.
const workerScript = join(__dirname, "../../node_modules/.cache/pomona-test", `backend-worker-${process.pid}.js`);
// Bundled, because workers load no TypeScript.
buildSync({
  entryPoints: [join(__dirname, "backend-worker.ts")],
  outfile: workerScript,
  bundle: true,
  platform: "node",
  packages: "external",
});
afterAll(() => rmSync(workerScript));

prepareProcess();

const everyLayer = golden<{ readonly output: Sampled }>("every-layer");
const { cases } = golden<{
  readonly cases: readonly (Sampled & { network: string; inputShape: readonly number[]; pooling: string })[];
}>("networks");

describe.each(INSTALLABLE_BACKENDS)("%s", (name) => {
  it("agrees with Keras on a network with every kind of layer, three images at a time and one by one", async () => {
    const backend = await createBackend(buildGraph(EVERY_LAYER, formulaWeights(EVERY_LAYER)), { backend: name });
    expect(backend.name).toBe(name);
    const size = 23 * 19 * 3;
    const input = formulaNumbers(6000, 3 * size);
    const together = await backend.run(input, 3);
    expect(differenceFrom(together, everyLayer.output)).toBeLessThan(1e-5);
    const single: number[] = [];
    for (let i = 0; i < 3; i++) single.push(...(await backend.run(input.subarray(i * size, (i + 1) * size), 1)));
    expect(differenceFrom(Float32Array.from(single), everyLayer.output)).toBeLessThan(1e-5);
    await backend.close();
  });

  it("runs in two worker threads at once", async () => {
    const expected = cases.find((one) => one.network === "MobileNetV2" && one.pooling === "avg")!;
    const [height = 0, width = 0] = expected.inputShape;
    const input = new Float32Array(height * width * 3);
    writeTensor({ width, height, data: formulaPixels(height, width, 5000) }, width, height, "tf", input, 0);
    const run = () => inWorker({ backend: name, input, inputShape: expected.inputShape });
    for (const features of await Promise.all([run(), run()])) {
      expect(differenceFrom(features, expected)).toBeLessThan(1e-4);
    }
  });
});

describe("chooseBackend", () => {
  it("takes the fastest one", async () => {
    expect(await chooseBackend("auto")).toBe("onnxruntime-node");
  });

  it("names the backends there are", async () => {
    await expect(chooseBackend("cuda" as never)).rejects.toThrow(
      /Unknown backend "cuda"[\s\S]*onnxruntime-node, tfjs-node/,
    );
  });
});

describe("networkByName", () => {
  it("builds with ImageNet's input only where it is asked to", () => {
    const rescalings = (imagenet: boolean) =>
      networkByName("EfficientNetB0", { imagenet }).layers.filter(({ kind }) => kind === "rescaling").length;
    expect([rescalings(false), rescalings(true)]).toEqual([1, 2]);
  });
});

/** An image through a backend of its own in a worker thread. */
function inWorker(workerData: unknown): Promise<Float32Array> {
  const worker = new Worker(workerScript, { workerData });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`The worker ended with ${code} and gave nothing.`)));
  });
}
