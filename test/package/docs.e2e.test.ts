import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = resolve(__dirname, "../..");

test("the site of the docs is made without a warning or a dead link", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["scripts/docs.mjs"], { cwd: root });
  expect(stdout).toContain("index.html");
});
