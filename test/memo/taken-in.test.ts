import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { changeIn, takenIn } from "../../src/memo/taken-in";
import type { FileStatus } from "../../src/storage";
import type { ObservedRead } from "../../src/storage/observed-reads";
import { storagesFrom } from "../../src/storage/storages";

const folder = mkdtempSync(join(tmpdir(), "pomona-taken-in-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const storages = storagesFrom();
const { url, storage } = storages.at(join(folder, "a.csv"));

function read(file: FileStatus): ObservedRead {
  return { kind: "files", what: "a.csv", how: { kind: "file", url }, files: [file] };
}

test("a file that was too new to have a version at the first look, and has one at the second, is one file", async () => {
  writeFileSync(join(folder, "a.csv"), "x\n1\n");
  const { version: _, ...early } = (await storage.stat(url)) as FileStatus;
  const late = { ...early, version: "1" };
  for (const reads of [
    [early, late],
    [late, early],
    [early, late, early, late],
  ]) {
    const all = await takenIn("m", reads.map(read), storages);
    expect(all).toMatchObject([{ files: [{ url, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }] }]);
    expect(await changeIn("m", all!, storages)).toBeUndefined();
  }
  expect(await takenIn("m", [read(early), read({ ...late, size: 9 })], storages)).toBeUndefined();
  expect(await takenIn("m", [read(late), read({ ...late, version: "2" })], storages)).toBeUndefined();
});
