import {
  coalesce,
  col,
  greatest,
  ifnull,
  isnan,
  isnotnull,
  isnull,
  least,
  lit,
  nanvl,
  nullif,
  nvl,
  when,
} from "../../../src/frame/functions";
import { type ColumnCase, double, over } from "../case";

const COMPARISONS = {
  "==": "eq",
  "!=": "notEqual",
  "<": "lt",
  "<=": "leq",
  ">": "gt",
  ">=": "geq",
} as const;

const ARITHMETIC = { "+": "plus", "-": "minus", "*": "multiply", "/": "divide", "%": "mod" } as const;

/** Pairs of columns of every two number types. */
const NUMBER_PAIRS = ["t", "h", "i", "l"].flatMap((a, i, all) => all.slice(i).map((b) => [a, b] as const));

export const OPERATOR_CASES: readonly ColumnCase[] = [
  ...Object.entries(COMPARISONS).flatMap(([sign, method]) => [
    ...over("doubles", {
      [`F.col("a") ${sign} F.col("b")`]: () => col("a")[method](col("b")),
      [`F.col("a") ${sign} 1.5`]: () => col("a")[method](1.5),
      [`F.col("a") ${sign} F.lit(float("nan"))`]: () => col("a")[method](Number.NaN),
      [`F.col("f") ${sign} F.col("a")`]: () => col("f")[method](col("a")),
    }),
    ...over("wholes", {
      [`F.col("t") ${sign} F.col("l")`]: () => col("t")[method](col("l")),
      [`F.col("i") ${sign} "15"`]: () => col("i")[method]("15"),
    }),
    ...over("texts", { [`F.col("s") ${sign} F.col("u")`]: () => col("s")[method](col("u")) }),
    ...over("decimals", {
      [`F.col("d") ${sign} F.col("e")`]: () => col("d")[method](col("e")),
      [`F.col("d") ${sign} 1`]: () => col("d")[method](1),
    }),
    ...over("flags", { [`F.col("p") ${sign} F.col("q")`]: () => col("p")[method](col("q")) }),
    ...over("times", {
      [`F.col("day") ${sign} F.col("time")`]: () => col("day")[method](col("time")),
      [`F.col("day") ${sign} "2024-01-31"`]: () => col("day")[method]("2024-01-31"),
    }),
    ...over("bytes", { [`F.col("b") ${sign} F.col("b")`]: () => col("b")[method](col("b")) }),
  ]),
  ...over("arrays", { 'F.col("xs") == F.col("xs")': () => col("xs").eq(col("xs")) }),
  ...over("nested", {
    'F.col("m") == F.col("m")': () => col("m").eq(col("m")),
    'F.col("st") == F.col("st")': () => col("st").eq(col("st")),
  }),
  ...over("doubles", {
    'F.col("a").eqNullSafe(F.col("b"))': () => col("a").eqNullSafe(col("b")),
    'F.col("a").between(0.0, F.col("b"))': () => col("a").between(double(0), col("b")),
    'F.col("a").isin(float("nan"), 1.5)': () => col("a").isin(Number.NaN, 1.5),
    'F.col("a").isin(0.5)': () => col("a").isin([0.5]),
    'F.col("a").isin(None, 1.5)': () => col("a").isin(null, 1.5),
    'F.col("a").isin([])': () => col("a").isin([]),
    'F.col("a").isNull()': () => col("a").isNull(),
    'F.col("a").isNotNull()': () => col("a").isNotNull(),
    'F.isnan("a")': () => isnan("a"),
    'F.isnan("f")': () => isnan("f"),
    'F.isnull("a")': () => isnull("a"),
    'F.isnotnull("a")': () => isnotnull("a"),
    'F.coalesce("a", "b")': () => coalesce("a", "b"),
    'F.coalesce("a", F.lit(0))': () => coalesce("a", lit(0)),
    'F.coalesce("f", "a")': () => coalesce("f", "a"),
    'F.nvl(F.col("a"), F.lit(1))': () => nvl(col("a"), lit(1)),
    'F.ifnull(F.col("a"), F.lit(1))': () => ifnull(col("a"), lit(1)),
    'F.nullif(F.col("a"), F.col("b"))': () => nullif(col("a"), col("b")),
    'F.nanvl("a", "b")': () => nanvl("a", "b"),
    'F.nanvl("f", "f")': () => nanvl("f", "f"),
    'F.least("a", "b")': () => least("a", "b"),
    'F.greatest("a", "b")': () => greatest("a", "b"),
    'F.greatest("a", F.lit(2))': () => greatest("a", lit(2)),
    'F.least("a", "f", "b")': () => least("a", "f", "b"),
    'F.when(F.col("a") > 1, "big").when(F.isnan("a"), "nan").otherwise("small")': () =>
      when(col("a").gt(1), "big").when(isnan("a"), "nan").otherwise("small"),
    'F.when(F.col("a") > 1, F.col("a"))': () => when(col("a").gt(1), col("a")),
    'F.when(F.col("a") > 1, 1).otherwise(F.col("a"))': () => when(col("a").gt(1), 1).otherwise(col("a")),
    "F.lit(1)": () => lit(1),
    "F.lit(1.5)": () => lit(1.5),
    "F.lit(None)": () => lit(null),
    "F.lit(True)": () => lit(true),
    "F.lit(3000000000)": () => lit(3000000000),
    'F.lit("it\'s \\\\ %")': () => lit("it's \\ %"),
  }),
  ...Object.entries(ARITHMETIC).flatMap(([sign, method]) => [
    ...over("doubles", {
      [`F.col("a") ${sign} F.col("b")`]: () => col("a")[method](col("b")),
      [`F.col("f") ${sign} F.col("f")`]: () => col("f")[method](col("f")),
      [`F.col("f") ${sign} F.col("id")`]: () => col("f")[method](col("id")),
      [`F.col("a") ${sign} 2`]: () => col("a")[method](2),
    }),
    ...NUMBER_PAIRS.flatMap(([a, b]) =>
      over("wholes", { [`F.col("${a}") ${sign} F.col("${b}")`]: () => col(a)[method](col(b)) }),
    ),
    ...over("wholes", {
      [`F.col("i") ${sign} 3`]: () => col("i")[method](3),
      [`F.col("t") ${sign} -1`]: () => col("t")[method](-1),
    }),
    ...over("decimals", {
      [`F.col("d") ${sign} F.col("d")`]: () => col("d")[method](col("d")),
      [`F.col("d") ${sign} F.col("g")`]: () => col("d")[method](col("g")),
      [`F.col("d") ${sign} 3`]: () => col("d")[method](3),
      [`F.col("d") ${sign} F.col("id")`]: () => col("d")[method](col("id")),
      [`F.col("d") ${sign} 1.5`]: () => col("d")[method](1.5),
      [`F.col("g") ${sign} F.col("g")`]: () => col("g")[method](col("g")),
      [`F.col("e") ${sign} F.col("d")`]: () => col("e")[method](col("d")),
      [`F.col("w") ${sign} 1`]: () => col("w")[method](1),
    }),
    ...over("numerals", { [`F.col("s") ${sign} 1`]: () => col("s")[method](1) }),
    ...over("flags", { [`F.col("p") ${sign} 1`]: () => col("p")[method](1) }),
  ]),
  ...over("wholes", {
    '-F.col("i")': () => col("i").negate(),
    '-F.col("t")': () => col("t").negate(),
    '-F.col("l")': () => col("l").negate(),
  }),
  ...over("doubles", { '-F.col("a")': () => col("a").negate() }),
  ...over("decimals", { '-F.col("d")': () => col("d").negate() }),
  ...over("times", { 'F.col("day") + 1': () => col("day").plus(1), 'F.col("day") - 1': () => col("day").minus(1) }),
  ...over("flags", {
    'F.col("p") & F.col("q")': () => col("p").and(col("q")),
    'F.col("p") | F.col("q")': () => col("p").or(col("q")),
    '~F.col("p")': () => col("p").not(),
    'F.col("p").eqNullSafe(F.col("q"))': () => col("p").eqNullSafe(col("q")),
    'F.coalesce("p", F.lit("x"))': () => coalesce("p", lit("x")),
    'F.when(F.col("id"), 1)': () => when(col("id"), 1),
  }),
  ...over("wholes", {
    'F.coalesce("t", "h", "l")': () => coalesce("t", "h", "l"),
    'F.greatest("t", "i")': () => greatest("t", "i"),
    'F.least("t", F.lit("7"))': () => least("t", lit("7")),
    'F.nullif(F.col("t"), F.col("i"))': () => nullif(col("t"), col("i")),
  }),
  ...over("decimals", {
    'F.coalesce("d", "g")': () => coalesce("d", "g"),
    'F.greatest("d", "e")': () => greatest("d", "e"),
    'F.coalesce("d", F.lit(1.5))': () => coalesce("d", lit(1.5)),
  }),
];
