import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

/** `node test/engine/damaged-parquet.mjs SEED COUNT` tries as many as one likes: 2,000 of seed 7 end in named errors. */
it("120 damaged files end in named errors, and neither end nor hang the process or its session", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(__dirname, "damaged-parquet.mjs"), "3", "120"], {
    encoding: "utf8",
    timeout: 600_000,
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  const told = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<"read" | "refused", number> & {
    unnamed: [];
  };
  expect(told.unnamed).toEqual([]);
  expect(told.read + told.refused).toBe(240);
  expect(told.refused).toBeGreaterThan(60);
}, 600_000);
