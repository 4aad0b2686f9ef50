import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { type DataFrame, Session } from "pomona";
import { col, fromModule, udf } from "pomona/functions";
import { mobileNetV2 } from "pomona/models";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { networkByName } from "../../src/networks";
import { formulaWeights } from "../networks/formula";
import { writeLegacy } from "../networks/keras-layouts";

declare const semver: { valid(version: string): string | null };

/** What a worker is told, as it is told. */
let told: unknown[];
let session: Session;
const home = process.cwd();
const folder = realpathSync(mkdtempSync(join(tmpdir(), "pomona-task-paths-")));
const elsewhere = join(folder, "elsewhere");

beforeAll(async () => {
  mkdirSync(join(folder, "lib"));
  mkdirSync(join(folder, "images"));
  mkdirSync(join(elsewhere, "node_modules"), { recursive: true });
  symlinkSync(join(home, "node_modules"), join(folder, "node_modules"));
  writeFileSync(
    join(folder, "lib", "stats.ts"),
    `import semver from "semver";
import sharp from "sharp";
export interface Two { readonly a: number }
export const checked = (x: number): number => {
  if (x < 0) throw new RangeError("negative");
  return x + (semver.valid("1.2.3") === null ? 1 : 0) + (sharp.versions.sharp ? 0 : 1);
};
`,
  );
  copyFileSync(join(folder, "lib", "stats.ts"), join(elsewhere, "stats.ts"));
  symlinkSync(join(home, "node_modules", "semver"), join(elsewhere, "node_modules", "semver"));
  symlinkSync(join(home, "node_modules", "sharp"), join(elsewhere, "node_modules", "sharp"));
  await sharp({ create: { width: 30, height: 20, channels: 3, background: "#204060" } })
    .jpeg()
    .toFile(join(folder, "images", "a.jpg"));
  const network = networkByName("MobileNetV2");
  await writeLegacy(join(folder, "weights.h5"), network, formulaWeights(network));
  process.chdir(folder);
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
  const post = Worker.prototype.postMessage;
  vi.spyOn(Worker.prototype, "postMessage").mockImplementation(function (this: Worker, message, ...more) {
    // Bundling has a thread of its own, which is no worker.
    if (["run", "prepare", "forget"].includes((message as { type: string }).type)) told.push(message);
    post.call(this, message, ...(more as []));
  });
});
afterAll(async () => {
  await session?.stop();
  vi.restoreAllMocks();
  process.chdir(home);
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  process.chdir(folder);
});

/** Texts in what workers are told that name one of the driver's folders; addresses of data and of what is shipped may. */
function pathsTold(): string[] {
  const folders = [folder, home, homedir(), realpathSync(tmpdir()), tmpdir(), __dirname];
  const found: string[] = [];
  const look = (value: unknown, at: string): void => {
    if (typeof value === "string" && folders.some((path) => value.includes(path))) found.push(`${at}: ${value}`);
    if (typeof value !== "object" || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      const isShipped = key === "url" && "sha256" in value && "bytes" in value;
      const isData = /\.(?:input\.files\.\d+|output)$/.test(at) && ["url", "publishedAt"].includes(key);
      if (!isShipped && !isData) look(item, `${at}.${key}`);
    }
  };
  for (const message of told) look(message, (message as { type: string }).type);
  return found;
}

/** Runs a frame, and gives how many tasks the workers were told of. */
async function run(df: DataFrame): Promise<{ rows: unknown[]; tasks: number }> {
  told = [];
  const rows = await df.collect();
  for (const message of told) expect(JSON.stringify(message).length).toBeLessThan(10_000);
  return { rows, tasks: told.filter((message) => (message as { type: string }).type === "run").length };
}

it("tells workers of no folder of the driver's: weights by path, modules, packages, broadcast values", async () => {
  const images = session.read.format("binaryFile").load("images");
  const lut = [1];
  const plus = udf((n: number) => n + lut[0]! + "".length, { returns: "long", broadcast: { lut } });
  const features = mobileNetV2({ weights: join(folder, "weights.h5") });
  told = [];
  await images
    .select(
      features(col("content")).alias("features"),
      udf(fromModule("./lib/stats", "checked"), { returns: "long" })("length").alias("checked"),
      udf(fromModule(join(folder, "lib", "stats.ts"), "checked"), { returns: "long" })("length").alias("absolute"),
      udf((n: number) => semver.valid("1.0.0")!.length + n, { returns: "long", imports: { semver: "semver" } })(
        "length",
      ).alias("packaged"),
      plus("length").alias("plus"),
    )
    .write.mode("overwrite")
    .parquet("out");
  expect(told.length).toBeGreaterThan(2);
  expect(pathsTold()).toEqual([]);
  const [row] = (await session.read.parquet("out").collect()) as Record<string, number>[];
  expect(row!.absolute).toBe(row!.checked);
  expect(row!.plus).toBe(row!.checked! + 1);
  expect(row!.packaged).toBe(row!.checked! + 5);
});

it("shows the user's file and line where a module throws", async () => {
  for (const name of ["./lib/stats", join(folder, "lib", "stats.ts")]) {
    const checked = udf(fromModule(name, "checked"), { returns: "long" });
    const failed = run(session.range(1).select(checked(col("id").minus(1)).alias("x")));
    const error = (await failed.catch((e: Error) => e)) as Error & { remoteStack?: string };
    expect(`${error.message}\n${error.remoteStack ?? ""}\n${error.stack}`).toContain("lib/stats.ts:5:20");
    expect(pathsTold()).toEqual([]);
  }
});

it("names a folder only where a function's author did, for packages that are found there alone", async () => {
  const take = (root: string) => udf(fromModule("./stats", "checked", root), { returns: "long" })("id").alias("x");
  const use = (root: string) => run(session.range(2).select(take(root)));
  // The same packages as in the current folder.
  expect(await use(elsewhere)).toMatchObject({ rows: [{ x: 0 }, { x: 1 }] });
  expect(pathsTold()).toEqual([]);
  process.chdir("/");
  expect(await use(elsewhere)).toMatchObject({ rows: [{ x: 0 }, { x: 1 }] });
  const named = new Set(pathsTold().map((line) => line.replace(/^.*\.imports/, "imports")));
  expect([...named]).toEqual([`imports.0.folder: file:${elsewhere}`]);
});
