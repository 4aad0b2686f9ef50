import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  FileChangedError,
  listed,
  PathNotFoundError,
  type Storage,
  type Storages,
  storagesFrom,
  urlOf,
} from "../../src/storage";
import { copyTree } from "../../src/storage/copy-tree";
import { LEASE_MILLISECONDS } from "../../src/storage/output-lock";
import { type S3FaultProxy, startFaultProxy } from "../support/s3-fault-proxy";
import { type S3Server, type S3ServerName, s3Settings, startS3 } from "../support/s3-server";
import { commitCases, locksIn } from "./commit-cases";

const KEYS = [
  "plain.txt",
  "a b/c d.txt",
  "é/ñ 日本.txt",
  "x+y%20#?&=;:@$,!'()*.txt",
  "k=v/50%25.jpg",
  "deep/er/and/deeper.txt",
  ".hidden/file",
  "_x=1/file",
];

async function* chunksOf(...chunks: Uint8Array[]) {
  yield* chunks;
}
async function joined(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of stream) all.push(chunk);
  return Buffer.concat(all);
}
const large = Buffer.from(Uint8Array.from({ length: 19 * 1024 * 1024 }, (_, i) => (i * 31) ^ (i >> 8)));

describe.each<S3ServerName>(["versitygw", "s3proxy"])("objects on %s", (name) => {
  let server: S3Server;
  let proxy: S3FaultProxy;
  let storages: Storages;
  let s3: Storage;
  const at = (path: string) => urlOf(`s3://fruits/${path}`);
  const text = async (path: string) => Buffer.from(await s3.readFile(at(path))).toString();

  beforeAll(async () => {
    server = await startS3({ server: name, buckets: ["fruits", "others"] });
    proxy = await startFaultProxy(server.endpoint);
    storages = storagesFrom(s3Settings({ ...server, endpoint: proxy.endpoint }));
    s3 = storages.for(at(""));
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });

  it("are written, read, listed, copied and removed under any key", async () => {
    for (const key of KEYS) await s3.writeFile(at(`keys/${key}`), key);
    expect(await server.keys("fruits")).toEqual(KEYS.map((key) => `keys/${key}`).sort());
    const all = await listed(s3, at("keys"), { hidden: true });
    expect(all.map(({ url }) => url).sort()).toEqual(KEYS.map((key) => at(`keys/${key}`)).sort());
    for (const { url, size } of all) {
      expect(await s3.stat(url)).toMatchObject({ url, size });
      expect(Buffer.from(await s3.readFile(url)).toString()).toBe(url.slice(at("keys/").length + 1));
      const copy = urlOf(url.replace("s3://fruits/keys", "s3a://others/copies"));
      await s3.copyFile(url, copy);
      expect(Buffer.from(await s3.readFile(copy)).length).toBe(size);
    }
    const seen = await listed(s3, at("keys"));
    expect(seen.map(({ url }) => url)).not.toContain(at("keys/.hidden/file"));
    expect(seen).toHaveLength(KEYS.length - 1);
    expect(await s3.children(at("keys"))).toEqual(
      [
        [".hidden", true],
        ["_x=1", true],
        ["a b", true],
        ["deep", true],
        ["k=v", true],
        ["plain.txt", false],
        ["x+y%20#?&=;:@$,!'()*.txt", false],
        ["é", true],
      ].map(([child, isFolder]) => ({ name: child, isFolder })),
    );
    expect([await s3.stat(at("keys")), await s3.stat(at("keys/deep/er")), await s3.stat(at("ke"))]).toEqual([
      "folder",
      "folder",
      undefined,
    ]);
    await s3.remove(at("keys/deep"));
    await s3.remove(at("keys/nothing"));
    expect(await server.keys("fruits")).toHaveLength(KEYS.length - 1);
    await s3.remove(at("keys"));
    await s3.remove(urlOf("s3n://others/copies"));
    expect([...(await server.keys("fruits")), ...(await server.keys("others"))]).toEqual([]);
    await expect(s3.readFile(at("none"))).rejects.toThrow(PathNotFoundError);
    await expect(listed(s3, at("none"))).rejects.toThrow(PathNotFoundError);
  });

  it("have no markers of folders, which removing a folder takes along", async () => {
    await server.put("fruits/marked/", "");
    await server.put("fruits/marked/inner/", "");
    await server.put("fruits/marked/inner/apple.txt", "apple");
    await server.put("fruits/marked/inner_$folder$", "");
    await server.put("fruits/marked/.s3keep", "");
    expect((await listed(s3, at("marked"))).map(({ url }) => url)).toEqual([at("marked/inner/apple.txt")]);
    expect(await s3.stat(at("marked/inner"))).toBe("folder");
    await s3.remove(at("marked"));
    expect(await server.keys("fruits")).toEqual([]);
  });

  it("are read by range and as a stream, as they were when the read began", async () => {
    expect(await s3.writeStream(at("big/large"), chunksOf(large.subarray(0, 100), large.subarray(100)))).toBe(
      large.length,
    );
    expect((await s3.readFile(at("big/large"))).length).toBe(large.length);
    expect(large.equals(await joined(s3.readStream(at("big/large"))))).toBe(true);
    proxy.reset();
    const range = await s3.readRange(at("big/large"), 1000, 2000);
    expect(large.subarray(1000, 2000).equals(Buffer.from(range))).toBe(true);
    expect([proxy.counts(), proxy.received()]).toEqual([{ GetObject: 1 }, 1000]);
    const wide = await s3.readRange(at("big/large"), 5, 18 * 1024 * 1024);
    expect(large.subarray(5, 18 * 1024 * 1024).equals(Buffer.from(wide))).toBe(true);
    const end = large.length;
    expect((await s3.readRange(at("big/large"), end - 3, end + 9)).length).toBe(3);
    expect((await s3.readRange(at("big/large"), end + 5, end + 9)).length).toBe(0);
    await s3.writeFile(at("big/empty"), "");
    expect([
      (await s3.readFile(at("big/empty"))).length,
      (await joined(s3.readStream(at("big/empty")))).length,
    ]).toEqual([0, 0]);

    const { version } = (await s3.stat(at("big/large"))) as { version: string };
    await s3.writeFile(at("big/large"), "another one");
    await expect(s3.readFile(at("big/large"), { version })).rejects.toThrow(FileChangedError);
    await s3.remove(at("big"));
  });

  it("that a stream fails to become leave nothing", async () => {
    const failing = async function* () {
      yield large;
      throw new Error("no more");
    };
    await expect(s3.writeStream(at("half"), failing())).rejects.toThrow("no more");
    await expect(s3.drafts.write({ url: at("half"), heldAt: at("half") }, failing())).rejects.toThrow("no more");
    expect([await server.keys("fruits"), await server.uploads("fruits")]).toEqual([[], []]);
  });

  it("are made by one of many, and removed only as who they are", async () => {
    const made = await Promise.all(Array.from({ length: 8 }, (_, i) => s3.createFile(at("one"), `writer ${i}`)));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await text("one")).toBe(`writer ${made.indexOf(true)}`);
    const { version } = (await s3.stat(at("one"))) as { version: string };
    expect([await s3.renewFile(at("one"), "renewed"), await s3.renewFile(at("none"), "x")]).toEqual([true, false]);
    await s3.remove(at("one"), version);
    expect(await text("one")).toBe("renewed");
    await s3.remove(at("one"), ((await s3.stat(at("one"))) as { version: string }).version);
    expect(await server.keys("fruits")).toEqual([]);
  });

  it("are listed by the thousand, in folders or in none", async () => {
    // Three pages; S3Proxy takes its time.
    const names = Array.from(
      { length: name === "versitygw" ? 2001 : 1001 },
      (_, i) => `many/${i % 3}/${String(i).padStart(5, "0")}.jpg`,
    );
    const waiting = names.values();
    await Promise.all(
      Array.from({ length: 32 }, async () => {
        for (const key of waiting) await server.put(`fruits/${key}`, "x");
      }),
    );
    proxy.reset();
    const found = await listed(s3, at("many"));
    expect(found.map(({ url }) => url)).toEqual(names.map((key) => at(key)).sort());
    expect(Object.keys(proxy.counts()).sort()).toEqual(["HeadObject", "ListObjectsV2"]);
    expect((await s3.children(at("many"))).map((child) => child.name)).toEqual(["0", "1", "2"]);
    let some = 0;
    for await (const _ of s3.list(at("many"))) if (++some === 10) break;
    await s3.remove(at("many"));
    expect(await server.keys("fruits")).toEqual([]);
  });

  it("go up, across and down again as a tree, across without passing through here", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pomona-s3-tree-"));
    try {
      mkdirSync(join(folder, "from", "Apple Red"), { recursive: true });
      for (let i = 0; i < 5; i++)
        writeFileSync(join(folder, "from", "Apple Red", `${i}.bin`), large.subarray(i, 4000 + i));
      await copyTree(join(folder, "from"), "s3://fruits/tree", { storages });
      proxy.reset();
      await copyTree("s3a://fruits/tree", "s3://others/tree", { storages });
      expect(proxy.requests.filter(({ operation }) => ["GetObject", "PutObject"].includes(operation))).toEqual([]);
      expect(proxy.counts().CopyObject).toBe(5);
      await copyTree("s3://others/tree", join(folder, "to"), { storages });
      for (let i = 0; i < 5; i++) {
        expect(readFileSync(join(folder, "to", "Apple Red", `${i}.bin`)).equals(large.subarray(i, 4000 + i))).toBe(
          true,
        );
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  describe("in a commit", () => {
    let number = 0;
    commitCases(() => {
      const destination = `s3://fruits/commit-${number++}/out`;
      const keyOf = (url: string) => url.slice("s3://".length);
      return {
        storage: s3,
        destination,
        async killWriter() {
          for (const lock of await locksIn(s3, urlOf(destination))) server.age(keyOf(lock), LEASE_MILLISECONDS + 5000);
        },
        async cutShort({ url, token }) {
          const { id } = JSON.parse(token) as { id: string };
          await server.request({ method: "DELETE", key: keyOf(url), query: { uploadId: id } });
        },
        uploads: async () => (await server.uploads("fruits")).length,
        remove() {},
      };
    });
    // What the crashes of the cases left lies in folders of their own.
    afterEach(async () => {
      for (const key of await server.uploads("fruits"))
        for await (const draft of s3.drafts.unpublished(at(""))) if (draft.url === at(key)) await draft.discard();
    });
  });
});
