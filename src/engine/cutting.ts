import { type Lowered, type Pipeline, prune, relational } from "./pipeline";
import { columnsOf, type Relation, reference } from "./relation";

/** What cutting a plan into stages has made so far. */
export interface Cutting {
  readonly stages: Lowered["stages"][number][];
  /** Their ids. */
  readonly staged: Set<string>;
  /** True where the rows of a frame that the user cached are there already. */
  readonly isCached: (id: string) => boolean;
  freshColumn(): string;
  freshStage(): string;
}

/** Begins the names of stages that lowering makes up. */
const INTERNAL = "__pomona_";

/** True for a stage that lowering made, false for one that a user's `cache()` named. */
export function isInternal(id: string): boolean {
  return id.startsWith(INTERNAL);
}

export function cutting(isCached: Cutting["isCached"]): Cutting {
  let made = 0;
  return {
    stages: [],
    staged: new Set(),
    isCached,
    // No id of analysis begins with this sign.
    freshColumn: () => `#${made++}`,
    freshStage: () => `${INTERNAL}${made++}`,
  };
}

/** The pipeline's rows as a relation: those that workers make become a stage. */
export function asRelational(cut: Cutting, input: Pipeline): Relation {
  const pruned = prune(input);
  if (pruned.steps.length > 0) return stageAs(cut, cut.freshStage(), pruned).source;
  const isPlain =
    pruned.columns.every((c) => c.from === c.as) && pruned.columns.length === columnsOf(pruned.source).length;
  if (isPlain) return pruned.source;
  const columns = pruned.columns.map((c) => ({ id: c.as, value: reference(c.from) }));
  return { op: "project", input: pruned.source, columns };
}

/** Makes the pipeline a stage, and gives what reads it. */
export function stageAs(cut: Cutting, id: string, input: Pipeline): Pipeline {
  const pipeline = prune(input);
  cut.stages.push({ id, pipeline });
  cut.staged.add(id);
  return relational({ op: "stage", id, columns: pipeline.columns.map((c) => c.as) });
}
