import { expect, test } from "vitest";
import { placeOf, registeredCells, registerSource } from "../../kernel-ext/src/runtime/source-registry";

test("sources of which there are many by now are found as they were", () => {
  const source = (n: number) => ({
    shown: `In[${n}]`,
    maps: { maps: ['{"version":3,"sources":["cell.ts"],"names":[],"mappings":"AAAA"}'], lineOffset: 0 },
    linesBefore: 1,
    source: `text ${n} \u{1f34e}`,
    compiled: `compiled ${n}`,
    isCell: n % 2 === 0,
  });
  for (let n = 0; n < 1_000; n++) registerSource(`script ${n}`, source(n));
  for (const n of [0, 1, 400, 999, 0]) {
    expect(placeOf(`script ${n}`, 2, 1)).toEqual({ source: source(n), line: 1, column: 1 });
  }
  expect(placeOf("script 1000", 2, 1)).toBeUndefined();
  registerSource("script 1", source(5_001));
  expect(placeOf("script 1", 2, 1)?.source).toEqual(source(5_001));
  const cells = [...registeredCells()];
  expect(cells).toHaveLength(500);
  expect(new Set(cells.map(({ shown }) => shown))).toEqual(
    new Set(Array.from({ length: 500 }, (_, i) => `In[${2 * i}]`)),
  );
  expect(cells).toContainEqual(source(998));
});
