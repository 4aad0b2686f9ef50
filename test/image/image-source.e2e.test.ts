import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Session } from "pomona";
import { afterAll, beforeAll, expect, it } from "vitest";
import { golden } from "../support/golden";

interface Spark {
  readonly schema: string;
  readonly kept: number;
  readonly rows: Readonly<
    Record<
      string,
      { readonly label: string; readonly origin: string; readonly form: number[]; readonly digest: string }
    >
  >;
}

/** Where Java's ImageIO, which Spark asks, sees something else than Pillow: written in docs/differences.md. */
const DIFFERENT = [
  "cmyk.jpg",
  "grey-16-bits.png",
  "grey.bmp",
  "lossy.webp",
  "orientation-6.tif",
  "rgb-16-bits.png",
  "rgba-16-bits.png",
  "small-frame.gif",
];

const spark = golden<Spark>("image_source");
const { files } = golden<{ files: Record<string, { file: string }> }>("image_decode");
let folder: string;
let session: Session;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pomona-source-"));
  mkdirSync(join(folder, "label=a b"));
  for (const name of Object.keys(spark.rows)) {
    writeFileSync(join(folder, "label=a b", name), Buffer.from(files[name]!.file, "base64"));
  }
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
});
afterAll(async () => {
  await session.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("reads images as Spark's image source does, and tells invalid ones", async () => {
  const images = session.read.format("image").load(folder);
  const rows = (await images.collect()) as unknown as { image: Record<string, unknown>; label: string }[];
  const found = Object.fromEntries(
    rows.map(({ image, label }) => [
      decodeURIComponent(basename(String(image.origin))),
      {
        label,
        origin: String(image.origin).replace(folder, "FOLDER"),
        form: [image.height, image.width, image.nChannels, image.mode],
        digest: createHash("sha256")
          .update(image.data as Uint8Array)
          .digest("hex")
          .slice(0, 16),
      },
    ]),
  );
  expect(Object.keys(found).sort()).toEqual(Object.keys(spark.rows).sort());
  const different = Object.keys(found).filter(
    (name) => JSON.stringify(found[name]) !== JSON.stringify(spark.rows[name]),
  );
  expect(different.sort()).toEqual(DIFFERENT);
  const kept = await session.read.format("image").option("dropInvalid", true).load(folder).count();
  expect(kept).toBe(rows.filter(({ image }) => image.height !== -1).length);
});
