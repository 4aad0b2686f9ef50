import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { expectError, QUICK, resultOf, type StartOptions, stateOf, workplace } from "./command-line";

const at = workplace();

const mounts: string[] = [];
afterEach(() => {
  for (const mount of mounts.splice(0)) execFileSync("umount", ["-l", mount]);
});

/**
 * Makes a folder with room for so much. Returns how to run a command: as it is, or, where no file system may be mounted,
 * with a limit on the size of each file, which fails alike.
 */
function smallDisk(name: string, kilobytes: number): StartOptions {
  mkdirSync(at.path(name));
  chmodSync(at.path(name), 0o777);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${kilobytes}k`, "tmpfs", at.path(name)]);
  if (mounted.status !== 0) return FILES_UP_TO_4_KB;
  mounts.push(at.path(name));
  return {};
}

const FILES_UP_TO_4_KB: StartOptions = { under: ["bash", "-c", 'ulimit -f 4; exec "$@"', "bash"] };

const featurize = (dst: string, ...more: string[]) => [
  ...["featurize", "fruits", dst, ...QUICK],
  ...["--master", "local[2]", "--partitions", "10", ...more],
];

describe("a disk that fills while data is written to it", () => {
  // From room for nothing to room for most of it, so that different steps fail.
  it.each([4, 16, 48, 96])("at %i kB: the error says so, and nothing is left", async (kilobytes) => {
    await at.fruits("fruits", { classes: 2, perClass: 10 });
    const options = smallDisk("disk", kilobytes);
    const outcome = await at.pomona(featurize("disk/out"), options);
    expectError(outcome, "DiskFullError", [
      /Cannot write .*disk\/out/,
      /no space left|larger than/,
      /use another disk/,
    ]);
    expect(readdirSync(at.path("disk"))).toEqual([]);
    expect(readdirSync(at.path("tmp"))).toEqual([]);
  });

  it("old data stays as it was", async () => {
    await at.fruits("fruits", { classes: 2, perClass: 10 });
    const options = smallDisk("disk", 240);
    resultOf(await at.pomona(featurize("disk/out", "--json")));
    const before = stateOf(at.path("disk/out"));
    for (const mode of ["overwrite", "append"]) {
      const outcome = await at.pomona(featurize("disk/out", "--mode", mode), options);
      expectError(outcome, "DiskFullError", [/Cannot write .*disk\/out/]);
      expect(stateOf(at.path("disk/out"))).toEqual(before);
    }
    expect((await at.pomona(["validate", "disk/out", "--rows", "20", "-q"])).code).toBe(0);
  });

  it("a limit on the size of files fails alike", async () => {
    await at.fruits("fruits", { classes: 2, perClass: 10 });
    const outcome = await at.pomona(featurize("out"), FILES_UP_TO_4_KB);
    expectError(outcome, "DiskFullError", [/Cannot write .*out/, /larger than is allowed here/, /ulimit -f/]);
    at.expectNothing();
  });
});

describe("a disk that fills under the temporary files", () => {
  it.each([4, 32, 128])("at %i kB: the error names place and remedy, and nothing is left", async (kilobytes) => {
    await at.fruits("fruits", { classes: 2, perClass: 10 });
    resultOf(await at.pomona(featurize("features", "--json")));
    const options = smallDisk("spool", kilobytes);
    const env = { TMPDIR: at.path("spool") };
    const outcome = await at.pomona(["pca", "features", "out", "--k", "2", "-q"], { ...options, env });
    expectError(outcome, "DiskFullError", [/Cannot write .*\/spool\/pomona-/, /TMPDIR/]);
    expect(readdirSync(at.path("spool"))).toEqual([]);
    at.expectNothing();
  });

  it("and under those of the relational engine", async () => {
    await at.fruits("fruits", { classes: 2, perClass: 10 });
    at.file("fruits/Bad/zero.jpg", "");
    resultOf(await at.pomona(featurize("features", "--json", "--on-error", "null")));
    const options = smallDisk("spool", 24);
    const env = { TMPDIR: at.path("spool") };
    // Leaving rows out is the relational engine's work, whose result goes to a temporary file.
    const args = ["pca", "features", "out", "--k", "2", "-q", "--on-error", "drop"];
    const outcome = await at.pomona(args, { ...options, env });
    expectError(outcome, "DiskFullError", [/disk is full/, /\/spool\/pomona-/, /TMPDIR/]);
    expect(readdirSync(at.path("spool"))).toEqual([]);
    at.expectNothing();
  });
});

it("a disk that fills while Sail is installed: the error says so, and nothing is left", async () => {
  const options = smallDisk("cache", 3000);
  const env = { POMONA_CACHE_DIR: at.path("cache") };
  const outcome = await at.pomona(["spark", "start", "--sail", "--port", "0", "-q"], { ...options, env });
  // A limit on files is no full disk: the tool tells of it.
  expectError(outcome, "SparkInstallError", ["-m venv", options.under ? "" : "The disk is full: make room"]);
  expect(readdirSync(at.path("cache"))).toEqual([]);
});
