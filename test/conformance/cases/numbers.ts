import * as f from "../../../src/frame/functions";
import { type ColumnCase, over, unary } from "../case";

/** Another mathematical library may round the last digit another way. */
const library = { within: 1e-14 };

export const NUMBER_CASES: readonly ColumnCase[] = [
  ...unary("doubles", ["a", "f"], { abs: f.abs, floor: f.floor, ceil: f.ceil, signum: f.signum, rint: f.rint }),
  ...unary("wholes", ["t", "i", "l"], { abs: f.abs, floor: f.floor, ceil: f.ceil, signum: f.signum }),
  ...unary("decimals", ["d", "e"], { abs: f.abs, floor: f.floor, ceil: f.ceil, sqrt: f.sqrt }, library),
  ...unary(
    "doubles",
    ["a", "f"],
    {
      sqrt: f.sqrt,
      cbrt: f.cbrt,
      exp: f.exp,
      log: f.log,
      log10: f.log10,
      log2: f.log2,
      sin: f.sin,
      cos: f.cos,
      tan: f.tan,
      asin: f.asin,
      acos: f.acos,
      atan: f.atan,
      tanh: f.tanh,
      degrees: f.degrees,
      radians: f.radians,
    },
    library,
  ),
  ...unary("wholes", ["i"], { sqrt: f.sqrt, exp: f.exp, log: f.log, sin: f.sin }, library),
  ...unary("numerals", ["s"], { sqrt: f.sqrt, abs: f.abs }, library),
  ...over(
    "doubles",
    {
      'F.pow("a", "b")': () => f.pow("a", "b"),
      'F.pow("a", 2)': () => f.pow("a", 2),
      'F.pow(2, "a")': () => f.pow(2, "a"),
      'F.atan2("a", "b")': () => f.atan2("a", "b"),
      'F.atan2("a", 1)': () => f.atan2("a", 1),
      'F.log(2.0, "a")': () => f.log(2, "a"),
      'F.round("a")': () => f.round("a"),
      'F.round("a", 2)': () => f.round("a", 2),
      'F.round("a", -1)': () => f.round("a", -1),
      'F.round("f", 1)': () => f.round("f", 1),
    },
    library,
  ),
  ...over("wholes", {
    'F.round("i", -1)': () => f.round("i", -1),
    'F.round("t", -1)': () => f.round("t", -1),
    'F.round("t", -2)': () => f.round("t", -2),
    'F.round("l", -3)': () => f.round("l", -3),
    'F.round("h", 2)': () => f.round("h", 2),
    'F.round("i")': () => f.round("i"),
  }),
  ...over("decimals", {
    'F.round("d")': () => f.round("d"),
    'F.round("d", 1)': () => f.round("d", 1),
    'F.round("d", 5)': () => f.round("d", 5),
    'F.round("d", -1)': () => f.round("d", -1),
    'F.round("e", 2)': () => f.round("e", 2),
    'F.round("w", -1)': () => f.round("w", -1),
  }),
];
