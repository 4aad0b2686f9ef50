import type { TestProject } from "vitest/node";
import { makeReference } from "./reference";

/** Before the tests: says where dist is missing or old, because workers, command line and cells run from it. */
export default async function setup({ config }: TestProject): Promise<void> {
  // Unit tests need no Python, and it is Keras that makes the reference.
  if (!config.exclude.includes("**/*.e2e.test.ts")) await makeReference();
  // By a variable, since the script is JavaScript without declarations.
  const script = "../../scripts/build.mjs";
  const { isBuilt } = (await import(script)) as { isBuilt: () => boolean };
  if (!isBuilt())
    console.warn("dist is missing or older than src: run npm run build, or tests that run dist may fail.");
}
