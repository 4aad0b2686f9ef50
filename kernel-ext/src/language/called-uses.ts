import type { CellUses, FunctionUses } from "../messages";

/** What a cell does with the notebook's names when it runs, with what the functions do that it reads, and those in turn. */
export interface CalledUses {
  /** The names that it reads, and the function it calls that does. */
  readonly reads: ReadonlyMap<string, string | undefined>;
  /** The names that functions assign. */
  readonly writes: ReadonlySet<string>;
}

/** @param functionOf what a name's function does; undefined for one that has none */
export function calledUses(uses: CellUses, functionOf: (name: string) => FunctionUses | undefined): CalledUses {
  const reads = new Map<string, string | undefined>();
  const writes = new Set<string>();
  const add = (name: string, through: string | undefined) => {
    if (reads.has(name)) return;
    reads.set(name, through);
    const does = functionOf(name);
    if (!does) return;
    for (const each of does.writes) writes.add(each);
    for (const each of does.reads) add(each, through ?? name);
  };
  for (const name of uses.reads) add(name, undefined);
  return { reads, writes };
}
