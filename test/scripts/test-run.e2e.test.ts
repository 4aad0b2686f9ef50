import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

// The test command counts by itself, so it is run on test files that are known to pass, fail and break.
const root = join(__dirname, "..", "..");
let folder: string;

beforeAll(() => {
  mkdirSync(join(root, "out"), { recursive: true });
  folder = mkdtempSync(join(root, "out", "test-run-"));
  const file = (name: string, text: string) =>
    writeFileSync(join(folder, name), `import { it } from "vitest";\n${text}`);
  writeFileSync(join(folder, "vitest.config.mjs"), "export default {};");
  file("good.test.ts", 'it("a", () => {}); it("b", () => {});');
  file("bad.test.ts", 'it("a", () => {}); it("b", () => { throw new Error("no"); });');
  file("broken.test.ts", 'import "./not-there";');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function testRun(...files: string[]) {
  const script = join(root, "scripts", "run-vitest.mjs");
  const program = `
    import { runVitest } from ${JSON.stringify(script)};
    console.log(JSON.stringify(await runVitest(process.argv.slice(1))));`;
  const { stdout } = spawnSync(
    process.execPath,
    ["--input-type=module", "-e", program, "--", "--root", folder, ...files],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as unknown;
}

it("counts what passes", () => expect(testRun("good.test.ts")).toEqual({ passed: 2, failed: 0 }));
it("counts what fails", () => expect(testRun("good.test.ts", "bad.test.ts")).toEqual({ passed: 3, failed: 1 }));
it("counts a file that does not load as a failure", () =>
  expect(testRun("good.test.ts", "broken.test.ts")).toEqual({ passed: 2, failed: 1 }));
it("takes no test at all for a failure", () => expect(testRun("none.test.ts")).toEqual({ passed: 0, failed: 1 }));
