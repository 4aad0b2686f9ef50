/**
 * Frames as plain lists, with Spark's rules for what a name means: what random chains of operations are compared with. Knows
 * nothing of the engine.
 */
export interface PlainFrame {
  readonly columns: readonly PlainColumn[];
  readonly rows: readonly PlainRow[];
}

/** `key` is the column's identity: passed on by what passes the column on, new where it is computed or renamed. */
export interface PlainColumn {
  readonly name: string;
  readonly key: number;
  readonly type: "int" | "string";
}

export type PlainValue = number | string | null;
export type PlainRow = readonly PlainValue[];
export type JoinHow = "inner" | "left" | "right" | "full" | "semi" | "anti";

let nextKey = 0;

export function plainColumn(name: string, type: PlainColumn["type"]): PlainColumn {
  return { name, key: nextKey++, type };
}

export function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** The columns by place, under names of their choice; a new name is a new column. */
export function select(frame: PlainFrame, picks: readonly { readonly at: number; readonly as?: string }[]): PlainFrame {
  const columns = picks.map(({ at, as }) => {
    const column = frame.columns[at]!;
    return as === undefined ? column : plainColumn(as, column.type);
  });
  return { columns, rows: frame.rows.map((row) => picks.map(({ at }) => row[at]!)) };
}

/** A value for every row, in all columns of the name, or in one more behind the others. */
export function withColumn(
  frame: PlainFrame,
  name: string,
  type: PlainColumn["type"],
  value: (row: PlainRow) => PlainValue,
): PlainFrame {
  const made = plainColumn(name, type);
  const isReplaced = frame.columns.map((c) => sameName(c.name, name));
  if (!isReplaced.includes(true)) {
    return { columns: [...frame.columns, made], rows: frame.rows.map((row) => [...row, value(row)]) };
  }
  return {
    columns: frame.columns.map((c, i) => (isReplaced[i] ? made : c)),
    rows: frame.rows.map((row) => row.map((v, i) => (isReplaced[i] ? value(row) : v))),
  };
}

export function rename(frame: PlainFrame, from: string, to: string): PlainFrame {
  return { ...frame, columns: frame.columns.map((c) => (sameName(c.name, from) ? plainColumn(to, c.type) : c)) };
}

export function keep(frame: PlainFrame, isKept: (column: PlainColumn) => boolean): PlainFrame {
  const places = frame.columns.flatMap((c, at) => (isKept(c) ? [{ at }] : []));
  return select(frame, places);
}

export function filter(frame: PlainFrame, isKept: (row: PlainRow) => boolean): PlainFrame {
  return { ...frame, rows: frame.rows.filter(isKept) };
}

export function distinct(frame: PlainFrame): PlainFrame {
  return { ...frame, rows: [...new Map(frame.rows.map((row) => [JSON.stringify(row), row])).values()] };
}

/** Columns by position; they stay the left side's, but for one that comes twice, which is a new one the second time. */
export function union(left: PlainFrame, right: PlainFrame): PlainFrame {
  const columns = left.columns.map((c, i) =>
    left.columns.findIndex((other) => other.key === c.key) === i ? c : plainColumn(c.name, c.type),
  );
  return { columns, rows: [...left.rows, ...right.rows] };
}

/** By equal values in two columns, where null equals nothing. The right side's columns are told apart from the left's. */
export function join(
  left: PlainFrame,
  right: PlainFrame,
  how: JoinHow,
  on: { readonly left: number; readonly right: number; readonly merged: boolean },
): PlainFrame {
  const isMatch = (l: PlainRow, r: PlainRow) => l[on.left] !== null && l[on.left] === r[on.right];
  const isOneSided = how === "semi" || how === "anti";
  const nulls = (frame: PlainFrame): PlainRow => frame.columns.map(() => null);
  const pairs: (readonly [PlainRow, PlainRow])[] = [];
  for (const l of left.rows) {
    const matches = right.rows.filter((r) => isMatch(l, r));
    if (how === "anti" ? matches.length === 0 : how === "semi" && matches.length > 0) pairs.push([l, []]);
    if (isOneSided) continue;
    pairs.push(...matches.map((r) => [l, r] as const));
    if (matches.length === 0 && (how === "left" || how === "full")) pairs.push([l, nulls(right)]);
  }
  if (how === "right" || how === "full") {
    for (const r of right.rows) if (!left.rows.some((l) => isMatch(l, r))) pairs.push([nulls(left), r]);
  }
  const all = isOneSided ? left.columns : [...left.columns, ...right.columns];
  const frame = { columns: all, rows: pairs.map(([l, r]) => [...l, ...r]) };
  if (!on.merged) return frame;
  const second = left.columns.length + on.right;
  const rest = all.flatMap((_, at) => (at === on.left || (!isOneSided && at === second) ? [] : [{ at }]));
  const key = how === "right" ? second : on.left;
  const joined = select(frame, [{ at: key }, ...rest]);
  if (how !== "full") return joined;
  // Neither side's column, but the value of whichever has one.
  const first = plainColumn(left.columns[on.left]!.name, left.columns[on.left]!.type);
  return {
    columns: [first, ...joined.columns.slice(1)],
    rows: frame.rows.map((row, i) => [row[on.left] ?? row[second] ?? null, ...joined.rows[i]!.slice(1)]),
  };
}

/** The sum of a column and the greatest value of another, both under one name, for each value of a third. */
export function totals(frame: PlainFrame, by: number, summed: number, greatest: number, as: string): PlainFrame {
  const groups = new Map<PlainValue, PlainRow[]>();
  for (const row of frame.rows) groups.set(row[by]!, [...(groups.get(row[by]!) ?? []), row]);
  const numbers = (rows: readonly PlainRow[], at: number) =>
    rows.flatMap((r) => (typeof r[at] === "number" ? [r[at]] : []));
  return {
    columns: [frame.columns[by]!, plainColumn(as, "int"), plainColumn(as, "int")],
    rows: [...groups].map(([key, rows]) => {
      const [sums, all] = [numbers(rows, summed), numbers(rows, greatest)];
      return [key, sums.length > 0 ? sums.reduce((a, b) => a + b, 0) : null, all.length > 0 ? Math.max(...all) : null];
    }),
  };
}

/** In the order of some columns, nulls first. */
export function ordered(frame: PlainFrame, by: readonly number[]): PlainFrame {
  const compare = (a: PlainValue, b: PlainValue) => {
    if (a === b) return 0;
    if (a === null || b === null) return a === null ? -1 : 1;
    return a < b ? -1 : 1;
  };
  const rows = [...frame.rows].sort((a, b) => by.map((at) => compare(a[at]!, b[at]!)).find((c) => c !== 0) ?? 0);
  return { ...frame, rows };
}
