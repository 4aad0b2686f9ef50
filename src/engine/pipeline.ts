import { PomonaError } from "../errors";
import type { Step } from "../worker/task";
import { columnsOf, type OutputName, type Relation } from "./relation";

/**
 * A plan cut into what a relational engine does (`source`) and what workers do to its rows (`steps`). The steps are
 * chained without files between them: reading a file's content, a featurizer and a scaler make one stage.
 */
export interface Pipeline {
  /** Relational only: no batch function in it. */
  readonly source: Relation;
  readonly steps: readonly Step[];
  /** The output: which column of the last batch becomes which, by its id. */
  readonly columns: readonly OutputColumn[];
  /** Every source row gives exactly one output row, so row-wise operations may move below the steps. */
  readonly preservesRows: boolean;
}

export interface OutputColumn extends Place {
  readonly as: string;
}

/** Where a value is. */
export interface Place {
  readonly from: string;
  /** True where `from` is a column of `source`, not one that a step makes. */
  readonly relational: boolean;
}

/** A plan ready to run: `stages` first, in order, each into files that later ones read as `stage` leaves; then `root`. */
export interface Lowered {
  readonly stages: readonly { readonly id: string; readonly pipeline: Pipeline }[];
  readonly root: Pipeline;
}

/** A pipeline of a relation alone. */
export function relational(source: Relation): Pipeline {
  return {
    source,
    steps: [],
    columns: columnsOf(source).map((id) => ({ from: id, as: id, relational: true })),
    preservesRows: true,
  };
}

/** How many partitions a relation asks for, if it does: by the last `repartition` that still holds at its top. */
export function requestedPartitions(relation: Relation): { partitions: number; shuffle: boolean } | undefined {
  switch (relation.op) {
    case "repartition":
      return relation;
    case "limit": {
      // The rows that `show` takes are computed in the partitions they were asked for in.
      const input = requestedPartitions(relation.input);
      return input && { ...input, partitions: Math.max(1, Math.min(input.partitions, relation.n)) };
    }
    case "project":
    case "extend":
    case "filter":
    case "sample":
      return requestedPartitions(relation.input);
    default:
      return undefined;
  }
}

/** Leaves out the steps whose results nobody reads. */
export function prune(pipeline: Pipeline): Pipeline {
  let needed = new Set(pipeline.columns.map((c) => c.from));
  const steps: Step[] = [];
  for (const step of [...pipeline.steps].reverse()) {
    switch (step.kind) {
      case "column":
        if (!needed.has(step.as) && !(step.errorAs && needed.has(step.errorAs))) continue;
        for (const arg of step.args) needed.add(arg);
        break;
      case "select":
        needed = new Set(step.columns.map((c) => c.from));
        break;
      case "table":
        break;
    }
    steps.unshift(step);
  }
  return { ...pipeline, steps };
}

export function columnOf(input: Pipeline, id: string): OutputColumn {
  const found = input.columns.find((c) => c.as === id);
  if (!found) throw new PomonaError(`The pipeline has no column ${id}, only ${idsOf(input).join(", ")}.`);
  return found;
}

export function idsOf(input: Pipeline): string[] {
  return input.columns.map((c) => c.as);
}

/** The columns that steps read of their input, rather than of one another. */
export function sourceColumns(steps: readonly Step[]): string[] {
  const needed = new Set<string>();
  const made = new Set<string>();
  for (const step of steps) {
    switch (step.kind) {
      case "column":
        for (const arg of step.args) if (!made.has(arg)) needed.add(arg);
        // Errors of the program's functions name the row by it; the other functions that need it take it as an argument.
        if (step.fn.kind === "source" && step.rowName && !made.has(step.rowName)) needed.add(step.rowName);
        made.add(step.as);
        if (step.errorAs) made.add(step.errorAs);
        break;
      case "select":
        for (const { from } of step.columns) if (!made.has(from)) needed.add(from);
        // What follows reads the selected names only.
        return [...needed];
      case "table":
        return [...needed];
    }
  }
  return [...needed];
}

/** A root whose columns go by their names outside, of which none comes twice. */
export function namedOutput(root: Pipeline, output: readonly OutputName[], names: readonly string[]): Pipeline {
  const columns = output.flatMap(({ id }, i) => {
    const column = root.columns.find((c) => c.as === id);
    return column ? [{ ...column, as: names[i] ?? id }] : [];
  });
  return { ...root, columns };
}
