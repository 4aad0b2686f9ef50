import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
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
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "pomona";
import { col, elementAt, split } from "pomona/functions";
import { mobileNetV2 } from "pomona/models";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { parseNotebook, withParameters } from "../../src/cli/notebook-parameters";
import { cellsOf, errorsOf, textOf } from "../cli/notebooks";
import { venvProgram } from "../support/jupyter";
import { KERNEL_NAME, kernelspecFolder } from "../support/jupyter-server";
import { descendants, isAlive } from "../support/processes";

const ROOT = join(__dirname, "..", "..");
const SCRIPT = join(ROOT, "scripts", "cluster.mjs");
const NOTEBOOK = join(ROOT, "notebooks", "several-machines.ipynb");
const soon = { timeout: 300_000, interval: 100 };

interface Cluster {
  readonly images: string;
  readonly bucket: string;
  readonly conf: Readonly<Record<string, string>>;
  readonly endpoints: readonly { readonly url: string; readonly tokenFile: string; readonly slots: number }[];
  readonly pids: readonly number[];
}

const jupyterPath = kernelspecFolder();
let folder: string;
let cluster: ChildProcess;
let file: string;
let [printed, noted] = ["", ""];

const run = (...args: string[]) => spawnSync(process.execPath, [SCRIPT, ...args], { encoding: "utf8" });
const read = () => JSON.parse(readFileSync(file, "utf8")) as Cluster;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-several-"));
  mkdirSync(join(folder, "tmp"));
  file = join(folder, "cluster.json");
  const args = [SCRIPT, "--port", "0", "--images", "48", "--file", file];
  cluster = spawn(process.execPath, args, { env: { ...process.env, TMPDIR: join(folder, "tmp") } });
  cluster.stdout?.on("data", (text: Buffer) => {
    printed += text.toString();
  });
  cluster.stderr?.on("data", (text: Buffer) => {
    noted += text.toString();
  });
  await vi.waitFor(() => expect(printed, noted).toContain("endpoints check"), soon);
}, 600_000);
afterAll(() => {
  cluster.kill("SIGKILL");
  for (const each of [folder, jupyterPath]) rmSync(each, { recursive: true, force: true });
});

it("has a cluster that tells how it is used, and that each endpoint can be", () => {
  const { endpoints, conf } = read();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const cell = printed.slice(printed.indexOf("%%configure -f\n") + "%%configure -f\n".length);
  expect(JSON.parse(cell.slice(0, cell.indexOf("\n}\n") + 2))).toEqual({ endpoints, conf });
  const command = printed.trim().split("\n").at(-1)?.split(" ") ?? [];
  expect(command.slice(0, 4)).toEqual(["npx", "pomona", "endpoints", "check"]);
  const settings = Object.entries(conf).flatMap(([name, value]) => ["--conf", `${name}=${value}`]);
  const args = [...command.slice(2), ...settings, "--bucket", read().images, "--json"];
  const cli = join(ROOT, "dist", "cli", "main.js");
  const told = JSON.parse(execFileSync(process.execPath, [cli, ...args], { encoding: "utf8" }));
  expect(told.endpoints).toHaveLength(3);
  for (const each of told.endpoints) expect(each).toMatchObject({ usable: true, slots: 1, files: true, bucket: true });
}, 600_000);

it("runs on one, two and three machines, and on three of which one is killed, to the bytes of local[2]", async () => {
  const notebook = parseNotebook(readFileSync(NOTEBOOK, "utf8"), NOTEBOOK);
  const typed = [`cluster=${file}`, "weights=random"];
  const path = join(folder, "several-machines.ipynb");
  writeFileSync(path, JSON.stringify(withParameters(notebook, { typed, raw: [] }, venvProgram("python"))));
  const to = ["nbconvert", "--to", "notebook", "--execute", "--inplace", path];
  execFileSync(venvProgram("jupyter"), [...to, `--ExecutePreprocessor.kernel_name=${KERNEL_NAME}`], {
    stdio: "pipe",
    env: { ...process.env, JUPYTER_PATH: jupyterPath },
  });
  const cells = cellsOf(path);
  expect(cells.flatMap(errorsOf)).toEqual([]);
  expect(cells.flatMap(({ outputs }) => outputs ?? []).filter(({ name }) => name === "stderr")).toEqual([]);
  const cellWith = (text: string) => cells.find(({ source }) => [source].flat().join("").includes(text));

  const rows = [...textOf(cellWith("console.table(runs)")).matchAll(/'([a-z, ]+)' .* 48 .*'([0-9a-f]{16})'/g)];
  console.log(textOf(cellWith("console.table(runs)")));
  expect(rows.map(([, machines]) => machines)).toEqual(["one", "two", "three", "three, one killed"]);
  const { endpoints } = read();
  const third = new URL(endpoints[2]?.url ?? "").host;
  const progress = (cellWith("process.kill(")?.outputs ?? []).map(({ data }) => JSON.stringify(data)).join("\n");
  expect(progress).toContain(`Endpoint ${third} was lost`);
  expect(progress).toMatch(new RegExp(`3 endpoints: .*; ${third} \\d tasks?, (was )?lost`));
  const workers = textOf(cellWith("session.workers().map"));
  for (const { url } of endpoints) expect(workers).toMatch(new RegExp(`'${new URL(url).host}' . 'ready'`));
  const report = cellWith("session.report()")?.outputs.at(-1)?.data;
  expect([report?.["text/plain"]].flat().join("")).toMatch(/4 jobs; 48 tasks; 192 rows;.* 1 workers? lost/);
  expect([report?.["text/html"]].flat().join("")).toContain("Tasks by worker");

  const digest = await localDigest();
  expect(rows.map((row) => row[2])).toEqual([digest, digest, digest, digest]);
  await vi.waitFor(() => expect(noted).toContain(`The endpoint http://${third} is back.`), soon);
  const again = await fetch(`http://${third}/api/kernels`, {
    headers: { authorization: `token ${tokenOf(endpoints)}` },
  });
  expect(again.status).toBe(200);
}, 600_000);

const tokenOf = (endpoints: Cluster["endpoints"]) => readFileSync(endpoints[0]?.tokenFile ?? "", "utf8").trim();

/** What the notebook computes, by two threads of this machine. */
async function localDigest(): Promise<string> {
  const { images, bucket, conf } = read();
  const session = await Session.builder()
    .master("local[2]")
    .config("pomona.progress", "off")
    .config(conf)
    .getOrCreate();
  try {
    const output = `s3://${bucket}/local`;
    await session.read
      .format("binaryFile")
      .option("recursiveFileLookup", true)
      .load(images)
      .repartition(12)
      .select(
        col("path"),
        elementAt(split(col("path"), "/"), -2).alias("label"),
        mobileNetV2({ weights: "random" })(col("content")).alias("features"),
      )
      .write.parquet(output);
    const { url, storage } = session.runtime.storages.at(output);
    const parts = [];
    for await (const part of storage.list(url)) parts.push(part.url);
    const hash = createHash("sha256");
    for (const part of parts.sort()) hash.update(await storage.readFile(part));
    return hash.digest("hex").slice(0, 16);
  } finally {
    await session.stop();
  }
}

it("ends all of it on Ctrl-C, and leaves nothing", async () => {
  const pids = descendants(cluster.pid ?? 0);
  // Three commands, their servers, and the S3 server.
  expect(pids.length).toBeGreaterThanOrEqual(7);
  const ended = new Promise((resolve) => cluster.once("exit", resolve));
  cluster.kill("SIGINT");
  expect(await ended).toBe(0);
  await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), soon);
  expect(existsSync(file)).toBe(false);
  expect(readdirSync(join(folder, "tmp"))).toEqual([]);
}, 600_000);

it("explains itself, and says what is wrong", () => {
  expect(run("--help")).toMatchObject({ status: 0, stdout: expect.stringContaining("--slots N") });
  expect(run("--slots", "0")).toMatchObject({ status: 2, stderr: expect.stringContaining("--slots takes") });
  writeFileSync(file, "{}");
  expect(run("--file", file)).toMatchObject({ status: 1, stderr: expect.stringContaining("another cluster has it") });
});
