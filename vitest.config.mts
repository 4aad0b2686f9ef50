import { defineConfig } from "vitest/config";

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
    globalSetup: ["test/support/built.ts"],
  },
});
