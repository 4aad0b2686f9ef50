import { inspect } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { MAGICS } from "../../kernel-ext/src/magics/catalog";
import { MagicUsageError, UnknownMagicError } from "../../kernel-ext/src/magics/errors";
import { helpBundle } from "../../kernel-ext/src/magics/help";
import { parseMagic } from "../../kernel-ext/src/magics/parse";
import { parseSettings } from "../../kernel-ext/src/session/session-settings";

describe("parseMagic", () => {
  test.each(["1 % 2", "const a = 5;\n%%sql\nSELECT 1", "// %%sql", "", "\n\n", "x\n%%time", "a\n%b"])(
    "leaves TypeScript alone: %j",
    (source) => {
      expect(parseMagic(source)).toBeUndefined();
    },
  );

  test("takes options, then the lines below", () => {
    const cell = parseMagic("\n  %%sql -o kiwis -n 5 -q\nSELECT *\nFROM df");
    expect(cell).toMatchObject({ name: "sql", body: "SELECT *\nFROM df", bodyLine: 3 });
    expect([...(cell?.options ?? [])]).toEqual([
      ["-o", "kiwis"],
      ["-n", "5"],
      ["-q", true],
    ]);
  });

  test("a body may begin on the line of the name", () => {
    expect(parseMagic('%%configure -f {"name": "a"}')).toMatchObject({ body: '{"name": "a"}', bodyLine: 1 });
    expect(parseMagic("%%sql SELECT 1 -- one\n-- two")).toMatchObject({ body: "SELECT 1 -- one\n-- two", bodyLine: 1 });
    expect(parseMagic("%sql -- a comment\nSELECT -1")).toMatchObject({ body: "-- a comment\nSELECT -1" });
    expect(parseMagic("%%bash ls -l\n")).toMatchObject({ body: "ls -l\n" });
    expect(parseMagic("%%bash\n-v")).toMatchObject({ body: "-v" });
  });

  test("TypeScript keeps its lines and columns", () => {
    const source = "\n%%time const a = 1;\nthrow a;";
    expect(parseMagic(source)).toMatchObject({ body: "\n       const a = 1;\nthrow a;", bodyLine: 1 });
    expect(parseMagic("%%time\nthrow 1")).toMatchObject({ body: "      \nthrow 1" });
  });

  test("words follow %%help, quotes go", () => {
    expect(parseMagic("%%help sql")).toMatchObject({ args: ["sql"], body: "" });
    expect(parseMagic('%%sql -o "a b"\nx')?.options.get("-o")).toBe("a b");
  });

  test.each([
    ["%%sqll\nx", "Did you mean %%sql?"],
    ["%%SQL\nx", "Did you mean %%sql?"],
    ["%%confgure", "Did you mean %%configure?"],
    ["%matplotlib inline", "There is no magic %%matplotlib."],
    ["%%", "%% is not followed by a name."],
  ])("%j names what there is", (source, message) => {
    expect(() => parseMagic(source)).toThrow(UnknownMagicError);
    expect(() => parseMagic(source)).toThrow(message);
    expect(() => parseMagic(source)).toThrow(
      source.startsWith("%matplotlib")
        ? "Plots need none: a cell that ends with a figure shows it."
        : "There are %%info, ",
    );
  });

  test.each([
    ["%%sql -x\nSELECT 1", "there is no option -x."],
    ["%%sql -o", "-o needs a value: name."],
    ["%%info -f", "there is no option -f; it has none."],
    ["%%info all", "it takes no all."],
    ["%%cleanup\n1 + 1", "nothing can stand below it."],
  ])("%j shows the usage", (source, message) => {
    expect(() => parseMagic(source)).toThrow(MagicUsageError);
    expect(() => parseMagic(source)).toThrow(message);
    expect(() => parseMagic(source)).toThrow("Usage:\n%%");
  });
});

describe("the catalog", () => {
  test("agrees with itself: each usage parses, and names each option", () => {
    for (const { name, usage, options } of MAGICS) {
      const [line = "", ...below] = usage.split("\n");
      for (const option of options) expect(line).toContain([option.name, option.value].filter(Boolean).join(" "));
      const given = line.replace(/[[\]]/g, "").replace(/ magic$/, " sql");
      expect(parseMagic([given, ...below].join("\n"))).toMatchObject({ name });
      expect(helpBundle(name)["text/plain"]).toContain(usage);
      expect(helpBundle(undefined)["text/plain"]).toContain(line);
    }
    expect(() => helpBundle("nope")).toThrow(UnknownMagicError);
  });
});

describe("the settings of %%configure", () => {
  test("are Livy's", () => {
    const settings = { name: "fruits", master: "local[2]", conf: { "spark.task.maxFailures": 2 } };
    expect(parseSettings(JSON.stringify(settings))).toEqual(settings);
    expect(parseSettings("{}")).toEqual({});
  });

  test("Livy's own keys stand for Spark's settings, and conf has the last word", () => {
    const cell =
      '{"executorMemory":"4G","numExecutors":2,"jars":["a.jar","b.jar"],"conf":{"spark.executor.memory":"8G"}}';
    expect(parseSettings(cell)).toEqual({
      conf: { "spark.executor.memory": "8G", "spark.executor.instances": 2, "spark.jars": "a.jar,b.jar" },
    });
    expect(() => parseSettings('{"executorMemory": null}')).toThrow("spark.executor.memory must be text");
  });

  test.each([
    ['{"nam": "x"}', 'There is no key "nam" in the settings.\nDid you mean "name"?'],
    ['{"spark.task.maxFailures": 2}', 'go into "conf"'],
    ['{"name": 5}', '"name" must be text, not 5.'],
    ['{"endpoints": {"url": "http://a:1"}}', '"endpoints" must be a list of objects'],
    ['{"conf": []}', '"conf" must be an object'],
    ['{"conf": {"spark.task.maxFailures": null}}', "spark.task.maxFailures must be text, a number or true or false"],
    ["{name: 1}", "The settings are no JSON"],
    ["[]", "must be a JSON object"],
  ])("%s is refused", (text, message) => {
    expect(() => parseSettings(text)).toThrow(message);
    expect(() => parseSettings(text)).toThrow(expect.objectContaining({ name: "ConfigureError" }));
  });

  test.each([
    '{"conf": "hush"}',
    '{"endpoints": "hush"}',
    '{"endpoints": ["hush"]}',
    '{"conf": {"spark.hadoop.fs.s3a.secret.key": ["hush"]}}',
    '{"conf": {"spark.hadoop.fs.s3a.secret.key": hush}}',
    '{"conf": {"spark.hadoop.fs.s3a.secret.key": "hush" "more": 1}}',
    "hush",
  ])("what refuses %s does not repeat what may be a secret", (text) => {
    const refused = vi.fn(() => parseSettings(text));
    expect(refused).toThrow(/no JSON|must be/);
    expect(inspect(refused.mock.results[0]!.value, { depth: 9 }).replace(/^ +at .*$/gm, "")).not.toContain("hush");
  });
});
