import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take longest, the longest first: begun last, they would run alone at the end, beside idle workers. */
const LONGEST = [
  "cli/all-notebooks",
  "cli/crash",
  "golden/up-to-date",
  "cli/s3.",
  "conformance/spark",
  "conformance/conformance",
  "notebook/workflow",
  "kernel/memo",
  "kernel/soak",
  "networks/keras-files",
  "persistence/contents",
  "cli/run",
  "cli/existing-output",
  "package/packed",
  "engine/spark/faults",
  "engine/spark/lost-sessions",
  "engine/spark/fan-out",
  "engine/spark/client",
  "engine/jupyter-faults",
  "engine/jupyter-commit",
  "engine/relayed-files",
  "cli/spark.",
  "kernel/papermill",
  "storage/s3-faults",
  "cli/nbconvert",
  "cli/bad-parquet",
  "cli/bad-input",
  "kernel/outlive",
  "widgets/jupyterlab",
  "package/deploy",
  "persistence/hub",
  "showing/show.e2e",
  "cli/check-order",
  "engine/s3-crash",
  "engine/remote-parquet",
  "cli/full-disk",
  "storage/s3.e2e",
  "kernel/language-typescript",
  "persistence/lab",
];

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
    // One more than the cores of a small machine: a third of the longer tests' time is waiting for servers, kernels and time-outs.
    maxWorkers: 3,
    // Room for a machine that does much else: no test says how long something takes.
    testTimeout: 300_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 120_000 } },
    sequence: { sequencer: LongestFirst },
    globalSetup: ["test/support/built.ts", "test/support/spark-run.ts"],
  },
});
