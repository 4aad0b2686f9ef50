import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { IllegalArgumentError } from "../../src/errors";
import { imageGrid, JUPYTER_DISPLAY, scatter2d, screePlot } from "../../src/plot";
import { classStyles } from "../../src/plot/palette";
import { staticSvg } from "../../src/plot/static-svg";

describe("screePlot", () => {
  it("marks the first component at which the shares reach the threshold", () => {
    const plot = screePlot([0.5, 0.25, 0.15, 0.1], { threshold: 0.9 });
    const [each, addedUp, line, mark] = plot.data;
    expect(each).toMatchObject({ type: "bar", x: [1, 2, 3, 4], y: [0.5, 0.25, 0.15, 0.1] });
    expect(addedUp).toMatchObject({ y: [0.5, 0.75, 0.9, 1] });
    expect(line).toMatchObject({ y: [0.9, 0.9] });
    expect(mark).toMatchObject({ name: "k = 3", x: [3], y: [0.9] });
    expect(plot.summary).toBe("Explained variance: 3 of 4 components hold 90 %.");
  });

  it("says so where the components do not reach it", () => {
    const plot = screePlot({ explainedVariance: Float64Array.of(0.5, 0.2) }, { threshold: 0.95 });
    expect(plot.data).toHaveLength(3);
    expect(plot.summary).toBe("Explained variance: 2 components hold 70 %, less than 95 %.");
  });

  it("refuses what is no share of variance", () => {
    expect(() => screePlot([])).toThrow(/no component/);
    expect(() => screePlot([12.5, 3])).toThrow(/component 1 is 12.5, not between 0 and 1/);
    expect(() => screePlot([0.5], { threshold: 90 })).toThrow(IllegalArgumentError);
  });
});

describe("scatter2d", () => {
  it("draws one trace for each class, in order, with the rows of the class", () => {
    const plot = scatter2d({
      x: [1, 2, 3, 4],
      y: [5, 6, 7, 8],
      label: ["b", "a", "b", null],
      text: ["i", "j", "k", "l"],
    });
    expect(plot.data).toMatchObject([
      { name: "a", x: [2], y: [6], text: ["j"] },
      { name: "b", x: [1, 3], y: [5, 7], text: ["i", "k"] },
      { name: "(null)", x: [4], y: [8] },
    ]);
    expect(plot.summary).toBe("Principal components: 4 points in 3 classes.");
  });

  it("counts points that have no place", () => {
    const plot = scatter2d({ x: [1, Number.NaN, 3], y: [1, 2, Number.POSITIVE_INFINITY] }, { title: "T" });
    expect(plot.summary).toBe("T: 1 points (2 not finite, not drawn).");
    expect(plot.layout.title).toEqual({ text: "T (2 not finite, not drawn)" });
  });

  it("refuses columns of different lengths", () => {
    expect(() => scatter2d({ x: [1, 2], y: [1] })).toThrow(/y has 1 values, x has 2/);
  });

  it("tells 142 classes apart by colour and symbol", () => {
    const styles = classStyles(142);
    expect(new Set(styles.map((style) => `${style.colour} ${style.symbol}`)).size).toBe(142);
    for (const { colour } of styles) expect(colour).toMatch(/^#[0-9a-f]{6}$/);
    // Within one symbol, colours stay apart to the eye: at least 20 of 442 in RGB.
    for (const a of styles) {
      for (const b of styles)
        if (a !== b && a.symbol === b.symbol) expect(distance(a.colour, b.colour)).toBeGreaterThan(20);
    }
  });

  it("draws a still picture of the same points", async () => {
    const x = Array.from({ length: 200 }, (_, i) => Math.cos(i) * 1e-3);
    const label = x.map((_, i) => `<${i % 142}> & "co"`);
    const plot = scatter2d({ x, y: x, label });
    const svg = staticSvg(plot);
    expect(svg.match(/<circle /g)).toHaveLength(200);
    const { width, height, format } = await sharp(Buffer.from(svg)).metadata();
    expect({ width, height, format }).toEqual({ width: 860, height: 560, format: "svg" });
  });
});

describe("imageGrid", () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "pomona-grid-"));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it("shows thumbnails of files and bytes with their captions", async () => {
    const red = await sharp({ create: { width: 400, height: 200, channels: 3, background: "#c00000" } })
      .png()
      .toBuffer();
    const path = join(dir, "50%25 <b>.png");
    writeFileSync(path, red);
    const { html } = await imageGrid([path, red], { labels: ["a & b", null], size: 60 });
    const uris = [...html.matchAll(/src="data:image\/jpeg;base64,([^"]+)"/g)].map((match) => match[1] as string);
    expect(uris).toHaveLength(2);
    for (const uri of uris) {
      const { data, info } = await sharp(Buffer.from(uri, "base64")).raw().toBuffer({ resolveWithObject: true });
      expect([info.width, info.height]).toEqual([60, 30]);
      expect(Math.abs((data[0] as number) - 0xc0)).toBeLessThan(4);
    }
    expect(html).toContain("<small>a &amp; b</small>");
    expect(html).toContain("<small>(null)</small>");
    expect((await imageGrid([path])).html).toContain("50%25 &lt;b&gt;.png");
  });

  it("keeps the place of an image that cannot be read, and says how many it left out", async () => {
    const { html, summary } = await imageGrid([Buffer.from("no image"), join(dir, "gone.jpg"), "x", "y"], {
      limit: 2,
      columns: 1,
    });
    expect(html.match(/<tr>/g)).toHaveLength(2);
    expect(html.match(/cannot be shown: /g)).toHaveLength(2);
    expect(html).toContain("no such file");
    expect(summary).toBe("2 of 4 images.");
    await expect(imageGrid(["x"], { labels: [] })).rejects.toThrow(/0 labels for 1 images/);
  });
});

describe("a figure's mime bundle", () => {
  it("has Plotly's JSON, HTML and a sentence, all as data", () => {
    const bundle = screePlot([0.6, 0.4])[JUPYTER_DISPLAY]();
    expect(Object.keys(bundle)).toEqual(["application/vnd.plotly.v1+json", "text/html", "text/plain"]);
    expect(JSON.parse(JSON.stringify(bundle))).toEqual(bundle);
  });
});

function distance(a: string, b: string): number {
  const channels = (colour: string) => [1, 3, 5].map((i) => Number.parseInt(colour.slice(i, i + 2), 16));
  const [p, q] = [channels(a), channels(b)];
  return Math.hypot(...p.map((value, i) => value - (q[i] as number)));
}
