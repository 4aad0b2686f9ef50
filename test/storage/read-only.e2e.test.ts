import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asStorageError } from "../../src/storage/local-failures";
import { fileUrl } from "../../src/storage/location";

/** Written by another user than root, whom permissions do not concern. */
const NOBODY = 65534;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "read-only-"));
  for (const name of ["closed", "open", "open/table", "open/table/k=1"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "open", "table", "k=1", "part"), "");
  writeFileSync(join(folder, "open", "file"), "");
  for (const name of ["closed", "open/table/k=1"]) chmodSync(join(folder, name), 0o555);
  for (const name of [".", "open", "open/table"]) chmodSync(join(folder, name), 0o777);
  chmodSync(join(folder, "open", "file"), 0o444);
});
afterAll(() => {
  for (const name of ["closed", "open/table/k=1"]) chmodSync(join(folder, name), 0o755);
  rmSync(folder, { recursive: true, force: true });
});

/** What storage says to a user without rights. */
function told(path: string, call: string): string {
  const storage = pathToFileURL(resolve("dist/storage/index.js")).href;
  const program = `import { storagesFrom } from ${JSON.stringify(storage)};
const { storage, url } = storagesFrom().at(process.argv[1]); try { await storage.${call}; } catch (e) { console.log(e.name + ": " + e.message); }`;
  const isRoot = process.getuid?.() === 0;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program, path], {
    encoding: "utf8",
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  return stdout || stderr;
}

test("an error says which folder or file keeps a path from being written or removed", () => {
  const at = (path: string, call: string) => told(join(folder, path), call);
  const closed = join(folder, "closed");
  expect(at("closed/new", 'writeFile(url, "x")')).toContain(
    `StorageAccessError: Cannot write ${closed}/new: permission denied, as ${closed} may not be changed by this user (EACCES).`,
  );
  expect(at("closed/a/b/c", 'writeFile(url, "x")')).toContain(`as ${closed} may not be changed`);
  expect(at("open/table/k=1/part", "remove(url)")).toContain(
    `Cannot remove ${folder}/open/table/k=1/part: permission denied, as ${folder}/open/table/k=1 may not be changed`,
  );
  expect(at("open/file/x", 'writeFile(url, "x")')).toContain("is a file, not a folder");
});

test("a read-only file system is no matter of permissions", () => {
  const error = Object.assign(new Error("EROFS"), { code: "EROFS", path: "/mnt/x" });
  expect(asStorageError(error, fileUrl("/mnt/x"), "write")).toMatchObject({
    name: "StorageAccessError",
    message: expect.stringMatching(
      /Cannot write \/mnt\/x: its file system is read-only \(EROFS\)\.[\s\S]*another file system/,
    ),
  });
});
