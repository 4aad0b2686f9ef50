import { expect, it } from "vitest";
import { runsThere } from "../../../src/engine/spark/fan-out";

it("sends Node and native packages only where they run: the same kind of machine, and a C library that is not too old", () => {
  const linux = (glibc?: string, arch: NodeJS.Architecture = "x64") =>
    ({ platform: "linux", arch, ...(glibc === undefined ? {} : { glibc }) }) as const;
  const mac = { platform: "darwin", arch: "arm64" } as const;
  const here = linux("2.36");
  expect(["2.28", "2.36", "2.9", "2.17", "3.0", undefined].map((glibc) => runsThere(here, linux(glibc)))).toEqual([
    true,
    true,
    false,
    false,
    true,
    false,
  ]);
  expect(runsThere(here, linux("2.36", "arm64"))).toBe(false);
  // Without glibc, as on Alpine, packages are built for musl.
  expect([runsThere(linux(), linux()), runsThere(linux(), here)]).toEqual([true, false]);
  expect([runsThere(mac, mac), runsThere(mac, here), runsThere(here, mac)]).toEqual([true, false, false]);
});
