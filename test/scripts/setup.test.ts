import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(__dirname, "..", "..");
const evaluate = (program: string, env: NodeJS.ProcessEnv = process.env) =>
  spawnSync(process.execPath, ["--input-type=module", "-e", program], { cwd: root, env, encoding: "utf8" });

it("explains itself", () => {
  const { stdout, status } = spawnSync(process.execPath, [join(root, "scripts", "setup.mjs"), "--help"], {
    encoding: "utf8",
  });
  expect(status).toBe(0);
  expect(stdout).toContain("npm run setup");
  expect(stdout).toContain("--force");
});

it("finds no Python and no compiler where PATH has none, and says what that means", () => {
  const bin = mkdtempSync(join(tmpdir(), "pomona-bin-"));
  try {
    symlinkSync(process.execPath, join(bin, "node"));
    const program = `
      import { findCompiler, findPython } from "./scripts/setup/requirements.mjs";
      import { tensorflowProblem } from "./scripts/setup/tensorflow.mjs";
      const tools = { python: findPython(), compiler: findCompiler() };
      console.log(JSON.stringify([tools, tensorflowProblem(tools)]));`;
    const { stdout, stderr } = evaluate(program, { PATH: bin, POMONA_CACHE_DIR: join(bin, "cache") });
    const [tools, problem] = JSON.parse(stdout || "[]") as [object, string];
    expect(tools, stderr).toEqual({});
    expect(problem).toMatch(/needs Python|linux-x64 only/);
  } finally {
    rmSync(bin, { recursive: true });
  }
});

it("finds a Python that makes virtual environments", () => {
  const program = `
    import { findPython } from "./scripts/setup/requirements.mjs";
    console.log(JSON.stringify(findPython()));`;
  const { command, version } = JSON.parse(evaluate(program).stdout) as { command: string; version: string };
  const { stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
  expect(stdout.trim()).toBe(`Python ${version}`);
});

it("names the kernel by absolute paths that exist", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "pomona-kernel-"));
  try {
    const program = `
      import { writeKernelspec } from "./scripts/setup/kernelspec.mjs";
      const write = () => writeKernelspec(process.argv[1], process.execPath);
      console.log(await write(), await write());`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program, dataDir], {
      cwd: root,
      encoding: "utf8",
    });
    expect(stdout.trim(), stderr).toBe("true false");
    const file = join(dataDir, "kernels", "pomona", "kernel.json");
    const spec = JSON.parse(readFileSync(file, "utf8")) as { argv: string[]; display_name: string; language: string };
    const paths = spec.argv.filter((part) => part.includes("/"));
    expect(paths).toHaveLength(2);
    expect(paths.every((path) => path.startsWith("/") && existsSync(path))).toBe(true);
    expect(spec).toMatchObject({ display_name: "TypeScript (Pomona)", language: "typescript" });
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});
