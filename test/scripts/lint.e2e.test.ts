import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(__dirname, "..", "..");

/** The lines of `text` that ESLint finds fault with, were it the content of src/index.ts. */
function faultyLines(text: string): number[] {
  const eslint = join(root, "node_modules", "eslint", "bin", "eslint.js");
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [eslint, "--stdin", "--stdin-filename", "src/index.ts", "--format", "json"],
    // In a run of one command the parser takes files from the disk, whatever text it is given.
    { cwd: root, input: text, encoding: "utf8", env: { ...process.env, TSESTREE_SINGLE_RUN: "false" } },
  );
  const [file] = JSON.parse(stdout || `"${stderr}"`) as { messages: { line: number; ruleId: string }[] }[];
  return file!.messages.filter((m) => m.ruleId === "@typescript-eslint/no-floating-promises").map(({ line }) => line);
}

it("finds promises that nobody awaits: of Node, of builders that give themselves, of calls in a callback", () => {
  const forgotten = [
    'rm("x");',
    'data.write.mode("overwrite").parquet("out");',
    "data.filter(data.id).count();",
    "session.stop();",
    "Promise.all([session.stop()]);",
    "[1].map(async () => 1);",
    "run?.();",
    "session.stop().then(() => 1);",
  ];
  const handled = [
    'await rm("x");',
    "void session.stop();",
    "session.stop().catch(() => 1);",
    "const later = session.stop();",
    "await later;",
  ];
  const text = [
    'import { rm } from "node:fs/promises"; import type { DataFrame } from "./frame/dataframe"; import type { Session } from "./session/session";',
    "export async function example(data: DataFrame, session: Session, run?: () => Promise<void>) {",
    ...forgotten,
    ...handled,
    "}",
  ].join("\n");
  expect(faultyLines(text)).toEqual(forgotten.map((_, i) => i + 3));
});
