import { expect, test } from "vitest";
import { bytesText, counted, durationText, rateText, shortDurationText } from "../../src/showing/quantities";

test.each([
  [0.04, "0.0 s"],
  [9.94, "9.9 s"],
  [9.96, "10 s"],
  [59.4, "59 s"],
  [59.6, "1 min 00 s"],
  [125, "2 min 05 s"],
  [3599.7, "1 h 00 min"],
  [7500, "2 h 05 min"],
  [172_769, "47 h 59 min"],
  [172_771, "2 days 00 h"],
  [1e6, "11 days 14 h"],
])("durationText(%d) is %s", (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});

test("shortDurationText has milliseconds below a second", () => {
  expect([0.012, 0.9994, 0.9996, 4.23, 192].map(shortDurationText)).toEqual([
    ...["12 ms", "999 ms", "1.0 s", "4.2 s", "3 min 12 s"],
  ]);
});

test("rateText", () => {
  expect([rateText(0.25), rateText(231.4), rateText(12_345)]).toEqual(["0.3 rows/s", "231 rows/s", "12,345 rows/s"]);
});

test("bytesText has a thousand bytes in a kB", () => {
  expect([0, 26, 999, 1_077, 999_940, 999_960, 12_400_000, 2e9, 3e15].map(bytesText)).toEqual([
    ...["0 bytes", "26 bytes", "999 bytes", "1.1 kB", "999.9 kB", "1.0 MB", "12.4 MB", "2.0 GB", "3000.0 TB"],
  ]);
});

test("counted", () => {
  expect([counted(0, "row"), counted(1, "row"), counted(2_115, "row")]).toEqual(["0 rows", "1 row", "2,115 rows"]);
});
