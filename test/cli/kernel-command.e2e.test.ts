import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { searchedDataDirs, userDataDir } from "../../src/cli/jupyter-paths";
import { installKernelspec, kernelspec, listKernelspecs, uninstallKernelspec } from "../../src/cli/kernelspec";

const CLI = join(__dirname, "..", "..", "dist", "cli", "main.js");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pomona-kernels-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const pomona = (...args: string[]) =>
  spawnSync(process.execPath, [CLI, ...args], {
    encoding: "utf8",
    env: { ...process.env, HOME: folder, JUPYTER_PATH: join(folder, "share", "jupyter"), JUPYTER_DATA_DIR: "" },
  });

describe("a kernel's specification", () => {
  it("has absolute paths, the logos, and nothing besides", async () => {
    const { folder: made, changed } = await installKernelspec({ dataDir: folder });
    expect(changed).toBe(true);
    expect(made).toBe(join(folder, "kernels", "pomona"));
    expect(readdirSync(made).sort()).toEqual(["kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg"]);
    const spec = JSON.parse(readFileSync(join(made, "kernel.json"), "utf8")) as ReturnType<typeof kernelspec>;
    expect(spec).toEqual(kernelspec());
    expect(spec).toMatchObject({
      display_name: "TypeScript (Pomona)",
      language: "typescript",
      interrupt_mode: "message",
      metadata: { debugger: false },
    });
    expect(spec.argv[0]).toBe(process.execPath);
    expect(spec.argv.at(-1)).toBe("{connection_file}");
    const main = spec.argv.at(-2) ?? "";
    expect(main.startsWith("/") && existsSync(main)).toBe(true);
    expect(readdirSync(join(folder, "kernels"))).toEqual(["pomona"]);
  });

  it("is written again only where something changed", async () => {
    await installKernelspec({ dataDir: folder });
    expect((await installKernelspec({ dataDir: folder })).changed).toBe(false);
    const { folder: made, changed } = await installKernelspec({ dataDir: folder, displayName: "Another" });
    expect(changed).toBe(true);
    expect(JSON.parse(readFileSync(join(made, "kernel.json"), "utf8"))).toMatchObject({ display_name: "Another" });
    rmSync(join(made, "logo-svg.svg"));
    expect((await installKernelspec({ dataDir: folder, displayName: "Another" })).changed).toBe(true);
    expect(existsSync(join(made, "logo-svg.svg"))).toBe(true);
  });

  it("survives being installed by many at once", async () => {
    const all = Array.from({ length: 8 }, () => installKernelspec({ dataDir: folder }));
    await Promise.all(all);
    expect(readdirSync(join(folder, "kernels"))).toEqual(["pomona"]);
    expect((await installKernelspec({ dataDir: folder })).changed).toBe(false);
  });

  it("of another project is left alone", async () => {
    const foreign = join(folder, "kernels", "python3");
    mkdirSync(foreign, { recursive: true });
    writeFileSync(
      join(foreign, "kernel.json"),
      JSON.stringify({ argv: ["python"], display_name: "P", language: "python" }),
    );
    await expect(installKernelspec({ dataDir: folder, name: "python3" })).rejects.toThrow(/not Pomona's.*\n.*--name/);
    await expect(uninstallKernelspec(folder, "python3")).rejects.toThrow(/left alone/);
    expect(readdirSync(foreign)).toEqual(["kernel.json"]);
  });

  it("takes the place of the one from before this kernel", async () => {
    const old = join(folder, "kernels", "pomona");
    mkdirSync(old, { recursive: true });
    writeFileSync(
      join(old, "kernel.json"),
      JSON.stringify({ argv: [process.execPath, "tslab"], env: { POMONA_KERNEL: "tslab" } }),
    );
    expect((await listKernelspecs([folder]))[0]?.problems).toEqual([
      "it is from before this version: install it again",
    ]);
    expect((await installKernelspec({ dataDir: folder })).changed).toBe(true);
  });

  it.each(["../up", "a b", "", "..", "a/b"])("cannot be called %j", async (name) => {
    await expect(installKernelspec({ dataDir: folder, name })).rejects.toThrow(/cannot name a kernel/);
  });
});

describe("Jupyter's folders", () => {
  it("of a user are Jupyter's own", () => {
    expect(userDataDir({ HOME: "/h" }, "linux")).toBe("/h/.local/share/jupyter");
    expect(userDataDir({ HOME: "/h", XDG_DATA_HOME: "/x" }, "linux")).toBe("/x/jupyter");
    expect(userDataDir({ HOME: "/h" }, "darwin")).toBe("/h/Library/Jupyter");
    expect(userDataDir({ HOME: "/h", JUPYTER_DATA_DIR: "/d" }, "linux")).toBe("/d");
  });

  it("are searched in Jupyter's order", () => {
    expect(searchedDataDirs("/venv", { HOME: "/h", JUPYTER_PATH: "/one:/two" })).toEqual([
      "/one",
      "/two",
      "/venv/share/jupyter",
      "/h/.local/share/jupyter",
      "/usr/local/share/jupyter",
      "/usr/share/jupyter",
    ]);
  });
});

describe("pomona kernel", () => {
  it("installs, lists and uninstalls", () => {
    const installed = pomona("kernel", "install", "--prefix", folder, "--name", "Mine", "--display-name", "Mine!");
    expect(installed).toMatchObject({ status: 0, stderr: "" });
    expect(installed.stdout).toBe(`Installed "Mine!" in ${join(folder, "share", "jupyter", "kernels", "mine")}\n`);
    const listed = JSON.parse(pomona("kernel", "list", "--json").stdout) as { kernels: { name: string }[] };
    expect(listed.kernels.find(({ name }) => name === "mine")).toMatchObject({
      displayName: "Mine!",
      node: process.execPath,
      problems: [],
    });
    expect(pomona("kernel", "list").stdout).toMatch(/^mine {2}"Mine!"\n {2}.*\n {2}Node: .*\n {2}complete$/m);
    expect(pomona("kernel", "uninstall", "--prefix", folder, "--name", "mine").status).toBe(0);
    expect(pomona("kernel", "uninstall", "--prefix", folder, "--name", "mine")).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^KernelNotFoundError: .*\npomona kernel list/),
    });
  });

  it("installs for the user", () => {
    expect(pomona("kernel", "install", "--user").status).toBe(0);
    const home = process.platform === "darwin" ? ["Library", "Jupyter"] : [".local", "share", "jupyter"];
    expect(existsSync(join(folder, ...home, "kernels", "pomona", "kernel.json"))).toBe(true);
  });

  it("tells what a dry run would write, and writes nothing", () => {
    const { stdout, status } = pomona("kernel", "install", "--prefix", folder, "--dry-run", "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      folder: join(folder, "share", "jupyter", "kernels", "pomona"),
      kernelspec: kernelspec(),
    });
    expect(pomona("kernel", "install", "--prefix", folder, "--dry-run").stdout).toContain('"display_name"');
    expect(existsSync(join(folder, "share"))).toBe(false);
  });

  it("explains itself, and names the nearest", () => {
    expect(pomona("kernel")).toMatchObject({ status: 2, stdout: expect.stringContaining("kernel uninstall") });
    expect(pomona("kernel", "--help").status).toBe(0);
    for (const name of ["install", "uninstall", "list"]) {
      expect(pomona("kernel", name, "--help")).toMatchObject({
        status: 0,
        stdout: expect.stringContaining(`Usage: pomona kernel ${name} [options]`),
      });
    }
    expect(pomona("kernel", "lst").stderr).toMatch(/Did you mean kernel list/);
    expect(pomona("kernel", "install", "--user", "--prefix", "x")).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/--user and --prefix name two places/),
    });
    expect(pomona("kernel", "install", "--sys-prefix", "/no/python").stderr).toMatch(/is not a Python that starts/);
  });
});

describe("pomona lab", () => {
  it("names what is wrong with its arguments", () => {
    expect(pomona("lab", "--help").stdout).toContain("Usage: pomona lab [DIR] [options] [-- options for jupyter lab]");
    expect(pomona("lab", join(folder, "none")).stderr).toMatch(/PathNotFoundError: There is no folder/);
    expect(pomona("lab", folder, "--s3-conf", join(folder, "none.json")).stderr).toMatch(
      /There is no file .*none.json/,
    );
    const off = join(__dirname, "..", "..", "jupyter-s3-conf.json");
    expect(pomona("lab", folder, "--s3-conf", off)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/not kept in S3[\s\S]*s3.persistence.enabled/),
    });
    expect(pomona("lab", "a", "b")).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/takes \[DIR\]; 2 given/),
    });
    expect(pomona("lab", folder, "--port", "x")).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/--port must/),
    });
  });
});
