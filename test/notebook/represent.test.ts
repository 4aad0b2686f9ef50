import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { inspect } from "node:util";
import { vectorFromArray } from "apache-arrow";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { structField, structType } from "../../src/data/types";
import { JUPYTER_DISPLAY } from "../../src/kernel/mime-bundle";
import { PCAModel, PipelineModel } from "../../src/ml";
import { represent } from "../../src/notebook";
import { figure } from "../../src/plot";

/** Another copy of apache-arrow than the one that src uses, with other classes. */
const otherArrow = createRequire(__filename)("apache-arrow/Arrow.node") as typeof import("apache-arrow");

const text = (html: unknown) =>
  String(html)
    .replace(/<style>[\s\S]*?<\/style>/g, "")
    .replace(/<[^>]+>/g, " ")
    .replace(/\s+/g, " ")
    .trim();

describe("plain values", () => {
  test.each([
    ["a number", 42],
    ["text", "hello\nworld"],
    ["a map", new Map([["a", { b: [1, 2] }]])],
    ["a set", new Set([1, 2])],
    ["nothing", undefined],
    ["a class", class Fruit {}],
    ["a nested object", { a: { b: { c: { d: { e: 1 } } } } }],
  ])("%s is what Node's REPL prints", async (_, value) => {
    expect(await represent(value)).toEqual({ "text/plain": inspect(value, { depth: 4 }) });
  });

  test("ten million elements are shown, and the rest is counted", async () => {
    const values = Array.from({ length: 10_000_000 }, (_, i) => i);
    const shown = await represent(values);
    expect(String(shown["text/plain"])).toMatch(/98, 99\n {2}\.\.\. 9,999,900 more items\n\]$/);
  });

  test.each([
    ["nested arrays", nested(5, 40)],
    ["an object with many keys", Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i]))],
    ["long text", "x".repeat(10_000_000)],
    ["rows of long vectors", Array.from({ length: 1000 }, () => ({ v: new Float32Array(1280) }))],
  ])("%s have a bounded text", async (_, value) => {
    const shown = await represent(value);
    expect(String(shown["text/plain"]).length).toBeLessThan(30_000);
  });

  test("a pending promise says what to do", async () => {
    const pending = new Promise(() => {});
    expect(await represent(pending)).toEqual({
      "text/plain": "Promise { <pending> }\nIts value is not there yet: put `await` before it.",
    });
    expect(await represent(Promise.resolve(5))).toEqual({ "text/plain": "Promise { 5 }" });
  });
});

describe("values that show themselves", () => {
  test("by the symbol, at once or later, with the text added", async () => {
    const html = { "text/html": "<b>a</b>" };
    const now = { [JUPYTER_DISPLAY]: () => html };
    const later = { [Symbol.for("Jupyter.display")]: async () => ({ ...html, "text/plain": "a" }) };
    expect(await represent(now)).toEqual({ ...html, "text/plain": inspect(now) });
    expect(await represent(later)).toEqual({ ...html, "text/plain": "a" });
  });

  test("by _repr_mimebundle_, _repr_html_ or toHTML, in this order", async () => {
    const toHTML = () => "<i>c</i>";
    expect(await represent({ toHTML })).toMatchObject({ "text/html": "<i>c</i>" });
    expect(await represent({ toHTML, _repr_html_: async () => "<i>b</i>" })).toMatchObject({ "text/html": "<i>b</i>" });
    const bundle = { _repr_mimebundle_: () => [{ "text/html": "<i>a</i>" }, {}], toHTML };
    expect(await represent(bundle)).toMatchObject({ "text/html": "<i>a</i>" });
  });

  test("bytes become base64, typed arrays JSON", async () => {
    const png = Buffer.from("89504e470d0a1a0a", "hex");
    const shown = {
      [JUPYTER_DISPLAY]: () => ({ "image/png": png, "application/json": { x: new Float32Array([1, 2]), n: 5n } }),
    };
    expect(await represent(shown)).toMatchObject({
      "image/png": png.toString("base64"),
      "application/json": { x: [1, 2], n: 5 },
    });
  });

  test.each([
    [
      "a method that throws",
      { [JUPYTER_DISPLAY]: () => raise("boom") },
      /^\{[\s\S]*\}\n\(shown as text, since showing it failed: Error: boom\)$/,
    ],
    ["a method that rejects", { _repr_html_: async () => raise("later") }, /failed: Error: later\)$/],
    [
      "a method that gives nonsense",
      { [JUPYTER_DISPLAY]: () => 5 },
      /failed: TypeError: \[Symbol.for\("Jupyter.display"\)\] gave no mime bundle\)$/,
    ],
    [
      "a getter that throws",
      Object.defineProperty({}, "toHTML", { get: () => raise("getter") }),
      /failed: Error: getter\)$/,
    ],
    ["a proxy that throws", new Proxy({}, { get: () => raise("trap") }), /failed: Error: trap\)$/],
    [
      "an inspection that throws",
      { [inspect.custom]: () => raise("inspect") },
      /^\[a value that can't be written out: Error: inspect\]$/,
    ],
    [
      "a thrown object that throws",
      {
        [JUPYTER_DISPLAY]: () => {
          throw new Proxy({}, { get: () => raise("again"), getPrototypeOf: () => raise("again") });
        },
      },
      /failed: an error that can't be read\)$/,
    ],
    [
      "JSON in a circle",
      { [JUPYTER_DISPLAY]: () => ({ "application/json": circle() }) },
      /failed: TypeError: Converting circular/,
    ],
  ])("%s leaves text that says so", async (_, value, expected) => {
    const shown = await represent(value);
    expect(Object.keys(shown)).toEqual(["text/plain"]);
    expect(shown["text/plain"]).toMatch(expected);
  });

  test("a proxy that answers everything is only text", async () => {
    const any: unknown = new Proxy(() => any, { get: (_, key) => (key === Symbol.toPrimitive ? () => "x" : any) });
    expect(Object.keys(await represent(any))).toEqual(["text/plain"]);
  });

  test("a mime bundle is what it says; a count by mime type is a value", async () => {
    expect(await represent({ "text/html": "<b>a</b>", "text/plain": "a" })).toEqual({
      "text/html": "<b>a</b>",
      "text/plain": "a",
    });
    const counts = { "image/png": 12, "image/jpeg": 3 };
    expect(await represent(counts)).toEqual({ "text/plain": inspect(counts) });
  });
});

describe("tables", () => {
  test("an array of objects has a header, values in short, and its size below", async () => {
    const rows = Array.from({ length: 1000 }, (_, i) => ({
      id: i,
      label: i === 0 ? "<b>&" : null,
      features: new Float32Array([0.1, 0.2, 0.3, 0.4]),
    }));
    const html = String((await represent(rows))["text/html"]);
    expect(html).toContain('class="pomona-table"');
    expect(html).toContain("&lt;b&gt;&amp;");
    expect(html.match(/<tr>/g)).toHaveLength(51);
    expect(text(html)).toMatch(/^id label features 0 &lt;b&gt;&amp; \[0.1, 0.2, 0.3, ... 4 values\] 1 null /);
    expect(text(html)).toMatch(/1,000 rows x 3 columns; shown: the first 50 rows$/);
    expect(html).toContain('<td class="pomona-number">49</td>');
  });

  test("no more than fifty columns", async () => {
    const wide = [Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`c${i}`, i]))];
    const html = String((await represent(wide))["text/html"]);
    expect(html.match(/<th[ >]/g)).toHaveLength(50);
    expect(text(html)).toContain("1 row x 80 columns; shown: the first 50 columns");
  });

  test("arrays of other things are text", async () => {
    for (const value of [[], [1, 2], [{ a: 1 }, 2], [new Date(0)], [{}]]) {
      expect(Object.keys(await represent(value))).toEqual(["text/plain"]);
    }
  });

  test("Arrow tables and batches, also of another copy of the library", async () => {
    const { tableFromArrays } = otherArrow;
    const table = tableFromArrays({ id: Int32Array.from({ length: 60 }, (_, i) => i), x: new Float64Array(60) });
    const shown = await represent(table);
    expect(text(shown["text/html"])).toMatch(/^id x 0 0 1 0 .* 60 rows x 2 columns; shown: the first 50 rows$/);
    expect(shown["text/plain"]).toBe("Arrow Table, 60 rows x 2 columns\n  id: Int32\n  x: Float64");
    expect((await represent(table.batches[0]))["text/plain"]).toMatch(/^Arrow RecordBatch, 60 rows/);
  });

  test("Arrow's lists are shown in short", async () => {
    const { Table } = createRequire(__filename)("apache-arrow") as typeof import("apache-arrow");
    const vectors = vectorFromArray([[1, 2, 3, 4, 5]]);
    expect(text((await represent(new Table({ vectors })))["text/html"])).toContain("[1, 2, 3, ... 5 values]");
  });

  test("Danfo frames and series", async () => {
    const { DataFrame, Series } = createRequire(__filename)("danfojs-node") as {
      DataFrame: new (data: unknown, options?: object) => object;
      Series: new (data: unknown) => object;
    };
    const frame = await represent(
      new DataFrame(
        [
          [1, "<a>"],
          [2, "b"],
        ],
        { columns: ["n", "s"] },
      ),
    );
    expect(text(frame["text/html"])).toBe("n s 0 1 &lt;a&gt; 1 2 b 2 rows x 2 columns");
    expect(frame["text/plain"]).toMatch(/║ 0[\s\S]*Danfo DataFrame, 2 rows x 2 columns$/);
    expect(text((await represent(new Series([3, 4])))["text/html"])).toBe("0 0 3 1 4 2 rows x 1 column");
  });
});

describe("other things that are seen", () => {
  test("a schema is Spark's tree", async () => {
    const shown = await represent(structType([structField("a<b", "string"), structField("n", "long", false)]));
    expect(shown["text/plain"]).toBe("root\n |-- a<b: string (nullable = true)\n |-- n: long (nullable = false)");
    expect(shown["text/html"]).toContain("a&lt;b: string");
  });

  test("an error has its name, message, stack and cause, escaped", async () => {
    const error = new TypeError("no <fruit>", { cause: new RangeError("inner") });
    error.stack = "TypeError: no <fruit>\n    at f (/work/a.ts:1:2)\n    at node:internal/process:3:4";
    const shown = await represent(error);
    expect(text(shown["text/html"])).toMatch(/^TypeError : no &lt;fruit&gt; at f .* Caused by: RangeError : inner/);
    expect(shown["text/html"]).toContain('<span style="opacity: 0.5">    at node:internal');
    expect(shown["text/plain"]).toContain("[cause]: RangeError: inner");
    const remote = new Error("failed\nremote stack:\n    at worker.js:1:1");
    expect(text((await represent(remote))["text/html"])?.match(/worker\.js/g)).toHaveLength(1);
  });

  const image = () => sharp({ create: { width: 3, height: 2, channels: 3, background: "#f00" } });
  test("the bytes of image files, whatever holds them", async () => {
    const png = await image().png().toBuffer();
    expect(await represent(new Uint8Array(png))).toEqual({
      "image/png": png.toString("base64"),
      "text/plain": `PNG image, ${png.length} bytes`,
    });
    const jpeg = await image().jpeg().toBuffer();
    expect((await represent(jpeg))["image/jpeg"]).toBe(jpeg.toString("base64"));
    for (const [name, bytes] of [
      ["gif", await image().gif().toBuffer()],
      ["webp", await image().webp().toBuffer()],
    ] as const) {
      expect((await represent(bytes))["text/html"]).toContain(`data:image/${name};base64,${bytes.toString("base64")}`);
    }
    const svg = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>';
    expect((await represent(Buffer.from(svg)))["image/svg+xml"]).toBe(svg);
    expect(Object.keys(await represent(Buffer.from("<p>no picture</p>")))).toEqual(["text/plain"]);
    expect(Object.keys(await represent(readFileSync(join(__dirname, "..", "..", "package.json"))))).toEqual([
      "text/plain",
    ]);
  });

  test("a pipeline of sharp is the picture that it gives, and stays usable", async () => {
    const pipeline = image().resize(6, 4).jpeg();
    const shown = await represent(pipeline);
    const { width, format } = await sharp(Buffer.from(String(shown["image/png"]), "base64")).metadata();
    expect({ width, format, text: shown["text/plain"] }).toEqual({ width: 6, format: "png", text: "6 x 4 pixels" });
    expect((await sharp(await pipeline.toBuffer()).metadata()).format).toBe("jpeg");
  });

  test("a large picture is made smaller, and says so", async () => {
    const large = sharp({ create: { width: 3200, height: 800, channels: 3, background: "#f00" } });
    expect((await represent(large))["text/plain"]).toBe("3200 x 800 pixels, shown with 1600 x 400");
  });

  test("Plotly figures: ours, and plain ones with typed arrays", async () => {
    const ours = figure({ data: [{ type: "bar", x: [1], y: [2] }], layout: {}, summary: "One bar." });
    expect(await represent(ours)).toMatchObject({
      "text/plain": "One bar.",
      "application/vnd.plotly.v1+json": { layout: {} },
    });
    const plain = await represent({
      data: [{ x: new Float64Array([1, 2]), y: [3, 4] }],
      layout: { title: { text: "T" } },
    });
    expect(plain).toMatchObject({
      "application/vnd.plotly.v1+json": { data: [{ type: "scatter", x: [1, 2], y: [3, 4] }] },
      "text/plain": 'Plotly figure "T", 1 trace (scatter)',
    });
    expect(plain["text/html"]).toContain("data:image/svg+xml;base64,");
    // An HTTP response is none.
    expect(Object.keys(await represent({ data: [], layout: {} }))).toEqual(["text/plain"]);
  });
});

function nested(depth: number, width: number): unknown {
  return depth === 0 ? 1 : Array(width).fill(nested(depth - 1, width));
}

function circle(): object {
  const object: { self?: object } = {};
  object.self = object;
  return object;
}

function raise(message: string): never {
  throw new Error(message);
}

test("shows a fitted model in a line, as Spark does", async () => {
  const components = { values: Float64Array.of(1, 0), rows: 1, dimension: 2 };
  const found = { components, explainedVariance: Float64Array.of(1) };
  const model = new PCAModel({ uid: "PCA_1", inputCol: "a", outputCol: "b" }, found);
  expect(await represent(model)).toEqual({ "text/plain": "PCAModel: uid=PCA_1, k=1" });
  expect(await represent(new PipelineModel("Pipeline_1", [model]))).toEqual({
    "text/plain": "PipelineModel: uid=Pipeline_1, stages=1",
  });
});
