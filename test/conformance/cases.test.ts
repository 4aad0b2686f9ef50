import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { golden } from "../support/golden";
import { CASES, keyOf } from "./cases";
import { DISPOSITIONS } from "./dispositions";

const answers = golden<object>("conformance");

it("has an answer of Spark for every case, and no other", () => {
  expect(CASES.map(keyOf).sort()).toEqual(Object.keys(answers).sort());
});

it("says of no case that is not there how it differs, and of none what the documentation does not", () => {
  const differences = readFileSync(join(__dirname, "..", "..", "docs", "differences.md"), "utf8");
  const listed = Object.entries(DISPOSITIONS);
  expect(listed.filter(([key]) => !(key in answers))).toEqual([]);
  const said = [...new Set(CASES.flatMap(({ differs, nullable }) => [differs ?? [], nullable ?? []].flat()))];
  expect(said.filter((text) => !differences.includes(text))).toEqual([]);
});
