import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, expect, it } from "vitest";
import { syntheticFruit } from "../../src/image/synthetic";
import { venvProgram } from "../support/jupyter";
import { type RunningKernel, startKernel } from "../support/kernel";
import { REGISTRY_TIMEOUT, withRegistry } from "../support/npm";

const ROOT = join(__dirname, "..", "..");
const MB = 1e6;

let place: string;
let folder: string;
let home: string;
let files: string[];
let kernel: RunningKernel | undefined;

/** Nothing of this process's own but the PATH, and npm's downloads. */
const environment = () => ({ PATH: process.env.PATH ?? "", HOME: home, npm_config_cache: npmCache() });

const npmCache = () => execFileSync("npm", ["config", "get", "cache"], { encoding: "utf8" }).trim();

function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawnSync(program, args, { cwd: folder, encoding: "utf8", env: { ...environment(), ...env } });
}

/** What it prints. */
function succeed(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, stderr } = withRegistry((more) => run(program, args, { ...env, ...more }));
  expect(status, `${program} ${args.join(" ")}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}

beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "pomona-packed-"));
  folder = join(place, "empty");
  home = join(place, "home");
  for (const made of [folder, home]) mkdirSync(made);
  const packing = ["pack", "--ignore-scripts", "--json", "--pack-destination", place];
  const printed = execFileSync("npm", packing, { cwd: ROOT, encoding: "utf8" });
  const [packed] = JSON.parse(printed) as { filename: string; files: { path: string }[] }[];
  files = packed!.files.map(({ path }) => path);
  succeed("npm", ["install", join(place, packed!.filename)]);
}, REGISTRY_TIMEOUT);
afterAll(async () => {
  await kernel?.stop();
  rmSync(place, { recursive: true, force: true });
});

it("packs what runs, and no sources", () => {
  expect(files).toEqual(
    expect.arrayContaining([
      "README.md",
      "LICENSE",
      "package.json",
      "dist/index.js",
      "dist/index.d.ts",
      "dist/cli/main.js",
      "dist/image/resize.wasm.js",
      "kernel-ext/dist/main.js",
      "kernel-ext/prelude.d.ts",
      "kernel-ext/kernelspec/logo-svg.svg",
    ]),
  );
  const ours = /^(dist|kernel-ext\/(dist|jupyter|kernelspec|python))\/|^(README\.md|LICENSE|package\.json)$/;
  const others = files.filter((file) => !ours.test(file));
  expect(others).toEqual(["kernel-ext/prelude.d.ts", "scripts/fit-onnxruntime.cjs"]);
  expect(files.filter((file) => /(?<!\.d)\.ts$|\.map$|tsbuildinfo|stamp/.test(file))).toEqual([]);
});

it("installs neither optional parts nor tools, in at most 600 MB", () => {
  const modules = join(folder, "node_modules");
  for (const name of ["danfojs-node", "@tensorflow/tfjs-node", "typedoc", "vitest", "assemblyscript"])
    expect(existsSync(join(modules, name)), name).toBe(false);
  const sizes = packagesBelow(modules).map((name) => ({ name, bytes: bytesBelow(join(modules, name)) }));
  const all = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const largest = sizes.sort((a, b) => b.bytes - a.bytes).slice(0, 16);
  const rows = largest.map(({ name, bytes }) => `  ${(bytes / MB).toFixed(1).padStart(6)} MB  ${name}`);
  console.log([`node_modules: ${(all / MB).toFixed(0)} MB in ${sizes.length} packages, of them`, ...rows].join("\n"));
  expect(all).toBeLessThanOrEqual(600 * MB);
});

it("featurizes images with npx", async () => {
  for (const label of ["Banana", "Kiwi"]) {
    mkdirSync(join(folder, "images", label), { recursive: true });
    for (let i = 0; i < 3; i++)
      writeFileSync(join(folder, "images", label, `${i}.jpg`), await syntheticFruit(label, i));
  }
  const featurize = (to: string) => ["pomona", "featurize", "images", to, "--weights", "random"];
  succeed("npx", featurize("features"));
  succeed("npx", ["pomona", "validate", "features", "--rows", "6", "--dimension", "1280"]);
  const other = run("npx", [...featurize("other"), "--backend", "tfjs-node"]);
  expect(other.status).not.toBe(0);
  expect(other.stderr).toContain("npm install @tensorflow/tfjs-node@4.22.0");
});

it("has a kernel that Jupyter starts, with the package in its cells", async () => {
  succeed("npx", ["pomona", "kernel", "install", "--user"]);
  const spec = join(home, ".local", "share", "jupyter", "kernels", "pomona", "kernel.json");
  const { argv } = JSON.parse(readFileSync(spec, "utf8")) as { argv: string[] };
  expect(argv.at(-2)).toBe(join(folder, "node_modules", "pomona", "kernel-ext", "dist", "main.js"));
  kernel = await startKernel({ argv: argv.slice(0, -1), cwd: folder, env: environment() });
  const rows = await kernel.execute(`import { col } from "pomona/functions";
    const twice = session.range(3).select(col("id").multiply(2).alias("twice"));
    JSON.stringify((await twice.collect()).map((row) => Number(row.twice)))`);
  expect(rows.result, JSON.stringify(rows.outputs)).toBe("'[0,2,4]'");
  const udfs = await kernel.execute(`import { decode } from "pomona/images";
    const size = udf((content: Uint8Array) => decode(content).then(({ width }) => width), { returns: "int", imports: { decode: "pomona/images#decode" } });
    const images = session.read.format("binaryFile").option("recursiveFileLookup", true).load("images");
    JSON.stringify((await images.select(size(col("content")).alias("width")).collect()).map((row) => row.width))`);
  expect(udfs.result, JSON.stringify(udfs.outputs)).toBe("'[100,100,100,100,100,100]'");
  const typed = await kernel.execute("const wrong: number = col('a');");
  expect(typed.reply.content.status).toBe("error");
  const danfo = await kernel.execute("await twice.toDanfo()");
  expect(danfo.reply.content.evalue).toBe(
    "toDanfo() needs the package danfojs-node, which is not installed.\nInstall it: npm install danfojs-node@1.2.0",
  );
});

it("executes notebooks with npx, and sets their parameters", () => {
  const source = [
    'import { col } from "pomona/functions";\n',
    'await session.range(4).filter(col("id").gt(above)).count()',
  ];
  const cell = { cell_type: "code", id: "a", metadata: {}, outputs: [], execution_count: null, source };
  const defaults = { ...cell, id: "p", metadata: { tags: ["parameters"] }, source: ["let above: number = 0;"] };
  const kernelspec = { name: "pomona", display_name: "Pomona", language: "typescript" };
  const notebook = { cells: [defaults, cell], metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 };
  writeFileSync(join(folder, "count.ipynb"), JSON.stringify(notebook));
  succeed("npx", ["pomona", "run", "count.ipynb", "-p", "above", "1", "-o", "out.ipynb"], {
    POMONA_VENV: dirname(dirname(venvProgram("python"))),
    // Before the virtual environment's own kernels, which are the checkout's.
    JUPYTER_PATH: join(home, ".local", "share", "jupyter"),
  });
  const executed = JSON.parse(readFileSync(join(folder, "out.ipynb"), "utf8")) as typeof notebook;
  expect(JSON.stringify(executed.cells[2]!.outputs)).toContain('"2"');
});

it("has declarations that hold without the optional packages", () => {
  const text = `import { Session } from "pomona";
    import { col } from "pomona/functions";
    import { mobileNetV2 } from "pomona/models";
    export const danfo = (session: Session) => session.range(1).withColumn("x", mobileNetV2()(col("id"))).toDanfo();
    export const wrong: number = col("a");`;
  writeFileSync(join(folder, "use.ts"), text);
  const program = ts.createProgram([join(folder, "use.ts")], {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    strict: true,
    noEmit: true,
    typeRoots: [join(folder, "node_modules", "@types")],
  });
  const ours = ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => !/node_modules\/(?!pomona\/)/.test(file?.fileName ?? ""));
  const texts = ours.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
  expect(texts).toEqual([`Type 'Column<"a", ColumnRef<"a">>' is not assignable to type 'number'.`]);
});

it("gives its types to a cell of stock tslab, too", () => {
  const load = createRequire(join(folder, "_.js"));
  const { exports: entries } = load("pomona/package.json") as { exports: Record<string, unknown> };
  const names = Object.keys(entries).filter((entry) => !["./package.json", "./dist/*"].includes(entry));
  const imports = names.map((entry, i) => `import * as e${i} from "pomona${entry.slice(1)}";\ne${i}.notThere;`);
  const program = `
    const { createConverter } = require(${JSON.stringify(load.resolve("tslab/dist/converter"))});
    const converter = createConverter({ isJS: false, isBrowser: false });
    process.stdout.write(JSON.stringify(converter.convert("", process.argv[1]).diagnostics));
    converter.close();`;
  const said = JSON.parse(succeed(process.execPath, ["-e", program, imports.join("\n")])) as { messageText: string }[];
  // This very error says that the import was found and is typed: else it would be "cannot find", or no error (any).
  const expected = names.map(() => expect.stringContaining("Property 'notThere' does not exist on type"));
  expect(said.map(({ messageText }) => messageText)).toEqual(expected);
});

/** The packages of a node_modules, with those of scopes; what is nested counts to the package that holds it. */
function packagesBelow(modules: string): string[] {
  return readdirSync(modules)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) =>
      name.startsWith("@") ? readdirSync(join(modules, name)).map((own) => `${name}/${own}`) : [name],
    );
}

function bytesBelow(path: string): number {
  const all = readdirSync(path, { withFileTypes: true, recursive: true });
  const sizes = all.filter((e) => e.isFile()).map((e) => statSync(join(e.parentPath ?? e.path, e.name)).size);
  return sizes.reduce((sum, size) => sum + size, 0);
}
