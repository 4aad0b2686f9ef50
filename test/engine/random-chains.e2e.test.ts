import { type DataFrame, Session } from "pomona";
import { col, lit, max, sum, udf } from "pomona/functions";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  distinct,
  filter,
  type JoinHow,
  join,
  keep,
  ordered,
  type PlainFrame,
  type PlainRow,
  type PlainValue,
  plainColumn,
  rename,
  sameName,
  select,
  totals,
  union,
  withColumn,
} from "./plain-frames";

const CHAINS = 150;
const NAMES = ["id", "label", "Label", "v", "V", "n"];
const HOWS: readonly JoinHow[] = ["inner", "inner", "left", "right", "full", "semi", "anti"];

const shout = udf((value: unknown) => (value === null ? "none" : `${value}!`), { returns: "string", name: "shout" });

type Column = ReturnType<DataFrame["col"]>;

/** A frame and the same by plain means. `columns` are columns of frames that it was made from, by identity. */
interface Pair {
  readonly df: DataFrame;
  readonly plain: PlainFrame;
  readonly columns: ReadonlyMap<number, Column>;
  readonly text: string;
}

let session: Session;

beforeAll(async () => {
  session = await Session.builder().master("local[2]").config("pomona.progress", "off").getOrCreate();
});

afterAll(() => session?.stop());

it(`${CHAINS} random chains of operations over columns of one name give what plain lists give`, async () => {
  const seen = new Map<string, number>();
  for (let seed = 1; seed <= CHAINS; seed++) {
    const random = generator(seed);
    const pair = chain(random, seen);
    const told = `seed ${seed}: ${pair.text}`;
    const table = await pair.df.toArrow().catch((error: Error) => {
      throw new Error(`${told}\n${error.message}`, { cause: error });
    });
    const fields = table.schema.fields;
    expect(
      fields.map((f) => f.name),
      told,
    ).toEqual(pair.plain.columns.map((c) => c.name));
    const rows = Array.from({ length: table.numRows }, (_, row) =>
      fields.map((_field, i) => {
        const value: unknown = table.getChildAt(i)?.get(row);
        return typeof value === "bigint" ? Number(value) : (value ?? null);
      }),
    );
    expect(texts(rows), told).toEqual(texts(pair.plain.rows));
  }
  // Chains that never do something would say nothing about it.
  expect(
    [...seen.values()].every((times) => times >= 10),
    JSON.stringify([...seen]),
  ).toBe(true);
  expect(seen.size).toBe(12);
});

function texts(rows: readonly (readonly unknown[])[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

function chain(random: Random, seen: Map<string, number>): Pair {
  let pair = base(random);
  const earlier = [pair];
  for (let i = 2 + random.below(4); i > 0; i--) {
    const [name, step] = random.of(STEPS);
    const next = step(pair, random, earlier);
    if (!next || next.plain.columns.length > 14 || next.plain.rows.length > 400) continue;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    pair = withOwnColumns(next);
    earlier.push(pair);
  }
  return pair;
}

type Step = (pair: Pair, random: Random, earlier: readonly Pair[]) => Pair | undefined;

const STEPS: readonly (readonly [name: string, step: Step])[] = [
  ["join", joined],
  ["join", joined],
  ["select", selected],
  ["withColumn", (pair, random) => computed(pair, random, false)],
  ["udf", (pair, random) => computed(pair, random, true)],
  ["rename", renamed],
  ["drop", dropped],
  ["filter", filtered],
  ["sort", sortedAndCut],
  [
    "distinct",
    (pair) => ({ ...pair, df: pair.df.distinct(), plain: distinct(pair.plain), text: `${pair.text}.distinct()` }),
  ],
  ["union", united],
  ["cache", (pair) => ({ ...pair, df: pair.df.select("*").cache(), text: `${pair.text}.cache()` })],
  ["groupBy", grouped],
];

function base(random: Random): Pair {
  const names = ["id", random.of(["label", "Label"]), random.of(["v", "n"])];
  const types = ["int", "string", "int"] as const;
  const rows = Array.from({ length: 1 + random.below(6) }, (): PlainRow => {
    const values: PlainValue[] = [random.below(4), random.of(["a", "b", "c d", "é"]), random.below(5) * 10];
    return values.map((value) => (random.below(7) === 0 ? null : value));
  });
  const plain = { columns: names.map((name, i) => plainColumn(name, types[i] ?? "int")), rows };
  const df = session.createDataFrame(rows as never, names.map((name, i) => `${name} ${types[i]}`).join(", "));
  return withOwnColumns({ df, plain, columns: new Map(), text: `[${names.join(", ")}]` });
}

/** With columns of this frame for those that its own name tells from the others. */
function withOwnColumns(pair: Pair): Pair {
  const own = pair.plain.columns.flatMap(({ name, key }) => {
    const isAlone = pair.plain.columns.every((other) => other.key === key || !sameName(other.name, name));
    return isAlone ? [[key, pair.df.col(name)] as const] : [];
  });
  const present = [...pair.columns].filter(([key]) => pair.plain.columns.some((c) => c.key === key));
  return { ...pair, columns: new Map([...own, ...present]) };
}

/** A column of the frame and how to write it: by its name where that says enough, else as another frame's column. */
function pick({ plain, columns }: Pair, random: Random, isWanted: (at: number) => boolean = () => true) {
  const found = plain.columns.flatMap(({ name, key }, at) => {
    const isAlone = plain.columns.every((other) => other.key === key || !sameName(other.name, name));
    const column = columns.get(key);
    if (!isWanted(at)) return [];
    return [...(isAlone ? [{ at, column: col(name) as Column }] : []), ...(column ? [{ at, column }] : [])];
  });
  return found.length > 0 ? random.of(found) : undefined;
}

function joined(pair: Pair, random: Random, earlier: readonly Pair[]): Pair | undefined {
  const how = random.of(HOWS);
  const isSelf = random.below(4) === 0;
  const other = isSelf ? random.of(earlier) : withOwnColumns(base(random));
  // The frames that both sides are made of have their columns twice, so nothing tells these apart by frame.
  const right: Pair = isSelf
    ? {
        ...other,
        columns: new Map(),
        df: other.df.toDF(...other.plain.columns.map((c) => c.name)),
        plain: select(
          other.plain,
          other.plain.columns.map(({ name }, at) => ({ at, as: name })),
        ),
      }
    : other;
  const text = (on: string) => `${pair.text}.join(${isSelf ? "self " : ""}${right.text}, ${on}, ${how})`;
  const columns = isSelf ? new Map() : new Map([...pair.columns, ...right.columns]);
  const byName = pair.plain.columns.findIndex(
    (c) => c.type === "int" && right.plain.columns.some((o) => sameName(o.name, c.name)),
  );
  if (random.below(3) === 0 && byName >= 0) {
    const { name } = pair.plain.columns[byName]!;
    // Spark takes the first column of the name on either side.
    const left = pair.plain.columns.findIndex((c) => sameName(c.name, name));
    const at = right.plain.columns.findIndex((c) => sameName(c.name, name));
    if (pair.plain.columns[left]?.type !== "int" || right.plain.columns[at]?.type !== "int") return undefined;
    const plain = join(pair.plain, right.plain, how, { left, right: at, merged: true });
    return { df: pair.df.join(right.df, name, how), plain, columns, text: text(name) };
  }
  const owned = withOwnColumns(right);
  const isInt = (side: Pair) => (at: number) => side.plain.columns[at]?.type === "int";
  const l = pick(pair, random, isInt(pair));
  const r = pick(owned, random, (at) => isInt(owned)(at) && owned.columns.has(owned.plain.columns[at]?.key ?? -1));
  const leftColumn = l && pair.columns.get(pair.plain.columns[l.at]?.key ?? -1);
  const rightColumn = r && owned.columns.get(owned.plain.columns[r.at]?.key ?? -1);
  if (!l || !r || !leftColumn || !rightColumn) return undefined;
  const plain = join(pair.plain, right.plain, how, { left: l.at, right: r.at, merged: false });
  const on = `${leftColumn.columnName} = ${rightColumn.columnName}`;
  return { df: pair.df.join(right.df, leftColumn.eq(rightColumn), how), plain, columns, text: text(on) };
}

function selected(pair: Pair, random: Random): Pair | undefined {
  const picks = Array.from({ length: 1 + random.below(4) }, () => {
    const found = pick(pair, random);
    const as = random.below(2) === 0 ? random.of(NAMES) : undefined;
    return found && { ...found, ...(as === undefined ? {} : { as }) };
  }).filter((found) => found !== undefined);
  if (picks.length === 0) return undefined;
  const df = pair.df.select(...picks.map(({ column, as }) => (as === undefined ? column : column.alias(as))));
  const plain = select(pair.plain, picks);
  return { ...pair, df, plain, text: `${pair.text}.select(${picks.map((p) => `${p.at} ${p.as ?? ""}`).join(", ")})` };
}

function computed(pair: Pair, random: Random, isUdf: boolean): Pair | undefined {
  const name = random.of(NAMES);
  const found = pick(pair, random, (at) => isUdf || pair.plain.columns[at]?.type === "int");
  if (!found) return undefined;
  const value = ({ [found.at]: v = null }: PlainRow) =>
    isUdf ? (v === null ? "none" : `${v}!`) : v === null ? null : Number(v) + 1;
  const plain = withColumn(pair.plain, name, isUdf ? "string" : "int", value);
  const df = isUdf
    ? pair.df.withColumn(name, shout(found.column))
    : pair.df.withColumn(name, found.column.plus(lit(1)));
  return { ...pair, df, plain, text: `${pair.text}.withColumn(${name}, ${isUdf ? "shout" : "1 +"} ${found.at})` };
}

function renamed(pair: Pair, random: Random): Pair {
  const [from, to] = [random.of(pair.plain.columns).name, random.of(NAMES)];
  const df = pair.df.withColumnRenamed(from, to);
  return { ...pair, df, plain: rename(pair.plain, from, to), text: `${pair.text}.rename(${from}, ${to})` };
}

function dropped(pair: Pair, random: Random): Pair | undefined {
  const found = pick(pair, random);
  const isByName = random.below(2) === 0 || !found;
  const name = random.of(pair.plain.columns).name;
  const key = found && pair.plain.columns[found.at]?.key;
  const plain = keep(pair.plain, (c) => (isByName ? !sameName(c.name, name) : c.key !== key));
  if (plain.columns.length === 0) return undefined;
  const df = isByName ? pair.df.drop(name) : pair.df.drop(found.column);
  return { ...pair, df, plain, text: `${pair.text}.drop(${isByName ? name : found.at})` };
}

function filtered(pair: Pair, random: Random): Pair | undefined {
  const found = pick(pair, random, (at) => pair.plain.columns[at]?.type === "int");
  if (!found) return undefined;
  const least = random.below(20);
  const plain = filter(pair.plain, (row) => row[found.at] === null || Number(row[found.at]) <= least);
  const df = pair.df.filter(found.column.isNull().or(found.column.leq(lit(least))));
  return { ...pair, df, plain, text: `${pair.text}.filter(${found.at} <= ${least})` };
}

/** Sorted by every column, so that there is one answer to which rows come first. */
function sortedAndCut(pair: Pair, random: Random): Pair | undefined {
  const by = pair.plain.columns.map((_, at) => pick(pair, random, (other) => other === at));
  if (by.includes(undefined)) return undefined;
  const n = 1 + random.below(8);
  const sorted = ordered(
    pair.plain,
    by.map((found) => found!.at),
  );
  const df = pair.df.sort(...by.map((found) => found!.column)).limit(n);
  return { ...pair, df, plain: { ...sorted, rows: sorted.rows.slice(0, n) }, text: `${pair.text}.sort().limit(${n})` };
}

function united(pair: Pair, random: Random): Pair | undefined {
  const half = filtered(pair, random);
  if (!half) return undefined;
  const plain = union(pair.plain, half.plain);
  return { ...pair, df: pair.df.union(half.df), plain, text: `${pair.text}.union(${half.text})` };
}

function grouped(pair: Pair, random: Random): Pair | undefined {
  const isInt = (at: number) => pair.plain.columns[at]?.type === "int";
  const [by, summed, greatest] = [pick(pair, random), pick(pair, random, isInt), pick(pair, random, isInt)];
  if (!by || !summed || !greatest) return undefined;
  const name = random.of(NAMES);
  const plain = totals(pair.plain, by.at, summed.at, greatest.at, name);
  const df = pair.df.groupBy(by.column).agg(sum(summed.column).alias(name), max(greatest.column).alias(name));
  return { ...pair, df, plain, text: `${pair.text}.groupBy(${by.at}).agg(${summed.at}, ${greatest.at} as ${name})` };
}

interface Random {
  below(n: number): number;
  of<T>(items: readonly T[]): T;
}

/** The minimal standard generator. @see https://dl.acm.org/doi/10.1145/63039.63042 */
function generator(seed: number): Random {
  let state = (seed * 7919) % 2147483647;
  const below = (n: number) => {
    state = (state * 16807) % 2147483647;
    return Math.floor((state / 2147483647) * n);
  };
  return { below, of: (items) => items[below(items.length)]! };
}
