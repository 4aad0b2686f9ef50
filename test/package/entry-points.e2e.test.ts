import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "@tslab/typescript-for-tslab";
import { describe, expect, it } from "vitest";

const root = join(__dirname, "..", "..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  exports: Record<string, string | { types: string; default: string }>;
};
// "./dist/*" is for compilers alone, which name the types of an installed package's values by their files.
const entries = Object.fromEntries(Object.entries(manifest.exports).filter(([entry]) => entry !== "./dist/*"));
const names = Object.keys(entries)
  .filter((entry) => entry !== "./package.json")
  .map((entry) => entry.replace(".", "pomona"));

interface Diagnostic {
  readonly code: number;
  readonly messageText: string;
}

/** What tslab's own compiler says of a cell in a notebook of `folder`. */
function diagnose(source: string, folder = join(root, "notebooks")): Diagnostic[] {
  const program = `
    const { createConverter } = require(${JSON.stringify(require.resolve("tslab/dist/converter"))});
    const converter = createConverter({ isJS: false, isBrowser: false });
    process.stdout.write(JSON.stringify(converter.convert("", process.argv[1]).diagnostics));
    converter.close();`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ["-e", program, source], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Diagnostic[];
}

describe("a cell of stock tslab", () => {
  it("has Node's types below the checkout and elsewhere", () => {
    const cell = `import { readFileSync } from "fs";
      console.log(process.version, readFileSync("x", "utf8").length, Buffer.from("x"), new URL("x:y"), fetch);`;
    expect(diagnose(cell)).toEqual([]);
    expect(diagnose("const n: number = process.version;").map(({ code }) => code)).toEqual([2322]);
    const elsewhere = mkdtempSync(join(tmpdir(), "pomona-cell-"));
    try {
      expect(diagnose(cell, elsewhere)).toEqual([]);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it("finds apache-arrow's types", () => {
    const cell = 'import { vectorFromArray } from "apache-arrow";\nconst v: string = vectorFromArray([1]);';
    expect(diagnose(cell).map(({ messageText }) => messageText)).toEqual([
      "Type 'Vector<Float64>' is not assignable to type 'string'.",
    ]);
  });
});

describe("the entry points", () => {
  it.each(names)("Node requires %s", (name) => {
    const program = `process.stdout.write(String(Object.keys(require(${JSON.stringify(name)})).length))`;
    const { stdout, stderr } = spawnSync(process.execPath, ["-e", program], { cwd: root, encoding: "utf8" });
    expect(Number(stdout), stderr).toBeGreaterThan(0);
  });

  it("have declarations that TypeScript 5.0 reads without an error", () => {
    expect(ts.version).toMatch(/^5\.0\./);
    const declared = Object.values(entries).flatMap((entry) => (typeof entry === "string" ? [] : [entry.types]));
    const program = ts.createProgram(
      declared.map((file) => join(root, file)),
      {
        target: ts.ScriptTarget.ES2022,
        lib: ["lib.es2022.d.ts"],
        module: ts.ModuleKind.CommonJS,
        moduleResolution: ts.ModuleResolutionKind.Node10,
        esModuleInterop: true,
        strict: true,
        noEmit: true,
        types: ["node"],
        typeRoots: [join(root, "node_modules", "@types")],
      },
    );
    const ours = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(join(root, "dist")));
    expect(ours.length).toBeGreaterThan(declared.length);
    const errors = ours.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]);
    const texts = errors.map((error) => {
      const where = error.file?.fileName.slice(root.length + 1);
      return `${where}: ${ts.flattenDiagnosticMessageText(error.messageText, "\n")}`;
    });
    expect(texts).toEqual([]);

    // A kernel reads all of them for the first cell that uses the session: those of an SDK would take half of that.
    const folders = program
      .getSourceFiles()
      .map(({ fileName }) => /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(fileName)?.[1]);
    const expected = [
      "@types/node",
      "@tslab/typescript-for-tslab",
      "apache-arrow",
      "esbuild",
      "flatbuffers",
      "undici-types",
    ];
    expect([...new Set(folders)].filter((name) => name !== undefined && !expected.includes(name))).toEqual([]);
  });
});
