import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";

const cacheModule = pathToFileURL(join(__dirname, "..", "..", "scripts", "setup", "cache.mjs")).href;
let cacheDir: string;

beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), "pomona-cache-test-"));
});
afterEach(() => rmSync(cacheDir, { recursive: true, force: true }));

/** A process that makes the entry `thing`, appending a line to `builds` each time it really builds. */
function maker(build = ""): Promise<{ code: number | null; stderr: string }> {
  const program = `
    import { appendFileSync, writeFileSync } from "node:fs";
    import { cacheEntry } from ${JSON.stringify(cacheModule)};
    await cacheEntry("thing", async (folder) => {
      appendFileSync(${JSON.stringify(join(cacheDir, "builds"))}, "built\\n");
      writeFileSync(folder + "/part", "1");
      await new Promise((resolve) => setTimeout(resolve, 300));
      ${build}
      writeFileSync(folder + "/content", "whole");
    });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    env: { ...process.env, POMONA_CACHE_DIR: cacheDir },
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stderr })));
}

const builds = () => readFileSync(join(cacheDir, "builds"), "utf8").split("\n").length - 1;

it("is built once when several processes want it at the same time, and never again", async () => {
  const ended = await Promise.all([maker(), maker(), maker()]);
  expect(ended.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(builds()).toBe(1);
  await maker();
  expect(builds()).toBe(1);
  expect(readFileSync(join(cacheDir, "thing", "content"), "utf8")).toBe("whole");
  expect(existsSync(join(cacheDir, "thing.lock"))).toBe(false);
});

it("is built anew where a build failed or was killed half-way", async () => {
  expect((await maker('throw new Error("no space");')).stderr).toContain("no space");
  expect((await maker('process.kill(process.pid, "SIGKILL");')).code).toBeNull();
  expect(existsSync(join(cacheDir, "thing.lock"))).toBe(true);
  expect((await maker()).code).toBe(0);
  expect(builds()).toBe(3);
  expect(readdirSync(join(cacheDir, "thing")).sort()).toEqual([".pomona-complete", "content", "part"]);
});

it("takes a lock over from a process that is gone", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  mkdirSync(cacheDir, { recursive: true });
  writeFileSync(join(cacheDir, "thing.lock"), String(pid));
  expect((await maker()).code).toBe(0);
  expect(builds()).toBe(1);
});
