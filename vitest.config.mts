import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take minutes: begun last, they would run alone at the end, beside an idle worker. */
const LONGEST = ["golden/up-to-date", "cli/all-notebooks", "kernel/soak", "cli/crash"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = LONGEST.findIndex((name) => moduleId.includes(`/test/${name}`));
      return found < 0 ? LONGEST.length : found;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Forks, because native addons and worker threads of the code under test want a process of their own.
    pool: "forks",
    maxWorkers: 2,
    // Room for a machine that does much else: no test says how long something takes.
    testTimeout: 300_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 120_000 } },
    sequence: { sequencer: LongestFirst },
    globalSetup: ["test/support/built.ts"],
  },
});
