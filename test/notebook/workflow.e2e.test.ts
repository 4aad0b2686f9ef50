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
import { type S3Server, startS3 } from "../support/s3-server";
import { sparkServer } from "../support/spark";

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

interface Row {
  readonly path: string;
  readonly label: string;
  readonly features?: Float32Array;
  readonly pca?: Float64Array;
}

/** What the notebook wrote here and there, each sorted by the ends of the paths. */
async function writtenBy(here: string, there: string, { settings }: S3Server) {
  const session = await Session.builder().master("local[1]").config(settings).getOrCreate();
  const read = async (output: string, name: string) => {
    const rows = (await session.read.parquet(`${output}/${name}`).collect()) as unknown as Row[];
    const named = rows.map((row) => ({ ...row, path: row.path.split("/").slice(-3).join("/") }));
    return named.sort((a, b) => (a.path < b.path ? -1 : 1));
  };
  const both = async (name: string) => ({ own: await read(here, name), its: await read(there, name) });
  try {
    return { features: await both("Features"), results: await both("Results") };
  } finally {
    await session.stop();
  }
}

/** How far the numbers of two columns of arrays are apart at most, and the largest of them. */
function apart(own: readonly ArrayLike<number>[], its: readonly ArrayLike<number>[]) {
  expect(its.map(({ length }) => length)).toEqual(own.map(({ length }) => length));
  const [a, b] = [own, its].map((rows) => rows.flatMap((row) => [...Array.from(row)]));
  const distances = a!.map((value, i) => Math.abs(value - b![i]!));
  return { values: distances.length, most: Math.max(...distances), largest: Math.max(...a!.map(Math.abs)) };
}

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

      const { features, results } = await writtenBy(join(folder, "out"), "s3a://fruits/out", s3);
      expect(features.its).toEqual(features.own);
      expect(results.its.map(({ path }) => path)).toEqual(results.own.map(({ path }) => path));
      const { values, most } = apart(
        results.own.map(({ pca }) => pca!),
        results.its.map(({ pca }) => pca!),
      );
      expect(values).toBe(480);
      expect(most).toBeLessThanOrEqual(1e-12);
      expect(await s3.uploads("fruits")).toEqual([]);
      expect((await s3.keys("fruits")).filter((key) => key.includes("_temporary"))).toEqual([]);
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
      rmSync(jupyterPath, { recursive: true, force: true });
      await s3.stop();
    }
  });

  it("gives the same by nbconvert on a Spark cluster of two workers, from and to S3: features to 1e-5, components to 1e-6", async () => {
    // Spark keeps how a bucket is reached for all of its sessions: this name is no other test's.
    const bucket = "workflow-on-spark";
    const [server, s3] = await Promise.all([sparkServer("cluster"), startS3({ buckets: [bucket] })]);
    try {
      // What the local run drew, all of which is taken again: Spark draws other rows.
      const sample = join(folder, "out", `Test-${common.n}`);
      await copyTree(sample, `s3://${bucket}/images`, { storages: storagesFrom(s3.settings) });
      const parameters = {
        ...common,
        images: `s3a://${bucket}/images`,
        output: `s3a://${bucket}/out`,
        master: server.url,
      };
      const typed = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
      const defaults = parseNotebook(readFileSync(WORKFLOW, "utf8"), WORKFLOW);
      const notebook = withParameters(defaults, { typed, raw: [] }, venvProgram("python"));
      // As who has a cluster writes it at the head of the notebook.
      const configure = {
        ...{ cell_type: "code", metadata: {}, id: "configure", execution_count: null, outputs: [] },
        source: `%%configure\n${JSON.stringify({ conf: s3.settings })}`,
      };
      const path = join(folder, "on-spark.ipynb");
      writeFileSync(path, JSON.stringify({ ...notebook, cells: [configure, ...notebook.cells] }));
      const env = { ...process.env, POMONA_CACHE_DIR: join(folder, "cache") };
      const to = ["nbconvert", "--to", "notebook", "--execute", "--inplace", path];
      await promisify(execFile)(venvProgram("jupyter"), to, { env });

      const shown = cellsOf(path).flatMap((cell) => cell.outputs ?? []);
      expect(shown.filter((o) => o.output_type === "error" || o.name === "stderr")).toEqual([]);
      expect(printed(cellsOf(path))).toMatch(/Features: valid[\s\S]*Results: valid/);
      for (const secret of [s3.accessKey, s3.secretKey]) expect(JSON.stringify(shown)).not.toContain(secret);

      const { features, results } = await writtenBy(join(folder, "out"), `s3a://${bucket}/out`, s3);
      for (const { own, its } of [features, results]) {
        expect(own).toHaveLength(48);
        expect(its.map(({ path, label }) => [path, label])).toEqual(own.map(({ path, label }) => [path, label]));
      }
      const vectors = apart(
        features.own.map((row) => row.features!),
        features.its.map((row) => row.features!),
      );
      const components = apart(
        results.own.map(({ pca }) => pca!),
        results.its.map(({ pca }) => pca!),
      );
      console.log({ vectors, components });
      expect([vectors.values, components.values]).toEqual([48 * 1280, 480]);
      expect(vectors.most).toBeLessThanOrEqual(1e-5);
      expect(components.most / components.largest).toBeLessThanOrEqual(1e-6);
      expect((await s3.keys(bucket)).filter((key) => key.includes("_temporary"))).toEqual([]);
    } finally {
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
