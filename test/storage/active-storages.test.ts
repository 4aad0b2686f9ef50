import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadModel, saveModel } from "../../src/ml/model-files";
import { networkByName } from "../../src/networks/networks";
import { resolveWeights } from "../../src/networks/weights-lookup";
import { imageGrid } from "../../src/plot/image-grid";
import { Session } from "../../src/session/session";
import { activeStorages, FileChangedError, storages, storagesFrom, urlOf } from "../../src/storage";
import { setActiveStorages } from "../../src/storage/active-storages";
import { copyTree } from "../../src/storage/copy-tree";
import { type MemoryStorage, memoryStorage } from "../support/memory-storage";

const folder = mkdtempSync(join(tmpdir(), "pomona-active-"));
let store: MemoryStorage;
beforeEach(() => {
  store = memoryStorage();
  setActiveStorages(storages({ memory: store, file: storagesFrom().for(urlOf(folder)) }));
});
afterEach(() => setActiveStorages(undefined));
afterAll(() => rmSync(folder, { recursive: true }));

describe("who is given no storages", () => {
  it("copies, shows, saves and loads with those of the session that runs", async () => {
    const red = { create: { width: 4, height: 4, channels: 3, background: "red" } } as const;
    await sharp(red).png().toFile(join(folder, "red.png"));
    await copyTree(join(folder, "red.png"), "memory://bucket/images");
    expect([...store.objects.keys()]).toEqual(["memory://bucket/images/red.png"]);
    expect((await imageGrid(["memory://bucket/images/red.png"])).html).toContain("<img");
    const model = { class: "M", uid: "m-1", paramMap: {}, data: { mean: [1, 2] } };
    await saveModel("memory://bucket/model", model, {});
    expect([...(await loadModel("memory://bucket/model", "M")).numbers("mean")]).toEqual([1, 2]);
  });

  it("fetches weights once for each state of their file", async () => {
    const url = urlOf("memory://bucket/w.weights.h5");
    const network = networkByName("MobileNetV2", {});
    const found = () => resolveWeights(url, network, { cacheDir: folder });
    await store.writeFile(url, "first");
    expect(await found()).toMatchObject({ kind: "file", origin: url });
    const first = await found();
    expect(store.reads).toHaveLength(1);
    await store.writeFile(url, "another");
    expect((await found()).sha256).not.toBe(first.sha256);
    expect(store.reads).toHaveLength(2);
    await expect(resolveWeights("memory://bucket/none.h5", network, { cacheDir: folder })).rejects.toThrow(
      "memory://bucket/none.h5: no such file",
    );
    await expect(resolveWeights("gs://bucket/w.h5", network, { cacheDir: folder })).rejects.toThrow(
      /No storage serves/,
    );
  });

  it("reads no file that was written anew meanwhile", async () => {
    const url = urlOf("memory://bucket/a");
    await store.writeFile(url, "a");
    const before = await store.stat(url);
    await store.writeFile(url, "b");
    const version = typeof before === "object" ? before.version : "";
    await expect(store.readRange(url, 0, 1, { version })).rejects.toThrow(FileChangedError);
  });

  it("is given those of a session from its start to its end", async () => {
    const session = await Session.builder().master("local[1]").getOrCreate();
    expect(activeStorages()).toBe(session.runtime.storages);
    await session.stop();
    expect(activeStorages()).not.toBe(session.runtime.storages);
  });
});
