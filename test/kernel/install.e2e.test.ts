import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { venvProgram } from "../support/jupyter";

const CLI = join(__dirname, "..", "..", "dist", "cli", "main.js");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pomona-install-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a kernel by its name, as Jupyter does, from another folder and with next to nothing on PATH. */
const START = `
import json, os, sys
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name=sys.argv[1], startup_timeout=120, cwd=sys.argv[2], env={"PATH": "/nowhere", "HOME": sys.argv[2]})
info = {}
reply = client.kernel_info(reply=True, timeout=120)["content"]
outputs = []
client.execute_interactive("process.cwd() + ' ' + process.version", timeout=120, output_hook=lambda m: outputs.append(m["content"]))
client.stop_channels()
manager.shutdown_kernel()
print(json.dumps({
    "language": reply["language_info"]["name"],
    "result": next(o["data"]["text/plain"] for o in outputs if "data" in o),
    "resources": sorted(manager.kernel_spec.resource_dir and os.listdir(manager.kernel_spec.resource_dir)),
    "interrupt": manager.kernel_spec.interrupt_mode,
}))
`;

function start(name: string, python: string, env: Readonly<Record<string, string>>) {
  const printed = execFileSync(python, ["-c", START, name, folder], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return JSON.parse(printed.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
}

const expected = () => ({
  language: "typescript",
  result: `'${folder} ${process.version}'`,
  resources: ["kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg"],
  interrupt: "message",
});

const pomona = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  spawnSync(process.execPath, [CLI, ...args], { encoding: "utf8", env: { ...process.env, ...env } });

describe("an installed kernel starts", () => {
  it("below a prefix", () => {
    expect(pomona(["kernel", "install", "--prefix", folder, "--name", "mine"]).status).toBe(0);
    const found = { JUPYTER_PATH: join(folder, "share", "jupyter") };
    expect(start("mine", venvProgram("python"), found)).toEqual(expected());
    const specs = execFileSync(venvProgram("jupyter"), ["kernelspec", "list", "--json"], {
      encoding: "utf8",
      env: { ...process.env, ...found },
    });
    expect(JSON.parse(specs)).toHaveProperty(
      "kernelspecs.mine.resource_dir",
      join(folder, "share", "jupyter", "kernels", "mine"),
    );
  });

  it("in the user's folder", () => {
    const home = { HOME: folder, JUPYTER_DATA_DIR: "", XDG_DATA_HOME: "" };
    expect(pomona(["kernel", "install", "--user", "--name", "users"], home).status).toBe(0);
    expect(start("users", venvProgram("python"), home)).toEqual(expected());
  });

  it("in another Python's environment, named by its interpreter", () => {
    const venv = join(folder, "venv");
    execFileSync(venvProgram("python"), ["-m", "venv", "--without-pip", venv]);
    const python = join(venv, "bin", "python");
    expect(pomona(["kernel", "install", "--sys-prefix", python]).status).toBe(0);
    expect(existsSync(join(venv, "share", "jupyter", "kernels", "pomona", "kernel.json"))).toBe(true);
    // That environment has no Jupyter of its own: it borrows ours.
    const packages = execFileSync(
      venvProgram("python"),
      ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
      {
        encoding: "utf8",
      },
    );
    expect(start("pomona", python, { PYTHONPATH: packages.trim(), JUPYTER_PATH: "" })).toEqual(expected());
  });
});

describe("pomona doctor", () => {
  const kernelLine = (env: Readonly<Record<string, string>> = {}) => {
    const { stdout } = pomona(["doctor", "--json"], env);
    const { findings } = JSON.parse(stdout) as { findings: { what: string; ok: boolean; found: string }[] };
    return findings.find(({ what }) => what === "kernel pomona");
  };

  it("starts the kernel and waits for its answer", () => {
    expect(kernelLine()).toMatchObject({ ok: true, found: expect.stringMatching(/^answers within [\d.]+ s; Node \//) });
  });

  it("says that it is not registered", () => {
    const nothing = { POMONA_VENV: join(folder, "none"), HOME: join(folder, "none"), JUPYTER_PATH: "" };
    expect(kernelLine(nothing)).toMatchObject({ ok: false, found: expect.stringMatching(/not registered/) });
  });

  it("says that its Node is gone, or what it ended with", () => {
    const dataDir = join(folder, "broken");
    const install = (node: string) =>
      execFileSync(process.execPath, [
        "-e",
        `require(${JSON.stringify(join(CLI, "..", "kernelspec.js"))}).installKernelspec(${JSON.stringify({ dataDir, node })})`,
      ]);
    install("/no/such/node");
    expect(kernelLine({ JUPYTER_PATH: dataDir })).toMatchObject({
      ok: false,
      found: "there is no Node at /no/such/node",
    });
    install("/bin/false");
    expect(kernelLine({ JUPYTER_PATH: dataDir })).toMatchObject({
      ok: false,
      found: expect.stringMatching(/it ends at its start/),
    });
  });
});
