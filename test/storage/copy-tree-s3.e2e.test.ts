import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CancelledError } from "../../src/errors";
import { storagesFrom } from "../../src/storage";
import { type CopyProgress, copyTree, OverlappingPathsError } from "../../src/storage/copy-tree";
import { type S3FaultProxy, startFaultProxy } from "../support/s3-fault-proxy";
import { type S3Server, type S3ServerName, startS3 } from "../support/s3-server";

const NAMES = [
  "Apple Red 1/1_100.jpg",
  "Grape 'white' \"1\"/50%25 #?+.jpg",
  "🍎/Äpfel/苹果.jpg",
  "empty.jpg",
  "_SUCCESS",
  ".s3keep",
];
const BIG = Buffer.alloc(11 * 1024 * 1024, "pear ");
const BYTES = BIG.length + NAMES.reduce((sum, name) => sum + (name === "empty.jpg" ? 0 : Buffer.byteLength(name)), 0);

const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

describe.each<S3ServerName>(["versitygw", "s3proxy"])("copyTree with %s", (name) => {
  let server: S3Server;
  let proxy: S3FaultProxy;
  let root: string;
  let src: string;
  let storages: ReturnType<typeof storagesFrom>;

  beforeAll(async () => {
    server = await startS3({ server: name, buckets: ["fruits", "pears"] });
    proxy = await startFaultProxy(server.endpoint);
    root = mkdtempSync(join(tmpdir(), "pomona-copy-s3-"));
    src = join(root, "src");
    for (const file of NAMES) {
      mkdirSync(dirname(join(src, file)), { recursive: true });
      writeFileSync(join(src, file), file === "empty.jpg" ? "" : file);
    }
    writeFileSync(join(src, "big.bin"), BIG);
    mkdirSync(join(src, "nothing in it"));
    storages = storagesFrom({ ...server.settings, "fs.s3a.endpoint": proxy.endpoint });
  });
  beforeEach(() => proxy.reset());
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
    rmSync(root, { recursive: true, force: true });
  });

  /** Paths with a digest of what is there. */
  function tree(folder: string): Record<string, string> {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort();
    return Object.fromEntries(paths.map((path) => [path.slice(folder.length + 1), digest(readFileSync(path))]));
  }

  it("copies up, across as the server's own work, and down again, and a second time nothing", async () => {
    const all = { copied: 7, skipped: 0, bytes: BYTES };
    const none = { copied: 0, skipped: 7, bytes: 0 };
    const seen: CopyProgress[] = [];
    expect(await copyTree(src, "s3://fruits/a b/Test", { storages, progress: (p) => seen.push(p) })).toEqual(all);
    expect(seen).toHaveLength(8);
    expect(seen.at(-1)).toEqual({ files: 7, totalFiles: 7, bytes: all.bytes, totalBytes: all.bytes });
    expect((await server.keys("fruits")).map((key) => key.slice("a b/Test/".length))).toEqual(
      Object.keys(tree(src)).sort(),
    );
    expect(await copyTree(src, "s3a://fruits/a b/Test", { storages })).toEqual(none);

    proxy.reset();
    expect(await copyTree("s3://fruits/a b", "s3a://pears", { storages })).toEqual(all);
    expect(await copyTree("s3a://pears/Test", "s3n://fruits/n/", { storages })).toEqual(all);
    expect(proxy.counts()).toMatchObject({ CopyObject: 14 });
    expect(Object.keys(proxy.counts()).filter((operation) => /GetObject|PutObject|Part/.test(operation))).toEqual([]);
    // Markers of folders are not copied, and nothing is made for an empty folder.
    if (name === "versitygw") await server.put("fruits/n/empty folder/", "");
    await server.put("fruits/n/old_$folder$", "");

    const dst = join(root, "dst");
    expect(await copyTree("s3n://fruits/n", dst, { storages })).toEqual(all);
    expect(tree(dst)).toEqual(tree(src));
    expect(readdirSync(dst)).not.toContain("empty folder");
    expect(await copyTree("s3://fruits/n", dst, { storages })).toEqual(none);

    const some = { files: ["s3a://fruits/n/🍎/Äpfel/苹果.jpg", "s3://fruits/n/empty.jpg"], glob: "*.jpg", storages };
    expect(await copyTree("s3://fruits/n", join(root, "some"), some)).toMatchObject({ copied: 2 });
    expect(Object.keys(tree(join(root, "some")))).toEqual(["empty.jpg", "🍎/Äpfel/苹果.jpg"]);
    expect(await server.uploads("fruits")).toEqual([]);
  });

  it("takes s3, s3a and s3n for the same place", async () => {
    await server.put("fruits/in/a.txt", "a");
    for (const [from, to] of [
      ["s3://fruits/in", "s3a://fruits/in"],
      ["s3n://fruits/in", "s3://fruits/in/deeper"],
      ["s3a://fruits/in", "s3n://fruits"],
    ] as const) {
      await expect(copyTree(from, to, { storages })).rejects.toThrow(OverlappingPathsError);
    }
    expect(await copyTree("s3://fruits/in", "s3a://fruits/in-2", { storages })).toMatchObject({ copied: 1 });
  });

  it("copies between buckets with other credentials or another address through this machine", async () => {
    // The bucket's own settings: straight to the server, past the proxy.
    const apart = storagesFrom({
      ...server.settings,
      "fs.s3a.endpoint": proxy.endpoint,
      "fs.s3a.bucket.pears.endpoint": server.endpoint,
    });
    expect(await copyTree(src, "s3://fruits/apart", { storages: apart })).toMatchObject({ copied: 7 });
    proxy.reset();
    expect(await copyTree("s3://fruits/apart", "s3://pears/apart", { storages: apart })).toMatchObject({ copied: 7 });
    expect(proxy.counts()).toMatchObject({ GetObject: expect.any(Number) });
    expect(proxy.counts().CopyObject).toBeUndefined();
    const dst = join(root, "apart");
    await copyTree("s3://pears/apart", dst, { storages: apart });
    expect(tree(dst)).toEqual(tree(src));
  });

  it("stops at once while the server is silent, leaves only whole files, and goes on where it was", async () => {
    for (const [from, to, operation, key] of [
      [src, "s3://fruits/up", ["PutObject", "UploadPart"], /big|苹果/],
      ["s3://fruits/a b/Test", join(root, "down"), ["GetObject"], /big|苹果/],
      ["s3://fruits/a b/Test", "s3://pears/across", ["CopyObject"], /big|苹果/],
    ] as const) {
      proxy.reset();
      const met = proxy.fault({ operation, key, fault: { kind: "stall" } });
      const controller = new AbortController();
      const copying = copyTree(from, to, { signal: controller.signal, storages });
      const stopped = expect(copying).rejects.toThrow(CancelledError);
      await expect.poll(met).toBeGreaterThan(1);
      controller.abort();
      await stopped;
      proxy.reset();
      const again = await copyTree(from, to, { storages });
      expect(again.copied + again.skipped).toBe(7);
      expect(again.copied).toBeGreaterThan(1);
    }
    expect(tree(join(root, "down"))).toEqual(tree(src));
    expect(await server.uploads("fruits")).toEqual([]);
  });
});
