import type { Converted, UnrunCell } from "../messages";
import { keepLatest } from "../oldest";
import { namesOf } from "./cell-source";
import type { Compiler } from "./compiler";

/** The cells that were sent to the kernel and did not come to declare anything, for errors about their names. */
export interface UnrunCells {
  add(cell: UnrunCell): void;
  /** It is run again. */
  forget(id: string): void;
  /** What became of a cell, with a hint at names that cells that did not run declare. */
  explain(result: Converted): Converted;
}

/** Cells that are remembered. */
const MOST = 200;

export function unrunCells(compiler: Compiler): UnrunCells {
  const cells = new Map<string, { readonly names: ReadonlySet<string>; readonly why: string }>();
  const whyUnknown = (name: string) => [...cells.values()].reverse().find(({ names }) => names.has(name))?.why;
  return {
    add({ id, source, why }) {
      cells.delete(id);
      cells.set(id, { names: namesOf(compiler, source), why });
      keepLatest(cells, MOST);
    },
    forget: (id) => void cells.delete(id),
    explain(result) {
      if (result.kind !== "diagnostics" || cells.size === 0) return result;
      const diagnostics = result.diagnostics.map((each) => {
        const name = NAME_UNKNOWN.has(each.code) ? /'([^']+)'/.exec(each.message)?.[1] : undefined;
        const why = name === undefined ? undefined : whyUnknown(name);
        return why === undefined ? each : { ...each, message: `${each.message} ${name} is declared in ${why}.` };
      });
      return { ...result, diagnostics };
    },
  };
}

/** TypeScript's errors about a name, a namespace, a near name, a type in a value's place and `{ name }` that nothing declares. */
const NAME_UNKNOWN: ReadonlySet<number> = new Set([2304, 2503, 2552, 18004]);
