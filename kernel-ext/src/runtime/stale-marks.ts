import { type CellUses, NO_USES } from "../messages";
import { cellGraph, type LookUp, type RanCell, type Reason, type StaleCell } from "./cell-graph";

/** Keeps track of which cells are stale, and says what to tell at a cell's end. */
export interface StaleMarks {
  /** The execution that begins. */
  begin(execution: MarkedExecution): void;
  /** Its code is about to run. */
  running(source: string, uses: CellUses | undefined): void;
  /**
   * Its code has ended, or failed.
   * @param unchanged names that it declares and that have the values of earlier cells still
   */
  ran(unchanged: readonly string[]): void;
  /** It uses names that only its result tells of. */
  used(source: string, names: readonly string[]): void;
  /** The execution has come to its end. @returns a line for the user, where it redefined what others used */
  end(hasFailed: boolean): string | undefined;
  /** Stale cells, in the order of their first runs. */
  stale(): readonly StaleCell[];
}

export interface MarkedExecution {
  readonly execution: number;
  readonly count: number;
  readonly cellId?: string | undefined;
  readonly deletedCells?: readonly string[] | undefined;
  readonly content: { readonly code: string; readonly silent: boolean; readonly allow_stdin: boolean };
}

/** @param isLast whether no execution waits: what is run as one is told of at its end */
export function staleMarks(lookUp: LookUp, isLast: () => boolean): StaleMarks {
  const graph = cellGraph(lookUp);
  let current: (Omit<RanCell, "source"> & { readonly isTold: boolean }) | undefined;
  let hasRun = false;
  const running = (source: string, uses: CellUses) => {
    if (!current) return;
    graph.begin({ ...current, source }, uses);
    hasRun = true;
  };
  return {
    begin({ execution, count, cellId, deletedCells, content }) {
      if (deletedCells && deletedCells.length > 0) graph.forget(deletedCells);
      hasRun = false;
      // Who answers no questions runs a notebook from top to bottom, in which two cells may say the same.
      const isAttended = content.allow_stdin;
      const key = cellId ?? (isAttended ? content.code : `execution ${execution}`);
      const isPlaced = cellId !== undefined;
      current = content.silent ? undefined : { key, count, isPlaced, isTold: isPlaced || isAttended };
    },
    running: (source, uses = NO_USES) => running(source, uses),
    ran(unchanged) {
      if (current) graph.end(unchanged);
    },
    used(source, names) {
      running(source, { ...NO_USES, reads: names });
      if (current) graph.end([]);
    },
    end(hasFailed) {
      const ended = current;
      current = undefined;
      if (!ended) return undefined;
      // A magic in place of code.
      if (!hasRun && !hasFailed) graph.forget([ended.key], ended.count);
      return ended.isTold && isLast() ? inWords(graph.news()) : undefined;
    },
    stale: graph.stale,
  };
}

/** Cells that are named. */
const MOST_NAMED = 6;

/** `In[3] and In[5] used the old rate, In[6] what came of it: run them again (%%stale lists them).` */
function inWords(cells: readonly StaleCell[]): string | undefined {
  if (cells.length === 0) return undefined;
  const groups = new Map<string, StaleCell[]>();
  for (const cell of cells) {
    const what = whatWasUsed(cell.reasons);
    groups.set(what, [...(groups.get(what) ?? []), cell]);
  }
  const parts = [...groups].map(([what, members], i) => `${list(members)}${i === 0 ? " used" : ""} ${what}`);
  const again = cells.length === 1 ? "run it again (%%stale tells why)" : "run them again (%%stale lists them)";
  return `${parts.join(", ")}: ${again}.\n`;
}

function whatWasUsed(reasons: readonly Reason[]): string {
  const names = (kind: Reason["kind"]) =>
    reasons.flatMap((reason) => (reason.kind === kind ? [reason.name] : [])).join(" and ");
  if (names("redefined") !== "") return `the old ${names("redefined")}`;
  return names("removed") === "" ? "what came of it" : `${names("removed")}, which no cell declares any more`;
}

function list(cells: readonly StaleCell[]): string {
  const named = cells.slice(0, MOST_NAMED).map(({ count }) => `In[${count}]`);
  const more = cells.length - named.length;
  const all = more > 0 ? [...named, `${more} more`] : named;
  return all.length === 1 ? (all[0] as string) : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}
