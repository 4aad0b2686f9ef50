import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { PomonaError } from "../errors";
import type { Cell, Notebook } from "./notebook-parameters";

/** The notebook is of another language. */
export class NotTypeScriptError extends PomonaError {}

/** The package's own compiler could not be started. */
export class CompilerMissingError extends PomonaError {}

/** Why a notebook's saved outputs can't come from running it from top to bottom. */
export interface OrderProblem {
  /** Among all cells of the notebook, from 1. */
  readonly cell: number;
  /** `In[count]`; null where none is saved. */
  readonly count: number | null;
  readonly problem: string;
}

export interface OrderCheck {
  readonly problems: readonly OrderProblem[];
  /** Cells of code that ran. */
  readonly ran: number;
  /** Numbers up to the last that no cell has: what ran as these was removed, or ran again. */
  readonly missing: number;
}

/** What a cell does with the notebook's names: what `kernel-ext/src/language/notebook-uses.ts` prints. */
interface AnalyzedCell {
  readonly declares: readonly string[];
  /** Names that it reads, and the function that does it. */
  readonly reads: readonly (readonly [name: string, through: string | null])[];
  readonly sets: readonly string[];
  readonly unknown: readonly string[];
  readonly error?: string;
}

/** A cell of code. */
interface CodeCell extends AnalyzedCell {
  readonly number: number;
  readonly count: number | null;
  readonly hasOutputs: boolean;
  /** The name of the error that it ended with. */
  readonly failure: string | undefined;
  readonly mayFail: boolean;
  /** Only comments. */
  readonly isIdle: boolean;
}

/** Looks at a saved notebook; nothing is executed. @throws NotTypeScriptError */
export function checkOrder(notebook: Notebook, path: string): OrderCheck {
  refuseOtherLanguages(notebook, path);
  const numbered = notebook.cells.map((cell, i) => ({ cell, number: i + 1 })).filter(({ cell }) => isToRun(cell));
  const analyzed = analyze(numbered.map(({ cell }) => sourceOf(cell)));
  const cells = numbered.map(({ cell, number }, i) => codeCell(cell, number, analyzed[i] as AnalyzedCell));
  const counts = cells.flatMap(({ count }) => count ?? []);
  const problems = [...cellProblems(cells), ...orderProblems(cells), ...nameProblems(cells)];
  return {
    problems: problems.sort((a, b) => a.cell - b.cell),
    ran: counts.length,
    missing: Math.max(0, ...counts) - new Set(counts).size,
  };
}

/** `cell 3 (In[7])`. */
export function cellName({ cell, count }: Pick<OrderProblem, "cell" | "count">): string {
  return count === null ? `cell ${cell}` : `cell ${cell} (In[${count}])`;
}

const named = ({ number: cell, count }: CodeCell) => cellName({ cell, count });
const problemOf = ({ number: cell, count }: CodeCell, problem: string): OrderProblem => ({ cell, count, problem });

function refuseOtherLanguages({ metadata }: Notebook, path: string): void {
  const { kernelspec, language_info } = (metadata ?? {}) as Record<
    string,
    { name?: unknown; language?: unknown } | undefined
  >;
  const language = language_info?.name ?? kernelspec?.language;
  if (typeof language !== "string" || ["typescript", "javascript"].includes(language.toLowerCase())) return;
  throw new NotTypeScriptError(`${path} is a notebook in ${language}.`, {
    remedy: "--check-order reads notebooks in TypeScript.",
  });
}

/** A cell of code that a run from top to bottom executes. */
function isToRun(cell: Cell): boolean {
  if (cell.cell_type !== "code" || sourceOf(cell).trim() === "") return false;
  return !(hasTag(cell, "skip-execution") && countOf(cell) === null);
}

const sourceOf = ({ source }: Cell) => [source ?? ""].flat().join("");
const hasTag = ({ metadata }: Cell, tag: string) => Array.isArray(metadata?.tags) && metadata.tags.includes(tag);
const countOf = ({ execution_count }: Cell) => (typeof execution_count === "number" ? execution_count : null);

function codeCell(cell: Cell, number: number, analyzed: AnalyzedCell): CodeCell {
  const outputs = (Array.isArray(cell.outputs) ? cell.outputs : []) as { output_type?: unknown; ename?: unknown }[];
  const failed = outputs.find(({ output_type }) => output_type === "error");
  return {
    ...analyzed,
    number,
    count: countOf(cell),
    hasOutputs: outputs.length > 0,
    failure: failed && String(failed.ename ?? "an error"),
    mayFail: hasTag(cell, "raises-exception"),
    isIdle:
      sourceOf(cell)
        .replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")
        .trim() === "",
  };
}

/** Runs the kernel's compiler, which this package's commands know as a program alone. */
function analyze(sources: readonly string[]): readonly AnalyzedCell[] {
  const program = join(__dirname, "..", "..", "kernel-ext", "dist", "language", "check-notebook.js");
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [program], {
    input: JSON.stringify(sources),
    encoding: "utf8",
    maxBuffer: Number.POSITIVE_INFINITY,
  });
  if (status === 0) return (JSON.parse(stdout) as { cells: AnalyzedCell[] }).cells;
  throw new CompilerMissingError(`The cells could not be read:\n${stderr?.trim() || error}`, {
    remedy: "Install the package anew; in a checkout: npm run build.",
  });
}

/** What a cell by itself tells. */
function cellProblems(cells: readonly CodeCell[]): OrderProblem[] {
  const last = Math.max(-1, ...cells.flatMap(({ count }, i) => (count === null ? [] : i)));
  return cells.flatMap((cell, i) => {
    const found: OrderProblem[] = [];
    const { count, hasOutputs, isIdle, failure, mayFail, error } = cell;
    if (count === null && hasOutputs)
      found.push(problemOf(cell, "has outputs but no number: it was changed after it ran, or did not end."));
    else if (count === null && !isIdle && i < last)
      found.push(problemOf(cell, "has not run, but cells below it have."));
    if (error !== undefined && failure === undefined)
      found.push(problemOf(cell, `can't be compiled as it stands, ${error}`));
    const later =
      count === null ? undefined : cells.slice(i + 1).find((each) => each.count !== null && each.count > count);
    if (failure !== undefined && !mayFail && later)
      found.push(
        problemOf(cell, `ended with ${failure}, where a run from top to bottom stops; ${named(later)} ran after it.`),
      );
    return found;
  });
}

/** Numbers that do not rise. As few cells as can be are told of. */
function orderProblems(cells: readonly CodeCell[]): OrderProblem[] {
  const ran = cells.filter((cell): cell is CodeCell & { readonly count: number } => cell.count !== null);
  const rising = longestRising(ran.map(({ count }) => count));
  return ran.flatMap((cell, i) => {
    if (rising.has(i)) return [];
    const below = ran.find((each, j) => j > i && rising.has(j) && each.count < cell.count);
    if (below) return [problemOf(cell, `ran after ${named(below)}, which stands below it.`)];
    const above = ran.filter((each, j) => j < i && rising.has(j) && each.count >= cell.count).at(-1);
    if (!above) return [];
    const isSame = above.count === cell.count;
    return [
      problemOf(
        cell,
        isSame
          ? `has the same number as ${named(above)}: one of them is a copy, or ran before a restart.`
          : `ran before ${named(above)}, which stands above it, or after a restart.`,
      ),
    ];
  });
}

/** The places of the longest sequence of rising numbers. */
function longestRising(numbers: readonly number[]): ReadonlySet<number> {
  /** By length, where a sequence with the least end ends. */
  const ends: number[] = [];
  const before: (number | undefined)[] = [];
  numbers.forEach((number, i) => {
    let length = ends.findIndex((end) => (numbers[end] as number) >= number);
    if (length < 0) length = ends.length;
    before.push(ends[length - 1]);
    const end = ends[length];
    // Of two that are the same the upper one counts.
    if (end === undefined || (numbers[end] as number) > number) ends[length] = i;
  });
  const found = new Set<number>();
  for (let at = ends.at(-1); at !== undefined; at = before[at]) found.add(at);
  return found;
}

/** Names that a cell uses otherwise than in a run from top to bottom. */
function nameProblems(cells: readonly CodeCell[]): OrderProblem[] {
  const settersOf = (name: string) => cells.filter(({ sets }) => sets.includes(name));
  return cells.flatMap((cell) => {
    const found = cell.unknown.map((name) =>
      problemOf(cell, `uses ${name}, which no cell declares: its cell was removed, or the name changed.`),
    );
    for (const [name, through] of cell.reads) {
      if (cell.declares.includes(name)) continue;
      const problem = usedOtherwise(
        cell,
        settersOf(name).filter((each) => each !== cell),
      );
      if (problem)
        found.push(problemOf(cell, `uses ${through === null ? name : `${name} through ${through}`}${problem}`));
    }
    return found;
  });
}

/** @param setters of a name that the cell uses, from top to bottom */
function usedOtherwise(cell: CodeCell, setters: readonly CodeCell[]): string | undefined {
  const isAbove = ({ number }: CodeCell) => number < cell.number;
  const meant = setters.filter(isAbove).at(-1);
  const [first] = setters;
  if (!first) return undefined;
  if (!meant) return `, which ${named(first)} sets below it.`;
  const { count } = cell;
  if (count === null || meant.count === null) return undefined;
  if (meant.count > count) return `, which ${named(meant)} above it has set again since.`;
  const had = setters.reduce((latest, each) => (isBetween(latest, each, count) ? each : latest), meant);
  return had === meant
    ? undefined
    : ` as ${named(had)} had set it; from top to bottom it is as ${named(meant)} sets it.`;
}

function isBetween(latest: CodeCell, each: CodeCell, count: number): boolean {
  return each.count !== null && each.count < count && each.count > (latest.count ?? 0);
}
