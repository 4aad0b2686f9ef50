import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkShipped, type ShippedFile, ShippedFileError, sha256Of } from "../../src/data/shipped-file";
import { type Shipping, shipping } from "../../src/engine/shipping";
import { storages, storagesFrom, urlOf } from "../../src/storage";
import { collectGarbage } from "../support/collect-garbage";
import { memoryStorage, namesIn } from "../support/memory-storage";

let folder: string;
let shipped: Shipping;
let forgotten: string[];
const files = storagesFrom();
const { at } = files;
const owner = {};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pomona-shipping-"));
  forgotten = [];
  shipped = shipping(urlOf(folder), files, ({ sha256 }) => void forgotten.push(sha256));
});
afterEach(() => rmSync(folder, { recursive: true }));

const there = () => readdirSync(folder).sort();
const nameOf = (text: string) => `shipped-${sha256Of(Buffer.from(text))}`;
const ship = (text: string, ...owners: object[]) => shipped.ship(Buffer.from(text), ...owners);

it("ships the same content once, and refuses what was changed since", async () => {
  const file = await ship("a module", owner);
  expect(await ship("a module", owner)).toEqual(file);
  const other = await ship("another", owner);
  expect(there()).toHaveLength(2);
  expect(file).toMatchObject({ bytes: 8, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(JSON.parse(JSON.stringify(file))).toEqual(file);
  const fetched = (from: ShippedFile) =>
    at(from.url)
      .storage.readFile(at(from.url).url)
      .then((bytes) => checkShipped(from, bytes));
  expect(Buffer.from(await fetched(file))).toEqual(Buffer.from("a module"));
  const path = file.url.slice("file:".length);
  expect(readFileSync(path, "utf8")).toBe("a module");
  appendFileSync(path, "!");
  await expect(fetched(file)).rejects.toThrow(ShippedFileError);
  expect(Buffer.from(await fetched(other)).toString()).toBe("another");
});

describe("what is shipped", () => {
  it("stays until the last of its owners is released", async () => {
    const [one, two] = [{}, {}];
    await Promise.all([ship("x", one), ship("x", two), ship("y", one)]);
    shipped.release(one);
    await expect.poll(there).toEqual([nameOf("x")]);
    shipped.release(one);
    shipped.release({});
    expect(forgotten).toEqual([sha256Of(Buffer.from("y"))]);
    shipped.release(two);
    await expect.poll(there).toEqual([]);
    expect(forgotten).toHaveLength(2);
  });

  it("goes with owners that are collected, and not before", async () => {
    const kept = {};
    for (let i = 0; i < 20; i++) await ship(`value ${i}`, {}, i % 10 === 0 ? kept : {});
    await collectGarbage();
    await expect.poll(there).toEqual([nameOf("value 0"), nameOf("value 10")].sort());
    expect(forgotten).toHaveLength(18);
    shipped.release(kept);
    await expect.poll(there).toEqual([]);
  });

  it("goes where an owner says so, and is there again where it is shipped anew", async () => {
    let say = () => {};
    const broadcast = { onRelease: (listener: () => void) => (say = listener) };
    const job = {};
    await ship("x", job, broadcast);
    say();
    expect(there()).toEqual([nameOf("x")]);
    shipped.release(job);
    // Before the old file is gone.
    await ship("x", broadcast);
    expect(there()).toEqual([nameOf("x")]);
    for (let i = 0; i < 50; i++) {
      say();
      await ship("x", broadcast);
      expect(there()).toEqual([nameOf("x")]);
    }
    say();
    await expect.poll(there).toEqual([]);
  });

  it("is tried anew where it could not be written", async () => {
    rmSync(folder, { recursive: true });
    writeFileSync(folder, "no folder");
    await expect(ship("x", owner)).rejects.toThrow();
    rmSync(folder);
    await ship("x", owner);
    expect(there()).toEqual([nameOf("x")]);
  });
});

it("leaves a file where it is for workers of this machine, and copies it for others", async () => {
  const path = join(folder, "model");
  writeFileSync(path, "weights");
  const content = { path, sha256: sha256Of(Buffer.from("weights")) };
  expect(await shipped.ship(content, owner)).toEqual({ url: `file:${path}`, sha256: content.sha256, bytes: 7 });
  shipped.release(owner);
  expect(there()).toEqual(["model"]);

  const memory = memoryStorage();
  const bucket = urlOf("memory://bucket/spool");
  const remote = shipping(bucket, storages({ memory, file: files.for(urlOf(path)) }), () => {});
  const url = `memory://bucket/spool/${nameOf("weights")}`;
  expect(await remote.ship(content, owner)).toEqual({ url, sha256: content.sha256, bytes: 7 });
  expect(namesIn(memory, bucket)).toEqual([nameOf("weights")]);
  remote.release(owner);
  await expect.poll(() => namesIn(memory, bucket)).toEqual([]);
});
