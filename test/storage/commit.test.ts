import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { storages, type Url, urlOf } from "../../src/storage";
import { ConcurrentWriteError, openOutput } from "../../src/storage/commit";
import { localStorage } from "../../src/storage/local-storage";
import { LEASE_MILLISECONDS } from "../../src/storage/output-lock";
import { memoryStorage } from "../support/memory-storage";
import { commitCases, locksIn, type Store, textAt } from "./commit-cases";

const STORES: readonly { readonly name: string; readonly open: () => Store }[] = [
  { name: "local files", open: localStore },
  { name: "object storage", open: memoryStore },
];

function localStore(): Store {
  const folder = mkdtempSync(join(tmpdir(), "commit-"));
  const destination = join(folder, "out");
  return {
    storage: { ...localStorage },
    destination,
    async killWriter() {
      for (const lock of await locksIn(localStorage, urlOf(destination))) {
        const record = JSON.parse(await textAt(localStorage, lock)) as object;
        await localStorage.writeFile(lock, JSON.stringify({ ...record, processStart: "0" }));
      }
    },
    cutShort: ({ token }) => localStorage.writeFile(token as Url, "who"),
    uploads: async () => 0,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function memoryStore(): Store {
  const storage = memoryStorage();
  return {
    storage,
    destination: "memory://bucket/out",
    async killWriter() {
      storage.now += LEASE_MILLISECONDS + 1;
    },
    async cutShort({ token }) {
      (storage.uploads as Map<string, unknown>).delete(token);
    },
    uploads: async () => storage.uploads.size,
    remove() {},
  };
}

describe.each(STORES)("on $name", ({ open }) => commitCases(open));

describe("a lock", () => {
  let store: Store;
  beforeEach(() => {
    store = localStore();
  });
  afterEach(() => store.remove());

  const open = (leaseMilliseconds?: number) =>
    openOutput(storages({ file: store.storage }), store.destination, {
      mode: "errorifexists",
      fingerprint: "a",
      extension: ".parquet",
      leaseMilliseconds,
    });
  const lock = async () => (await locksIn(localStorage, urlOf(store.destination)))[0]!;

  /** As if another machine had made it, which renewed it last that long ago. */
  async function ofAnotherHost(millisecondsAgo: number) {
    const url = await lock();
    const record = JSON.parse(await textAt(localStorage, url)) as object;
    await localStorage.writeFile(url, JSON.stringify({ ...record, host: `not-${hostname()}` }));
    const then = (Date.now() - millisecondsAgo) / 1000;
    utimesSync(url.slice("file:".length), then, then);
  }

  it("of another machine is kept while it is renewed, and ends when it no longer is", async () => {
    await open(60_000);
    await ofAnotherHost(50_000);
    await expect(open()).rejects.toThrow(ConcurrentWriteError);
    await expect(open()).rejects.toThrow(/on not-.*its lock ends 60 s after its last sign/s);
    await ofAnotherHost(70_000);
    await (await open())!.abort();
    expect(await localStorage.stat(urlOf(store.destination))).toBeUndefined();
  });

  it("is renewed while its process works, and does not come back when it was removed", async () => {
    const job = (await open(40))!;
    const url = await lock();
    const then = (Date.now() - 60_000) / 1000;
    utimesSync(url.slice("file:".length), then, then);
    await expect
      .poll(async () => ((await localStorage.stat(url)) as { modifiedAt: number }).modifiedAt)
      .toBeGreaterThan(Date.now() - 30_000);
    await job.abort();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await localStorage.stat(url)).toBeUndefined();
  });

  it("in object storage is a lease, whatever machine and process it names", async () => {
    const storage = memoryStorage();
    const openThere = () =>
      openOutput(storages({ memory: storage }), "memory://bucket/out", {
        mode: "errorifexists",
        fingerprint: "a",
        extension: ".parquet",
      });
    const job = (await openThere())!;
    storage.now += LEASE_MILLISECONDS - 1;
    await expect(openThere()).rejects.toThrow(ConcurrentWriteError);
    storage.now += 2;
    const next = (await openThere())!;
    await expect(job.commit()).rejects.toThrow(ConcurrentWriteError);
    await next.abort();
    expect([...storage.objects.keys()]).toEqual([]);
  });
});
