import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const ROOT = join(__dirname, "..", "..");
let folder: string;
let python: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pomona-binder-"));
  cpSync(join(ROOT, "binder"), join(folder, "binder"), { recursive: true });
  python = execFileSync(process.execPath, [join(ROOT, "scripts", "setup", "repo2docker.mjs")], {
    encoding: "utf8",
  }).trim();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("is what repo2docker makes an image from", () => {
  const options = ["--no-build", "--debug", "--user-id", "1000", "--user-name", "jovyan"];
  const { status, stdout, stderr } = spawnSync(join(dirname(python), "repo2docker"), [...options, folder], {
    encoding: "utf8",
  });
  const said = stdout + stderr;
  expect(status, said).toBe(0);
  for (const line of ["Building conda environment for python=3.12", "RUN ./binder/postBuild", "/binder/start"])
    expect(said).toContain(line);
  expect(said).toMatch(/env update .*binder\/environment\.yml/);
  for (const script of ["postBuild", "start"]) execFileSync("bash", ["-n", join(ROOT, "binder", script)]);
});

it("starts the server with Jupyter's environment named", () => {
  const env = { PATH: `${dirname(python)}:${process.env.PATH}`, REPO_DIR: "/repo" };
  const names = ["sh", "-c", 'echo "$POMONA_VENV $JUPYTER_CONFIG_PATH"'];
  const told = execFileSync(join(ROOT, "binder", "start"), names, { env, encoding: "utf8" });
  expect(told.trim()).toBe(`${dirname(dirname(python))} /repo/kernel-ext/jupyter`);
});
