import type { ConformanceCase } from "./case";
import { AGGREGATE_CASES } from "./cases/aggregates";
import { ARRAY_CASES } from "./cases/arrays";
import { CAST_CASES } from "./cases/casts";
import { DATE_CASES } from "./cases/dates";
import { FRAME_CASES } from "./cases/frames";
import { FRUIT_COLUMNS, FRUIT_FRAMES } from "./cases/fruits";
import { NUMBER_CASES } from "./cases/numbers";
import { OPERATOR_CASES } from "./cases/operators";
import { SOLID_CASES } from "./cases/solid";
import { TEXT_CASES } from "./cases/text";
import { DISPOSITIONS } from "./dispositions";

const LISTED: readonly ConformanceCase[] = [
  ...OPERATOR_CASES,
  ...CAST_CASES,
  ...DATE_CASES,
  ...NUMBER_CASES,
  ...TEXT_CASES,
  ...ARRAY_CASES,
  ...AGGREGATE_CASES,
  ...FRAME_CASES,
  ...FRUIT_COLUMNS,
  ...FRUIT_FRAMES,
  ...SOLID_CASES,
];

/** Every case of the suite. */
export const CASES: readonly ConformanceCase[] = LISTED.map((each) => ({ ...each, ...DISPOSITIONS[keyOf(each)] }));

/** The name of a case's answer. */
export function keyOf(each: ConformanceCase): string {
  return each.frame === undefined ? each.spark : `${each.frame}: ${each.spark}`;
}
