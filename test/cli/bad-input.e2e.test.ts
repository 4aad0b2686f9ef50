import { chmodSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { anImage, expectError, QUICK, resultOf, workplace } from "./command-line";
import { hugePng, jpegClaiming } from "./huge-image";

const at = workplace();
const featurize = (src: string, dst: string, ...more: string[]) => ["featurize", src, dst, ...QUICK, ...more];

describe("no images", () => {
  it("an empty folder, a pattern that nothing matches, a source that is not there", async () => {
    mkdirSync(at.path("empty"));
    expectError(await at.pomona(featurize("empty", "out")), "NoImagesError", [/no image in empty/, /--glob/]);
    await at.fruits("fruits", { classes: 1, perClass: 1 });
    const unmatched = await at.pomona(featurize("fruits", "out", "--glob", "*.tif"));
    expectError(unmatched, "NoImagesError", [/no image in fruits: no file name matches \*\.tif/, /Check the path/]);
    const missing = await at.pomona(featurize("friuts", "out"));
    expectError(missing, "PathNotFoundError", [at.path("friuts"), /no such file or folder/, /Check the path/]);
    at.expectNothing();

    expectError(await at.pomona(["sample", "empty", "out"]), "NoImagesError", [/no image in empty/, /--glob/]);
    expectError(await at.pomona(["sample", "fruits", "out", "--glob", "*.tif"]), "NoImagesError", [/matches \*\.tif/]);
    expectError(await at.pomona(["sample", "friuts", "out"]), "PathNotFoundError", [at.path("friuts")]);
    at.expectNothing();
  });
});

describe("files that are no images", () => {
  const broken = async () => {
    const image = await anImage();
    return {
      "zero.jpg": [new Uint8Array(), /the file is empty/],
      "truncated.jpg": [image.subarray(0, image.length >> 1), /premature end|truncated|cut short|ends early/i],
      "text.jpg": ["Not an image at all.\n", /not an image in a format that is read/],
    } as const;
  };

  it("each fails the job, named with its path and the reason", async () => {
    for (const [name, [content, reason]] of Object.entries(await broken())) {
      const src = await at.fruits(`with ${name}`, { classes: 1, perClass: 3 });
      const path = at.file(`with ${name}/Bad/${name}`, content);
      const outcome = await at.pomona(featurize(src, "out"));
      expectError(outcome, "CorruptImageError", [`failed on file:${path}: `, reason, /--on-error null/, /attempt 1$/m]);
      at.expectNothing();
    }
  });

  it("with --on-error null they are rows without features, with the reason and counted", async () => {
    const src = await at.fruits("fruits", { classes: 1, perClass: 3 });
    const files = await broken();
    for (const [name, [content]] of Object.entries(files)) at.file(`fruits/Bad/${name}`, content);
    const result = resultOf(await at.pomona(featurize(src, "out", "--on-error", "null", "--json")));
    expect(result).toMatchObject({ rows: 6, failedRows: 3 });

    const rows = await at.rowsOf("out");
    expect(rows).toHaveLength(6);
    for (const row of rows) {
      const known = files[basename(row.path) as keyof typeof files];
      if (known) {
        expect(row).toMatchObject({ label: "Bad", features: null });
        expect(row.error).toMatch(/^CorruptImageError: /);
        expect(row.error).toMatch(known[1]);
      } else {
        expect(row.features).toHaveLength(1280);
        expect(row.error).toBeNull();
      }
    }

    const told = await at.pomona(featurize(src, "out2", "--on-error", "null"));
    expect(told.stdout).toMatch(/^6 images, 3 of them null for an error, in|^6 images, 3 of them null for an error/);
    const invalid = await at.pomona(["validate", "out", "-q"]);
    expect(invalid.stdout).toMatch(/problem: features is null in 3 rows, such as .*text\.jpg/);
    expect(invalid.code).toBe(1);
    expectError(await at.pomona(["pca", "out", "pca", "--k", "2", "-q"]), "NullVectorsError", [
      /features is null in 3 of 6 rows/,
      /--on-error drop/,
    ]);
    at.expectNothing("pca");
    const reduced = resultOf(await at.pomona(["pca", "out", "pca", "--k", "2", "-q", "--json", "--on-error", "drop"]));
    expect(reduced).toMatchObject({ rows: 3, droppedRows: 3 });
  });

  it("a folder of nothing but broken files gives rows of nothing but reasons", async () => {
    for (const [name, [content]] of Object.entries(await broken())) at.file(`bad/${name}`, content);
    const result = resultOf(await at.pomona(featurize("bad", "out", "--on-error", "null", "--json")));
    expect(result).toMatchObject({ rows: 3, failedRows: 3 });
    expect((await at.rowsOf("out")).map((row) => row.features)).toEqual([null, null, null]);
  });
});

describe("an image of 20,000 x 20,000 pixels", () => {
  it("is refused from its header, in the memory that small images take", async () => {
    const small = await at.fruits("small", { classes: 1, perClass: 2 });
    await at.fruits("fruits", { classes: 1, perClass: 1 });
    const png = at.file("fruits/Huge/huge.png", hugePng(20_000, 20_000));
    const jpeg = at.file("fruits/Huge/huge.jpg", jpegClaiming(await anImage(), 20_000, 20_000));

    const refused = await at.pomona(featurize("fruits/Huge", "out", "--glob", "*.png"));
    expectError(refused, "ImageTooLargeError", [png, /20000 x 20000 pixels/, /limit of 178,956,970/, /smaller first/]);
    at.expectNothing();

    // One worker: how many of several load the network depends on who is quicker.
    const usual = await peakMegabytes(featurize(small, "usual", "--master", "local[1]"));
    const peak = await peakMegabytes(featurize("fruits", "out", "--master", "local[1]", "--on-error", "null"));
    // As RGB the image would be 1,200 MB, as the file has it 50 MB.
    expect(peak - usual).toBeLessThan(150);
    const rows = await at.rowsOf("out");
    expect(rows.map((row) => [row.path.slice("file:".length), row.error?.split(":")[0]])).toEqual([
      [expect.stringContaining("0_100.jpg"), undefined],
      [jpeg, "ImageTooLargeError"],
      [png, "ImageTooLargeError"],
    ]);
  });

  async function peakMegabytes(args: string[]): Promise<number> {
    const preload = at.file(
      "peak.js",
      `const { isMainThread } = require("node:worker_threads");
      if (isMainThread) process.on("exit", () =>
        require("node:fs").writeFileSync(process.env.PEAK_FILE, String(process.resourceUsage().maxRSS)));`,
    );
    const outcome = await at.pomona(args, { preload, env: { PEAK_FILE: at.path("peak.txt") } });
    expect(outcome.code).toBe(0);
    return Number(readFileSync(at.path("peak.txt"), "utf8")) / 1024;
  }
});

describe("without permission", () => {
  it("a folder fails before any work; nothing in it is passed over", async () => {
    await at.fruits("fruits", { classes: 2, perClass: 2 });
    const closed = at.path("fruits", readdirSync(at.path("fruits"))[1] ?? "");
    chmodSync(closed, 0);
    const outcome = await at.pomona(featurize("fruits", "out"), { unprivileged: true });
    chmodSync(closed, 0o755);
    expectError(outcome, "StorageAccessError", [`Cannot list ${closed}: permission denied`, /Change the permissions/]);
    at.expectNothing();
  });

  it("a file fails the job with its path, or is a row with the reason", async () => {
    await at.fruits("fruits", { classes: 1, perClass: 3 });
    const closed = at.file("fruits/Closed/closed.jpg", await anImage());
    chmodSync(closed, 0);
    const failed = await at.pomona(featurize("fruits", "out"), { unprivileged: true });
    expectError(failed, "StorageAccessError", [
      `Cannot read ${closed}: permission denied`,
      `failed on file:${closed}: `,
    ]);
    at.expectNothing();

    const kept = await at.pomona(featurize("fruits", "out", "--on-error", "null", "--json"), { unprivileged: true });
    expect(resultOf(kept)).toMatchObject({ rows: 4, failedRows: 1 });
    const bad = (await at.rowsOf("out")).filter((row) => row.error !== null);
    expect(bad).toEqual([
      expect.objectContaining({
        path: `file:${closed}`,
        features: null,
        error: expect.stringMatching(/^StorageAccessError: /),
      }),
    ]);
  });

  it("an output, or a folder for temporary files, that may not be written fails by name", async () => {
    await at.fruits("fruits", { classes: 1, perClass: 1 });
    mkdirSync(at.path("closed"), { mode: 0o555 });
    const output = await at.pomona(featurize("fruits", "closed/out"), { unprivileged: true });
    expectError(output, "StorageAccessError", [`Cannot write ${at.path("closed/out")}`, /permission denied/]);
    const spool = await at.pomona(featurize("fruits", "out"), {
      unprivileged: true,
      env: { TMPDIR: at.path("closed") },
    });
    expectError(spool, "StorageAccessError", [`Cannot write ${at.path("closed")}/pomona-`, /permission denied/]);
    expect(readdirSync(at.path("closed"))).toEqual([]);
    at.expectNothing();
  });

  it("what another user's killed process left in the temporary folder does no harm", async () => {
    await at.fruits("fruits", { classes: 1, perClass: 1 });
    chmodSync(at.path("tmp"), 0o1777);
    // No process has this number: it is above the system's greatest.
    at.file("tmp/pomona-99999999-0a1b2c3d/0000-listing.parquet", "theirs");
    const outcome = await at.pomona(featurize("fruits", "out", "--json"), { unprivileged: true });
    expect(resultOf(outcome)).toMatchObject({ rows: 1 });
  });
});
