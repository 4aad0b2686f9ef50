import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Notebook, openNotebook } from "./language-notebook";

let notebook: Notebook;

beforeAll(() => {
  notebook = openNotebook();
});
afterAll(() => notebook.cells.close());

/** Each cell compiles; the last one's errors are given. */
function errorsAfter(...cells: string[]): string[] {
  const last = cells.pop() ?? "";
  for (const cell of cells) notebook.code(cell);
  return notebook.errors(last).map(({ line, column, message }) => `${line}:${column} ${message}`);
}

const READ = 'let images = session.read.format("binaryFile").load("x");';

describe("a variable that takes a DataFrame of other columns", () => {
  it("needs no annotation, in one cell or in several", () => {
    notebook.code(`${READ}\nimages = images.withColumn("label", lit(1));\nimages = images.select("path", "label");`);
    notebook.code(READ);
    notebook.code('images = images.withColumn("label", elementAt(split(col("path"), "/"), -2));');
    notebook.code('images = images.repartition(4).select("path", "label", "length").withColumnRenamed("length", "n");');
    notebook.code('images = images.drop("n"); await images.select("path", "label").show(5);');
  });

  it("has the new columns' types in later cells where it is assigned once", () => {
    expect(
      errorsAfter(READ, 'images = images.withColumn("label", lit("x"));', 'images.select("labl", "path")'),
    ).toEqual([
      '1:15 There is no column "labl". Did you mean "label"? The columns are "content", "label", "length", "modificationTime", "path".',
    ]);
    notebook.code("const labels: string[] = (await images.collect()).map((row) => row.label.toUpperCase());");
    expect(errorsAfter('images = images.withColumn("n", lit(1));', "(await images.first()).n.toUpperCase()")).toEqual([
      "1:26 Property 'toUpperCase' does not exist on type 'number'.",
    ]);
  });

  it("takes what it is assigned in branches, loops and functions", () => {
    notebook.code(`let df = session.range(9);
for (const n of [1, 2]) df = df.withColumn("c" + n, lit(n));
if (await df.count() > 3) df = df.select("c1"); else df = df.groupBy("c1").count();
function more() { df = df.withColumn("d", lit(1)); }
[1].forEach((n) => { df = df.withColumn("e", lit(n)); });
df.select("anything");`);
    notebook.code('df = df.select("c1"); df = df.withColumn("c2", lit(1));');
    notebook.code(
      'let copy = df; copy = copy.agg(F.max("c1").alias("m")); var old = session.range(2); old = old.drop("id");',
    );
  });

  it("keeps where errors are, and what is no DataFrame its type", () => {
    const cell = `${READ} images = images.withColumn("label", lit(1)); images.nix();`;
    expect(errorsAfter(cell)).toEqual([
      `1:${cell.indexOf("nix") + 1} Property 'nix' does not exist on type 'DataFrame<any>'.`,
    ]);
    expect(errorsAfter("let n = session.range(2); n = 5;")).toEqual([
      "1:27 Type 'number' is not assignable to type 'DataFrame<{ id: number; }>'.",
    ]);
  });

  it("tells the line that helps where its type was declared", () => {
    const cell = 'let t: DataFrame<{ id: number }> = session.range(2); t = t.withColumn("b", lit(2));';
    expect(errorsAfter(cell)).toEqual([
      "1:54 Type 'DataFrame<{ id: number; b: number; }>' is not assignable to type 'DataFrame<{ id: number; }>'.\n" +
        "A variable for DataFrames of any columns is declared as one: let df: DataFrame = …",
    ]);
    notebook.code('let any: DataFrame = session.range(2); any = any.withColumn("b", lit(2)).select("b");');
  });

  it("runs on the variable itself", async () => {
    const plan = await notebook.run(
      'import { Session } from "pomona"; import { lit } from "pomona/functions"; const s = await Session.builder().master("local[1]").getOrCreate();\n' +
        'let r = s.range(3); const f = () => r; r = r.withColumn("b", lit(1)); [f() === r, r.plan.op, (await r.collect()).length]',
    );
    expect(plan).toEqual([true, "withColumns", 3]);
    await notebook.run("await s.stop()");
  });

  it("is one of this package's, whatever the notebook calls DataFrame", () => {
    notebook.code("class DataFrame<A, B> { a: A; b: B; } let own = new DataFrame<number, string>();");
    notebook.code("let it = session.range(3); it = it.drop('id'); it = it.limit(2);");
    notebook.code("it = it.distinct().withColumn('x', lit(1));");
    expect(errorsAfter("own = it;")).toHaveLength(1);
  });
});

describe("a DataFrame at a cell's end", () => {
  it.each([
    ["images.cache()", true],
    ["await images.unpersist();", true],
    ["const n = 1; (await images.persist())", true],
    ["images.limit(2).cache(); // kept", true],
    ["images.cache().limit(2)", undefined],
    ["images", undefined],
    ["[images.cache()]", undefined],
  ])("%s", (cell, isBrief) => {
    notebook.code("let images = session.range(3);");
    expect(notebook.code(cell).result?.isBrief).toBe(isBrief);
  });
});

describe("mistakes of those who come from Python", () => {
  it.each([
    ["fresh = 3", "Cannot find name 'fresh'. Declare it with its first value: let fresh = …"],
    ["const t = True", "Cannot find name 'True'. TypeScript writes true."],
    ["const t = None", "Cannot find name 'None'. TypeScript writes null."],
    ["print(3)", "Cannot find name 'print'. TypeScript writes console.log(…)."],
    ["unheardOf == 3", "Cannot find name 'unheardOf'."],
    ["unheardOf(3)", "Cannot find name 'unheardOf'."],
    [
      "const first = 3; first = 4",
      "Cannot assign to 'first' because it is a constant. Declare it with let, or give the result a name of its own.",
    ],
    ["session.range(2).select('idd')", 'There is no column "idd". Did you mean "id"? The columns are "id".'],
    [
      "new PCA()",
      "Expected 1 arguments, but got 0. Parameters are given in one object: new PCA({ k: …, inputCol: …, outputCol: … })",
    ],
    [
      'new PCA({ k: 3, inputCol: "a", outputCol: "b" }).setK(4)',
      `Property 'setK' does not exist on type 'PCA<"b">'. Parameters are given in one object: new PCA({ k: …, inputCol: …, outputCol: … })`,
    ],
    [
      'new PCA({ k: 3, inputCol: "a", outputCol: "b" }).getK()',
      `Property 'getK' does not exist on type 'PCA<"b">'. Read the property k.`,
    ],
    [
      "F.lit(unheardOf=3)",
      "Cannot find name 'unheardOf'. What Python gives by keyword is given in an object: { unheardOf: … }",
    ],
    ["[session.range(2).orderBy('nothing')]", 'There is no column "nothing". The columns are "id".'],
  ])("%s", (cell, message) => {
    expect(notebook.errors(cell).map((error) => error.message)).toEqual([message]);
  });

  it.each([
    ["!ls", "A shell command is a cell of its own: %%bash, and below it ls"],
    ["!pip install numpy", "Packages come from npm, in a cell of its own: %%bash, and below it npm install …"],
    ["const a1 = 1;\n%time a1", "A magic stands at the head of its cell; %%help lists them."],
    ["const f = lambda x: x + 1", "TypeScript writes a lambda as (x) => …."],
    [
      'const name = 1; f"hello {name}"',
      "TypeScript writes a text with values in it between backticks: `… ${" + "name} …`.",
    ],
    ["if (true) { 1 } elif (false) { 2 }", "TypeScript writes else if (…) { … }."],
    ["if x == 1:\n    print(x)", "TypeScript writes if (…) { … }."],
    ["def f(x, y):\n    return x + 1", "TypeScript writes function f(x, y) { … }."],
    ["for x in xs:\n    print(x)", "TypeScript writes for (const x of xs) { … }."],
    ["for i in range(10):\n    print(i)", "TypeScript writes for (let i = 0; i < 10; i++) { … }."],
    ["import numpy as np", 'TypeScript writes import * as np from "…"; with an npm package\'s name.'],
    [
      "const ys = [x for x in [1]]",
      "TypeScript writes a comprehension as xs.map((x) => …), with .filter(…) before it for its if.",
    ],
    ["true and false", "TypeScript writes and as &&."],
    ["# a comment", "A comment begins with //."],
    ["try:\n    pass", "TypeScript puts what belongs to it between braces: try { … } catch (error) { … }."],
    ["Vectors.dense([1])", `Cannot find name 'Vectors'. It is imported: import { Vectors } from "pomona/ml";`],
    [
      "F.lit(unheardOf=False)",
      "Cannot find name 'unheardOf'. What Python gives by keyword is given in an object: { unheardOf: … }",
    ],
    [
      "session.range(2).withColumnRenamed('idd', 'x')",
      'There is no column "idd". Did you mean "id"? The columns are "id".',
    ],
    ["session.range(2).id", `A DataFrame's column is written df["id"] or col("id").`],
    ['session.range(2).filter(col("id") == 1)', 'Columns have methods in place of operators: col("id").equalTo(1)'],
    [
      'session.range(2).filter((col("id") > 1) & ~(col("id") < 3))',
      'Columns have methods in place of operators: col("id").gt(1).and(col("id").lt(3).not())',
    ],
    [
      'session.range(2).withColumn("x", col("id") * 2)',
      'Columns have methods in place of operators: col("id").multiply(2)',
    ],
    [
      "session.range(2).count() + 1",
      "Operator '+' cannot be applied to types 'Promise<number>' and '1'. A promise's value comes by await: await ….",
    ],
    [
      "session.range(2).count().toFixed(2)",
      "Property 'toFixed' does not exist on type 'Promise<number>'. A promise's value comes by await: await ….",
    ],
    // No Python: TypeScript's own words.
    ["const q1 = ;", "Expression expected."],
    ["const s1 = 'not ready", "Unterminated string literal."],
    ["1 > true", "Operator '>' cannot be applied to types 'number' and 'boolean'."],
    ["!unheardOf(1)", "Cannot find name 'unheardOf'."],
  ])("one line helps: %s", (cell, message) => {
    expect(notebook.errors(cell).map((error) => error.message)).toEqual([message]);
  });

  it("a declaration in place of an assignment", () => {
    notebook.code("let twice = session.range(2);");
    expect(notebook.errors("const twice = twice.limit(1);").map(({ message }) => message)).toEqual([
      "Block-scoped variable 'twice' used before its declaration. A variable of an earlier cell gets another value without let or const: twice = …",
    ]);
    const [first, second] = notebook.errors("let two = 1;\nlet two = 2;");
    expect([first?.line, second?.line]).toEqual([1, 2]);
    expect(second?.message).toBe(
      "Cannot redeclare block-scoped variable 'two'. In one cell, give it its next value without let or const, two = …, or use another name.",
    );
  });
});
