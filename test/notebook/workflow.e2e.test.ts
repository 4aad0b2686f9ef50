import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Session } from "pomona";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseNotebook, withParameters } from "../../src/cli/notebook-parameters";
import { writeSyntheticFruits } from "../../src/image/synthetic";
import { copyTree } from "../../src/storage/copy-tree";
import { storagesFrom } from "../../src/storage/storages";
import { launchBrowser } from "../support/browser";
import { venvProgram } from "../support/jupyter";
import { KERNEL_NAME, kernelspecFolder, type RunningServer, startJupyterServer } from "../support/jupyter-server";
import { writeNotebook } from "../support/notebook-file";
import { startS3 } from "../support/s3-server";

const CLI = join(__dirname, "..", "..", "dist", "cli", "main.js");
const WORKFLOW = join(__dirname, "..", "..", "notebooks", "workflow.ipynb");

let folder: string;
beforeAll(() => {
  venvProgram("jupyter");
  folder = mkdtempSync(join(tmpdir(), "workflow-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Cell {
  readonly cell_type: string;
  readonly metadata: { readonly tags?: readonly string[] };
  readonly source: string | string[];
  readonly outputs?: readonly {
    readonly output_type: string;
    readonly name?: string;
    readonly text?: string | string[];
  }[];
}

const cellsOf = (path: string) => (JSON.parse(readFileSync(path, "utf8")) as { cells: Cell[] }).cells;
const printed = (cells: readonly Cell[]) =>
  cells
    .flatMap((cell) => cell.outputs ?? [])
    .map((output) => [output.text ?? ""].flat().join(""))
    .join("\n");

describe("the workflow notebook", () => {
  const images = () => join(folder, "images");
  const common = { n: "48", k: "10", weights: "random", master: "local[2]" };
  let executed: string;

  beforeAll(async () => {
    await writeSyntheticFruits(images(), { perClass: 4 });
    executed = join(folder, "workflow.ipynb");
    const parameters = { images: images(), output: join(folder, "out"), ...common };
    const pairs = Object.entries(parameters).flatMap(([name, value]) => ["-p", name, value]);
    execFileSync(process.execPath, [CLI, "run", WORKFLOW, ...pairs, "-o", executed, "--html"], { stdio: "pipe" });
  });

  it("runs from the first cell to the last, with the parameters given", () => {
    const cells = cellsOf(executed);
    expect(cells.some((cell) => cell.metadata.tags?.includes("injected-parameters"))).toBe(true);
    const text = printed(cells);
    expect(text).toMatch(/48 images of 16 classes/);
    expect(text).toMatch(/features: array \(nullable = true\)/);
    expect(text).toMatch(/10 components of 1280 values/);
    expect(text).toMatch(/Features: valid/);
    expect(text).toMatch(/Results: valid/);
    expect(cells.flatMap((cell) => cell.outputs ?? []).filter((o) => o.output_type === "error")).toEqual([]);
    expect(cells.flatMap((cell) => cell.outputs ?? []).filter((o) => o.name === "stderr")).toEqual([]);
  });

  it("left data that the command line finds valid", () => {
    const args = ["validate", join(folder, "out", "Results"), "--rows", "48", "--dimension", "10", "--json"];
    expect(JSON.parse(execFileSync(process.execPath, [CLI, ...args], { encoding: "utf8" }))).toMatchObject({
      ok: true,
    });
  });

  it("gives the same by nbconvert from and to S3 on three endpoints: features bit for bit, components to 1e-12", async () => {
    const s3 = await startS3({ buckets: ["fruits"] });
    const jupyterPath = kernelspecFolder();
    const servers: RunningServer[] = [];
    try {
      await copyTree(images(), "s3://fruits/images", { storages: storagesFrom(s3.settings) });
      const options = [`--KernelSpecManager.allowed_kernelspecs=${KERNEL_NAME}`];
      const starting = [1, 2, 3].map(() => startJupyterServer({ jupyterPath, options, env: s3.env }));
      for (const started of await Promise.allSettled(starting))
        if (started.status === "fulfilled") servers.push(started.value);
      expect(servers).toHaveLength(3);
      const hosts = servers.map(({ baseUrl }) => new URL(baseUrl).host);
      const master = `jupyter://${hosts.join(",")}`;
      const parameters = { ...common, images: "s3://fruits/images", output: "s3a://fruits/out", master };
      const typed = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
      const defaults = parseNotebook(readFileSync(WORKFLOW, "utf8"), WORKFLOW);
      const path = join(folder, "in-s3.ipynb");
      writeFileSync(path, JSON.stringify(withParameters(defaults, { typed, raw: [] }, venvProgram("python"))));
      const env = {
        ...{ ...process.env, ...s3.env, POMONA_ENDPOINT_TOKEN: servers[0]!.token },
        POMONA_CACHE_DIR: join(folder, "cache"),
      };
      const to = ["nbconvert", "--to", "notebook", "--execute", "--inplace", path];
      await promisify(execFile)(venvProgram("jupyter"), to, { env });

      const outputs = cellsOf(path).flatMap((cell) => cell.outputs ?? []);
      expect(outputs.filter((o) => o.output_type === "error" || o.name === "stderr")).toEqual([]);
      expect(printed(cellsOf(path))).toMatch(/Features: valid[\s\S]*Results: valid/);
      for (const secret of [s3.accessKey, s3.secretKey, servers[0]!.token])
        expect(readFileSync(path, "utf8")).not.toContain(secret);
      const shown = execFileSync(process.execPath, [CLI, "history", "show", "last", "--json"], {
        encoding: "utf8",
        env,
      });
      const { workers } = JSON.parse(shown) as { workers: { worker: string; done: number }[] };
      const busy = workers.filter(({ done }) => done > 0).map(({ worker }) => worker.split("/")[0]);
      expect([...new Set(busy)].sort()).toEqual([...hosts].sort());

      const session = await Session.builder().master("local[1]").config(s3.settings).getOrCreate();
      try {
        const read = async (output: string, name: string) => {
          const rows = await session.read.parquet(`${output}/${name}`).collect();
          const named = rows.map((row) => ({ ...row, path: String(row.path).split("/").slice(-3).join("/") }));
          return named.sort((a, b) => (a.path < b.path ? -1 : 1)) as { path: string; pca?: Float64Array }[];
        };
        const [here, there] = [join(folder, "out"), "s3a://fruits/out"];
        expect(await read(there, "Features")).toEqual(await read(here, "Features"));
        const [own, its] = [await read(here, "Results"), await read(there, "Results")];
        expect(its.map((row) => row.path)).toEqual(own.map((row) => row.path));
        expect(own).toHaveLength(48);
        const apart = own.flatMap((row, i) => [...row.pca!].map((value, k) => Math.abs(value - its[i]!.pca![k]!)));
        expect(apart).toHaveLength(480);
        expect(Math.max(...apart)).toBeLessThanOrEqual(1e-12);
      } finally {
        await session.stop();
      }
      expect(await s3.uploads("fruits")).toEqual([]);
      expect((await s3.keys("fruits")).filter((key) => key.includes("_temporary"))).toEqual([]);
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
      rmSync(jupyterPath, { recursive: true, force: true });
      await s3.stop();
    }
  });

  it("shows its plots, pictures, tables and progress in a browser without a network", async () => {
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
      await page.route("**", (route) => (route.request().url().startsWith("file:") ? route.continue() : route.abort()));
      await page.goto(`file://${executed.replace(/\.ipynb$/, ".html")}`);
      await page.waitForSelector(".js-plotly-plot .scatterlayer .point");
      expect(await page.locator(".js-plotly-plot:visible").count()).toBe(2);
      expect(await page.locator(".js-plotly-plot .scatterlayer .points path.point").count()).toBeGreaterThanOrEqual(48);
      const pictures = await page.evaluate(
        () => [...document.querySelectorAll("img")].filter((img) => img.naturalWidth > 0 && img.offsetWidth > 0).length,
      );
      expect(pictures).toBeGreaterThanOrEqual(12);
      await expect.poll(() => page.getByText("image.features", { exact: true }).isVisible()).toBe(true);
      expect(await page.getByText("48/48 rows").first().isVisible()).toBe(true);
    } finally {
      await browser.close();
    }
  });
});

describe("pomona run", () => {
  const notebook = (source: string) => {
    const path = join(folder, "bad.ipynb");
    writeNotebook(path, [{ source: 'let who = "nobody";', tags: ["parameters"] }, source]);
    return path;
  };
  const run = (...args: string[]) => spawnSync(process.execPath, [CLI, "run", ...args], { encoding: "utf8" });

  it("fails with the cell's error, and keeps the notebook up to it", () => {
    const out = join(folder, "failed.ipynb");
    const { status, stderr } = run(
      notebook('console.log("hello " + who); throw new RangeError("no such fruit");'),
      "-p",
      "who",
      'O\'Brien "x"',
      "-o",
      out,
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/NotebookFailedError/);
    expect(stderr).toMatch(/no such fruit/);
    expect(printed(cellsOf(out))).toMatch(/hello O'Brien "x"/);
  });

  it("names what is wrong with its arguments", () => {
    expect(run(join(folder, "none.ipynb")).stderr).toMatch(/PathNotFoundError/);
    expect(run(notebook("1"), "-p", "not a name", "1").stderr).toMatch(/UsageError: "not a name"/);
    const path = join(folder, "text.ipynb");
    writeFileSync(path, "no notebook");
    expect(run(path)).toMatchObject({ status: 1, stderr: expect.stringMatching(/NotebookFormatError/) });
  });
});
