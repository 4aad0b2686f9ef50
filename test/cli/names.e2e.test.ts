import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runPython } from "../support/python";
import { anImage, expectError, QUICK, resultOf, workplace } from "./command-line";

const at = workplace();
const featurize = (src: string, dst: string, ...more: string[]) => ["featurize", src, dst, ...QUICK, ...more];

describe("names", () => {
  const NAMES = [
    "with space",
    `it's "quoted"`,
    "50%25 100%",
    "🍎 and 👩‍🌾",
    "яблоко 林檎 äpple",
    "star*[a-z]{b}?",
    "back\\slash #&;$x",
    "name=value",
  ];

  it("of files, classes and outputs survive the way through Parquet, to pandas too", async () => {
    const image = await anImage();
    const expected: [string, string][] = [];
    for (const name of NAMES) {
      for (const file of [`${name}.jpg`, `${name} 2.jpg`]) {
        // Different images, so that there is something for a PCA to find.
        const content = expected.length % 2 === 0 ? image : readFileSync(at.path(await oneMoreImage()));
        expected.push([`file:${at.file(join("in", name, file), content)}`, name]);
      }
    }
    const out = `out ${NAMES.join(" ")}`;
    const reduced = `pca ${NAMES.join(" ")}`;
    expect(resultOf(await at.pomona(featurize("in", out, "--json", "--partitions", "3")))).toMatchObject({ rows: 16 });
    expect(resultOf(await at.pomona(["pca", out, reduced, "--k", "1", "-q", "--json"]))).toMatchObject({ rows: 16 });
    expect((await at.pomona(["validate", reduced, "--rows", "16", "--dimension", "1", "-q"])).code).toBe(0);

    const byPath = (a: readonly string[], b: readonly string[]) => ((a[0] ?? "") < (b[0] ?? "") ? -1 : 1);
    expected.sort(byPath);
    for (const folder of [out, reduced]) {
      expect((await at.rowsOf(folder)).map((row) => [row.path, row.label]).sort(byPath)).toEqual(expected);
      const pandas = runPython(
        `import json, sys, pandas
data = pandas.read_parquet(sys.argv[1], columns=["path", "label"])
print(json.dumps(data.values.tolist()))`,
        [at.path(folder)],
      );
      expect((JSON.parse(pandas) as string[][]).sort(byPath)).toEqual(expected);
    }
  });

  it("that are not UTF-8 are refused rather than passed over", async () => {
    await at.fruits("fruits", { classes: 1, perClass: 1 });
    const latin1 = Buffer.concat([Buffer.from(at.path("fruits/caf")), Buffer.from([0xe9]), Buffer.from(".jpg")]);
    writeFileSync(latin1, await anImage());
    expectError(await at.pomona(featurize("fruits", "out")), "StorageError", [/name is not UTF-8/, /Rename/]);
    at.expectNothing();
  });

  async function oneMoreImage(): Promise<string> {
    const folder = await at.fruits("more", { classes: 2, perClass: 1 });
    const fruit = readdirSync(folder)[1] ?? "";
    return join("more", fruit, "0_100.jpg");
  }

  it("of images are taken in any case of letters, and the others are counted by their endings", async () => {
    const image = await anImage();
    for (const name of ["a.JPG", "b.jpeg", "c.Jpg", "d.PNG", "e.tif", "noise.jpg"])
      at.file(`cases/Kiwi/${name}`, image);
    for (const name of ["notes.txt", "more.TXT", "README", "table.csv"]) at.file(`cases/Kiwi/${name}`, "x");
    const passedOver = { ".txt": 2, ".csv": 1, "": 1 };
    const featurized = await at.pomona(["featurize", "cases", "cases-out", "--weights", "random", "--json"]);
    expect(resultOf(featurized)).toMatchObject({ rows: 6, failedRows: 0, passedOver });
    expect(featurized.stderr).toContain("Note: 4 files were passed over, which are no images by their names: 2 .txt,");
    const sampled = await at.pomona(["sample", "cases", "cases-sample", "-n", "9", "--json"]);
    expect(resultOf(sampled)).toMatchObject({ files: 6, passedOver });
    const some = await at.pomona(["sample", "cases", "jpg-sample", "-n", "9", "--json", "--glob", "*.jpg"]);
    expect(resultOf(some)).toMatchObject({ files: 3, passedOver: { ".jpeg": 1, ".png": 1, ".tif": 1, ...passedOver } });
  });
});
