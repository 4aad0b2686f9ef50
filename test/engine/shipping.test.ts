import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { checkShipped, ShippedFileError } from "../../src/data/shipped-file";
import { ship } from "../../src/engine/shipping";
import { openSpool } from "../../src/engine/spool";
import { storagesFrom } from "../../src/storage";

it("ships the same content once, and refuses what was changed since", async () => {
  const storages = storagesFrom();
  const { at } = storages;
  const spool = openSpool();
  try {
    const content = Buffer.from("a module");
    const file = await ship(content, spool, storages);
    expect(await ship(Buffer.from("a module"), spool, storages)).toEqual(file);
    const other = await ship(Buffer.from("another"), spool, storages);
    expect(readdirSync(spool.folder)).toHaveLength(2);
    expect(file).toMatchObject({ bytes: 8, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(JSON.parse(JSON.stringify(file))).toEqual(file);
    const fetched = (from: typeof file) =>
      at(from.url)
        .storage.readFile(at(from.url).url)
        .then((bytes) => checkShipped(from, bytes));
    expect(Buffer.from(await fetched(file))).toEqual(content);
    const path = file.url.slice("file:".length);
    expect(readFileSync(path, "utf8")).toBe("a module");
    appendFileSync(path, "!");
    await expect(fetched(file)).rejects.toThrow(ShippedFileError);
    expect(Buffer.from(await fetched(other)).toString()).toBe("another");
  } finally {
    spool.close();
  }
});
