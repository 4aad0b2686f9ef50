import { calledUses } from "../language/called-uses";
import type { CellUses, FunctionUses } from "../messages";
import { oldestBeyond } from "../oldest";
import { isSameModule, isSameValue } from "./same-value";

/**
 * Which cells used a value that was redefined since they ran. Static in what a cell reads and writes (`language/name-uses.ts`),
 * and by its value in whether a name was changed.
 */
export interface CellGraph {
  /** The cell is about to run. */
  begin(cell: RanCell, uses: CellUses): void;
  /**
   * The cell that began has ended, or failed.
   * @param unchanged names that it declares and that have the values of earlier cells still
   */
  end(unchanged: readonly string[]): void;
  /**
   * Cells that are no more.
   * @param by the count of what stands in their place
   */
  forget(keys: readonly string[], by?: number): void;
  /** Stale cells, in the order of their first runs. */
  stale(): readonly StaleCell[];
  /** Those that became stale by what ran since this was asked last. */
  news(): readonly StaleCell[];
}

export interface RanCell {
  /** Stays when the cell runs again. */
  readonly key: string;
  /** As the user knows it: `In[count]`. */
  readonly count: number;
  readonly source: string;
  /** True where a key that is new means a new cell, below those that ran before. */
  readonly isPlaced: boolean;
}

export interface StaleCell {
  readonly count: number;
  /** Its first line with code. */
  readonly line: string;
  readonly reasons: readonly Reason[];
  /** True where all that redefined what it used ran for the first time then: in a run from top to bottom it comes later. */
  readonly isInOrder: boolean;
}

export interface Reason {
  readonly name: string;
  /** The function that reads it, where the cell called one. */
  readonly through: string | undefined;
  /** The cell that the value was of. */
  readonly from: number;
  readonly kind: "redefined" | "removed" | "stale";
  /** The cell that redefined it, or that does not declare it any more; undefined for one that was removed. */
  readonly by: number | undefined;
}

interface NameState {
  setBy: string;
  count: number;
  /** Of a function or class. */
  text: string | undefined;
  /** True for a function, a class and an import, which are none of the cell's results. */
  isFixed: boolean;
  functions: FunctionUses | undefined;
  readonly readers: Set<CellRecord>;
}

interface CellRecord {
  readonly key: string;
  readonly count: number;
  readonly line: string;
  /** The place of its first run among those of all cells. */
  readonly order: number;
  readonly reads: Map<string, Source>;
  readonly sets: ReadonlySet<string>;
  /** What was redefined since it ran. */
  readonly marks: Map<string, Mark>;
}

interface Source {
  /** The cell that the value was of. */
  readonly key: string;
  readonly count: number;
  readonly through: string | undefined;
  /** A primitive one. */
  readonly value: Kept | undefined;
  readonly text: string | undefined;
  readonly isFixed: boolean;
}

interface Mark {
  readonly kind: "redefined" | "removed";
  readonly by: number | undefined;
  readonly isInOrder: boolean;
}

/** A value that is kept for a later comparison. */
type Kept = { readonly value: unknown };

/** A name's value; undefined where it has none. */
export type LookUp = (name: string) => Kept | undefined;

interface Running {
  readonly cell: RanCell;
  readonly uses: CellUses;
  readonly reads: Map<string, Source>;
  /** The values of before of names that it may set. */
  readonly before: ReadonlyMap<string, () => Kept | undefined>;
}

interface SetterFacts {
  readonly isNew: boolean;
  readonly isPlaced: boolean;
  /** True for `df = df.filter(…)`. */
  readonly readsIt: boolean;
}

/** Cells that are remembered, as many as no notebook has: a client that names none makes each text one. */
const MOST_CELLS = 2_000;

/** Longer texts are not kept for comparison. */
const MOST_TEXT = 200;

export function cellGraph(lookUp: LookUp): CellGraph {
  const names = new Map<string, NameState>();
  const cells = new Map<string, CellRecord>();
  const fresh = new Map<CellRecord, Set<string>>();
  let orders = 0;
  let running: Running | undefined;

  const functionFor = (uses: CellUses) => (name: string) =>
    uses.functions[name] ?? (uses.declares.includes(name) ? undefined : names.get(name)?.functions);

  const sourcesOf = (reads: ReadonlyMap<string, string | undefined>, own: readonly string[]) => {
    const sources = new Map<string, Source>();
    for (const [name, through] of reads) {
      const state = own.includes(name) ? undefined : names.get(name);
      if (!state) continue;
      const { setBy: key, count, text, isFixed } = state;
      const now = lookUp(name);
      sources.set(name, { key, count, through, text, isFixed, value: now && primitive(now.value) });
    }
    return sources;
  };

  const record = (cell: RanCell, reads: Map<string, Source>, sets: ReadonlySet<string>): CellRecord => {
    const { key, count } = cell;
    const before = cells.get(key);
    if (before) drop(before);
    const made = { key, count, line: firstLine(cell.source), order: before?.order ?? ++orders, reads, sets };
    const added: CellRecord = { ...made, marks: new Map() };
    cells.set(key, added);
    for (const name of reads.keys()) names.get(name)?.readers.add(added);
    const oldest = oldestBeyond(cells, MOST_CELLS);
    if (oldest) drop(oldest[1]);
    return added;
  };
  const drop = (cell: CellRecord) => {
    cells.delete(cell.key);
    fresh.delete(cell);
    for (const name of cell.reads.keys()) names.get(name)?.readers.delete(cell);
  };

  const mark = (cell: CellRecord, name: string, made: Mark) => {
    const before = cell.marks.get(name);
    if (before && !before.isInOrder && made.isInOrder) return;
    cell.marks.set(name, made);
    if (made.isInOrder) return;
    const known = fresh.get(cell) ?? new Set();
    fresh.set(cell, known.add(name));
  };
  const unmark = (cell: CellRecord, name: string) => {
    cell.marks.delete(name);
    fresh.get(cell)?.delete(name);
  };

  /** Whether a run of the cells in their order gives the reader the name as this cell sets it. */
  const isForReader = (setter: CellRecord, reader: CellRecord, name: string, { isNew, readsIt }: SetterFacts) => {
    const { key } = reader.reads.get(name) as Source;
    if (key === setter.key) return true;
    if (isNew) return !readsIt;
    if (setter.order > reader.order) return false;
    for (const { order, sets } of cells.values())
      if (order > setter.order && order < reader.order && sets.has(name)) return false;
    return true;
  };

  const redefined = (name: string, state: NameState, setter: CellRecord, facts: SetterFacts) => {
    const now = lookUp(name);
    const value = now && primitive(now.value);
    for (const reader of state.readers) {
      if (reader === setter) continue;
      const source = reader.reads.get(name) as Source;
      // Set back to what the reader had.
      const isBack = source.text !== undefined && source.text === state.text;
      if (isBack || (source.value && value && Object.is(source.value.value, value.value))) unmark(reader, name);
      else {
        const isMoved = !cells.get(source.key)?.sets.has(name);
        const comesLater = (facts.isNew && facts.isPlaced) || !isForReader(setter, reader, name, facts);
        mark(reader, name, { kind: "redefined", by: setter.count, isInOrder: comesLater && !isMoved });
      }
    }
  };

  /** A name that a cell has set and sets no more, while its value is still that one. */
  const removed = (name: string, key: string, by: number | undefined) => {
    const state = names.get(name);
    if (state?.setBy !== key) return;
    for (const reader of state.readers)
      if (reader.key !== key && reader.reads.get(name)?.key === key)
        mark(reader, name, { kind: "removed", by, isInOrder: false });
  };

  const end = ({ cell, uses, reads, before }: Running, unchanged: readonly string[]) => {
    const previous = cells.get(cell.key);
    const isSet = (name: string) => {
      const [old, now] = [before.get(name)?.(), lookUp(name)];
      return now !== undefined && !(before.has(name) && old && Object.is(old.value, now.value));
    };
    const declared = new Set(uses.declares);
    // An assignment may not have been come to.
    const assigned = [...new Set([...uses.writes, ...before.keys()])].filter(
      (name) => !declared.has(name) && isSet(name),
    );
    const kept = [...uses.writes, ...before.keys()].filter((name) => previous?.sets.has(name));
    const sets = new Set([...declared, ...assigned, ...kept]);
    const setter = record(cell, reads, sets);
    for (const name of [...uses.declares, ...assigned]) {
      const now = lookUp(name);
      if (!now || unchanged.includes(name)) continue;
      const text = uses.texts[name];
      const known = names.get(name);
      const old = before.get(name)?.();
      const isImport = uses.imports.includes(name);
      const compare = isImport ? isSameModule : isSameValue;
      const isSame =
        (text !== undefined && text === known?.text) || (old !== undefined && compare(old.value, now.value));
      const isFixed = text !== undefined || isImport;
      const facts = { setBy: cell.key, count: cell.count, text, isFixed, functions: uses.functions[name] };
      const state: NameState = Object.assign(known ?? { readers: new Set<CellRecord>() }, facts);
      names.set(name, state);
      if (!isSame)
        redefined(name, state, setter, { isNew: !previous, isPlaced: cell.isPlaced, readsIt: reads.has(name) });
      else for (const reader of state.readers) if (reader.marks.get(name)?.kind === "removed") unmark(reader, name);
    }
    for (const name of previous?.sets ?? []) if (!sets.has(name)) removed(name, cell.key, cell.count);
  };

  const stale = (): Map<CellRecord, readonly Reason[]> => {
    const found = new Map<CellRecord, Reason[]>();
    const readers = new Map<string, CellRecord[]>();
    for (const cell of cells.values()) {
      for (const { key, isFixed } of cell.reads.values())
        if (!isFixed) readers.get(key)?.push(cell) ?? readers.set(key, [cell]);
    }
    const waiting = [...cells.values()].filter(({ marks }) => [...marks.values()].some(({ isInOrder }) => !isInOrder));
    for (const cell of waiting) found.set(cell, ownReasons(cell, false));
    for (let cell = waiting.pop(); cell; cell = waiting.pop()) {
      for (const reader of readers.get(cell.key) ?? []) {
        if (found.has(reader)) continue;
        found.set(reader, []);
        waiting.push(reader);
      }
    }
    for (const [cell, reasons] of found) {
      for (const [name, { key, count, through, isFixed }] of cell.reads) {
        const source = cells.get(key);
        if (source && source !== cell && !isFixed && found.has(source) && cell.marks.get(name)?.isInOrder !== false)
          reasons.push({ name, through, from: count, kind: "stale", by: undefined });
      }
    }
    return found;
  };

  const shown = (cell: CellRecord, reasons: readonly Reason[], isInOrder: boolean): StaleCell => ({
    count: cell.count,
    line: cell.line,
    reasons,
    isInOrder,
  });

  return {
    begin(cell, uses) {
      const { reads, writes } = calledUses(uses, functionFor(uses));
      const before = new Map<string, () => Kept | undefined>();
      for (const name of [...uses.declares, ...uses.writes, ...writes]) {
        const value = lookUp(name);
        if (value) before.set(name, uses.imports.includes(name) ? () => value : lightly(value.value));
      }
      running = { cell, uses, reads: sourcesOf(reads, uses.declares), before };
    },
    end(unchanged) {
      if (running) end(running, unchanged);
      running = undefined;
    },
    forget(keys, by) {
      for (const key of keys) {
        const cell = cells.get(key);
        if (!cell) continue;
        drop(cell);
        for (const name of cell.sets) removed(name, key, by);
      }
    },
    stale() {
      const found = stale();
      const inOrder = [...cells.values()].filter((cell) => cell.marks.size > 0 && !found.has(cell));
      return [
        ...byOrder([...found.keys()]).map((cell) => shown(cell, found.get(cell) ?? [], false)),
        ...byOrder(inOrder).map((cell) => shown(cell, ownReasons(cell, true), true)),
      ];
    },
    news() {
      if (fresh.size === 0) return [];
      const found = stale();
      const told: StaleCell[] = [];
      const keys = new Set<string>();
      const isNew = (cell: CellRecord, { name, kind }: Reason) =>
        kind === "stale" ? keys.has(cell.reads.get(name)?.key ?? "") : fresh.get(cell)?.has(name) === true;
      for (const cell of byOrder([...found.keys()])) {
        const reasons = (found.get(cell) ?? []).filter((reason) => isNew(cell, reason));
        if (reasons.length === 0) continue;
        keys.add(cell.key);
        told.push(shown(cell, reasons, false));
      }
      fresh.clear();
      return told;
    },
  };
}

function ownReasons({ marks, reads }: CellRecord, isInOrder: boolean): Reason[] {
  return [...marks].flatMap(([name, mark]) => {
    const { count: from, through } = reads.get(name) as Source;
    return mark.isInOrder === isInOrder ? [{ name, through, from, kind: mark.kind, by: mark.by }] : [];
  });
}

function byOrder(cells: CellRecord[]): CellRecord[] {
  return cells.sort((a, b) => a.order - b.order);
}

/** Keeps no object alive. */
function lightly(value: unknown): () => Kept | undefined {
  if (primitive(value)) return () => ({ value });
  const held = new WeakRef(value as object);
  return () => {
    const object = held.deref();
    return object && { value: object };
  };
}

function primitive(value: unknown): Kept | undefined {
  if (typeof value === "string") return value.length <= MOST_TEXT ? { value } : undefined;
  const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
  return isObject || typeof value === "symbol" ? undefined : { value };
}

/** The first line with code, as far as it is worth showing. */
function firstLine(source: string): string {
  const lines = source.split("\n", 50).map((line) => line.trim());
  const found = lines.find((line) => line !== "" && !/^(?:\/\/|\/\*|\*)/.test(line)) ?? lines[0] ?? "";
  return found.length > 80 ? `${found.slice(0, 79)}…` : found;
}
